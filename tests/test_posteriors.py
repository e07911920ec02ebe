"""Posterior heads: widths, shapes and meaning of the encoder's outputs; the standard prior."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Real
from jaxvae.distributions import kl_divergence
from jaxvae.facts import Facts
from jaxvae.posteriors import POSTERIORS
from jaxvae.priors import StandardNormal

HEADS = ("normal", "multivariate_normal", "delta")
heads = pytest.mark.parametrize("name", HEADS)


def head(name: str):
    return POSTERIORS[name]().build(Facts(Real((4,)), 3))


def outputs(name: str, dim: int, batch: int = 2) -> jax.Array:
    width = POSTERIORS[name]().num_outputs(dim)
    return jnp.asarray(np.random.default_rng(dim).normal(size=(batch, width)))


@heads
@pytest.mark.parametrize("dim", [1, 2, 3, 8])
def test_width_and_head_agree(name, dim):
    q = jax.eval_shape(head(name), outputs(name, dim))
    assert q.mean.shape == (2, dim)
    assert q.event_ndim == 1


@heads
def test_mean_comes_first(name):
    array = outputs(name, 3)
    np.testing.assert_array_equal(head(name)(array).mean, array[:, :3])


@pytest.mark.parametrize(("name", "width"), [("normal", 5), ("multivariate_normal", 3), ("multivariate_normal", 8)])
def test_wrong_width(name, width):
    with pytest.raises(ValueError, match=r"outputs: .* cannot be halved|outputs: \d"):
        head(name)(jnp.zeros((2, width)))


@heads
def test_gradient_flows_to_every_output(name):
    def score(array):
        z = head(name)(array).sample(jax.random.key(0))
        return jnp.sum(z**3)

    assert np.all(jax.jit(jax.grad(score))(outputs(name, 3)) != 0)


def test_normal_log_variance_comes_second():
    array = outputs("normal", 3)
    np.testing.assert_array_equal(head("normal")(array).log_var, array[:, 3:])


def test_cholesky_is_lower_triangular_with_half_log_variances_on_its_diagonal():
    array = outputs("multivariate_normal", 3)
    cholesky = head("multivariate_normal")(array).cholesky
    np.testing.assert_array_equal(cholesky, jnp.tril(cholesky))
    np.testing.assert_allclose(jnp.log(jnp.diagonal(cholesky, axis1=1, axis2=2)), array[:, 3:6] / 2, atol=1e-6)
    np.testing.assert_array_equal(cholesky[:, [1, 2, 2], [0, 0, 1]], array[:, 6:])


def test_full_covariance_matches_samples():
    q = head("multivariate_normal")(jnp.broadcast_to(outputs("multivariate_normal", 3, 1), (20_000, 9)))
    residual = np.float64(q.sample(jax.random.key(0)) - q.mean)
    products = residual[:, :, None] * residual[:, None, :]
    error = products.std(0) / len(products) ** 0.5
    assert np.all(np.abs(products.mean(0) - q.cholesky[0] @ q.cholesky[0].T) < 6 * error)


@heads
def test_outputs_of_zero_are_the_standard_prior(name):
    prior = StandardNormal(3)(params={}, condition=jnp.zeros(3))
    zeros = jnp.zeros((2, POSTERIORS[name]().num_outputs(3)))
    q = head(name)(zeros)
    expected = 1.5 * np.log(2 * np.pi) if name == "delta" else 0.0  # a point has no entropy
    np.testing.assert_allclose(kl_divergence(q, prior, q.mean), [expected] * 2, atol=1e-6)


def test_equal_priors_compare_equal():
    assert StandardNormal(3) == StandardNormal(3) != StandardNormal(2)
    assert hash(StandardNormal(3)) == hash(StandardNormal(3))

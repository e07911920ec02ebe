"""Every row of the table of likelihoods: links, event axes and the constants of MSE."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxvae import likelihoods
from jaxvae.data.spaces import Real
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS, FixedNormal, PixelNormal
from jaxvae.nets import MLPDecoder, SharedLogVar

FACTS = Facts(Real((2, 3)), 2)
REAL = {name: row() for name, row in LIKELIHOODS.items() if row.support in ("binary", "unit", "real")}
del REAL["perceptual"]  # needs a network, see likelihoods/test_perceptual.py
for name in ("student_t", "discretized_logistic", "categorical_levels", "beta_binomial"):
    del REAL[name]  # have other outputs than means and variances, see likelihoods/test_levels.py
rows = pytest.mark.parametrize("likelihood", REAL.values(), ids=REAL)
SHAPES = pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2, 1)])


def outputs_for(likelihood, mean):
    """Decoder outputs that mean these pixels; where log-variances are asked for, zeros."""
    linked = likelihood.link(mean)
    shared = isinstance(likelihood.wrap(MLPDecoder((), (3,))), SharedLogVar)
    halves = shared or likelihood.decoder_shape(FACTS) != (2, 3)
    return jnp.concatenate([linked, jnp.zeros_like(linked)], -1) if halves else linked


@rows
def test_link_inverts_the_mean(likelihood):
    mean = jnp.array([[0.0011, 0.02, 0.3, 0.499, 0.5, 0.501, 0.8, 0.99, 0.9989]])
    np.testing.assert_allclose(likelihood.build(FACTS)(outputs_for(likelihood, mean)).mean, mean, rtol=1e-4)


@rows
def test_link_is_finite_for_pixels_never_or_always_lit(likelihood):
    assert np.all(np.isfinite(likelihood.link(jnp.array([0.0, 1.0]))))


@rows
@SHAPES
def test_one_log_prob_per_example(likelihood, shape):
    def score(pixels):
        p = likelihood.build(FACTS)(outputs_for(likelihood, pixels))
        return p.mean, p.log_prob(pixels)

    mean, log_prob = jax.eval_shape(score, jnp.zeros(shape))
    assert mean.shape == shape
    assert log_prob.shape == (3,)


@rows
def test_support_is_a_known_word(likelihood):
    assert likelihood.support in ("binary", "unit", "real", "counts", "tokens", "table")


@SHAPES
@pytest.mark.parametrize("scale", [1.0, 0.1])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_fixed_normal_is_mse_with_its_constants(shape, scale, dtype):
    x, mean = (jnp.asarray(pixels, dtype) for pixels in np.random.default_rng(0).normal(size=(2, *shape)))

    def score(mean, x):
        return FixedNormal(scale)(mean).log_prob(x)

    error = np.square(np.float64(x) - np.float64(mean)).reshape(3, -1)
    expected = error.sum(1) / (2 * scale**2) + error.shape[1] * np.log(scale * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(jax.jit(score)(mean, x), -expected, rtol=1e-5)


def test_fixed_normal_is_equal_and_hashable_by_value():
    assert FixedNormal(0.1) == FixedNormal(0.1) != FixedNormal(0.2)
    assert hash(FixedNormal(0.1)) == hash(FixedNormal(0.1))
    assert LIKELIHOODS["mse"]() == FixedNormal(1.0)


@pytest.mark.parametrize("name", ["normal_shared", "normal_pixel"])
def test_normal_reads_means_then_log_variances(name):
    mean, log_var, x = np.random.default_rng(0).normal(size=(3, 2, 4, 4, 3))
    p = LIKELIHOODS[name]().build(FACTS)(jnp.asarray(np.concatenate([mean, log_var], -1)))
    expected = stats.norm.logpdf(x, mean, np.exp(log_var / 2)).sum((1, 2, 3))
    np.testing.assert_allclose(p.log_prob(x), expected, rtol=1e-5)


def test_a_least_scale_bounds_every_variance_from_below():
    outputs = jnp.array([[1.0, 2.0, -100.0, 3.0]])
    head = PixelNormal(least_scale=0.1).build(None)
    found = head(outputs)
    np.testing.assert_allclose(jnp.exp(found.log_var), [[0.01, np.exp(3) + 0.01]], rtol=1e-5)
    assert np.isfinite(jax.grad(lambda outputs: head(outputs).log_prob(jnp.full((1, 2), 50.0)).sum())(outputs)).all()
    assert PixelNormal().build(None) is likelihoods.normal
    with pytest.raises(InputError, match="least-scale: must be 0 or more"):
        PixelNormal(least_scale=-1.0)

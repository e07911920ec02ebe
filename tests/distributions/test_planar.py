"""Planar flows: Jacobians, invertibility, and an integral of 1."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.distributions import Normal, PlanarFlow
from jaxvae.distributions.planar import _bend


def flow(dim, *batch, num_flows=3, scale=1.0):
    noise = iter(jax.random.split(jax.random.key(5), 5))
    draw = lambda *shape: scale * jax.random.normal(next(noise), (*batch, *shape))  # noqa: E731
    base = Normal(draw(dim), draw(dim))
    return PlanarFlow(base, draw(num_flows, dim), draw(num_flows, dim), draw(num_flows))


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_determinant_is_that_of_the_jacobian(dim, scale):
    direction, weight, x = scale * jax.random.normal(jax.random.key(dim), (3, dim))
    jacobian = jax.jacfwd(lambda x: _bend(x, direction, weight, jnp.float32(0.3))[0])(x)
    sign, log_det = np.linalg.slogdet(np.float64(jacobian))
    assert sign == 1
    np.testing.assert_allclose(_bend(x, direction, weight, jnp.float32(0.3))[1], log_det, rtol=1e-3, atol=1e-4)


def test_whole_flow_has_the_determinant_of_its_jacobian():
    d = flow(4)
    x = d.base.sample(jax.random.key(2))
    jacobian = jax.jacfwd(lambda x: d._push(x)[0])(x)
    y, log_prob = d.sample_and_log_prob(jax.random.key(2))
    np.testing.assert_allclose(log_prob, d.base.log_prob(x) - np.linalg.slogdet(jacobian)[1], rtol=1e-4)
    np.testing.assert_allclose(y, d.sample(jax.random.key(2)), rtol=1e-6)


def test_strongest_contrary_direction_stays_invertible():
    """The map increases along w even if w.u is far below -1."""
    weight, x = jnp.array([1.0, 2.0]), jnp.linspace(-3, 3, 601)[:, None] * jnp.array([1.0, 2.0]) / 5
    y, log_det = _bend(x, -3 * weight, weight, jnp.zeros(()))
    assert (np.diff(y @ weight) > 0).all()
    assert np.isfinite(log_det).all()


def test_direction_of_zero_is_the_identity():
    d = flow(4, 3)
    d = PlanarFlow(d.base, jnp.zeros_like(d.directions), d.weights, d.offsets)
    y, log_prob = d.sample_and_log_prob(jax.random.key(0))
    np.testing.assert_allclose(y, d.base.sample(jax.random.key(0)), rtol=1e-6)
    np.testing.assert_allclose(log_prob, d.base.log_prob(y), rtol=1e-5)
    np.testing.assert_allclose(d.point, d.base.mean, rtol=1e-6)


def test_density_of_samples_integrates_to_one_over_their_range():
    """In one dimension y is increasing in x, so the density can be integrated over y(x) on a grid of x."""
    d, x = flow(1, num_flows=3), jnp.linspace(-12, 12, 4001)
    y, log_det = jax.vmap(lambda x: d._push(x[None]))(x)
    density = jnp.exp(d.base.log_prob(x[:, None]) - log_det)
    assert (np.diff(y[:, 0]) > 0).all()
    np.testing.assert_allclose(np.trapezoid(density, y[:, 0]), 1, atol=1e-3)


def test_keys_of_examples_and_axes_of_samples():
    def keys():
        return rng.sample_keys(rng.example_keys(jax.random.key(0), jnp.arange(3)), 5)

    d = flow(4, 3)
    samples, log_prob = jax.vmap(d.sample_and_log_prob)(keys())
    assert (samples.shape, log_prob.shape) == ((5, 3, 4), (5, 3))
    np.testing.assert_allclose(samples[2], d.sample(keys()[2]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e3])
def test_finite_values_and_gradients_at_extremes(scale):
    d = jax.tree.map(lambda leaf: scale * leaf, flow(4, 3))
    value, gradient = jax.value_and_grad(lambda d: d.sample_and_log_prob(jax.random.key(0))[1].sum())(
        PlanarFlow(Normal(d.base.mean, jnp.zeros((3, 4))), d.directions, d.weights, d.offsets)
    )
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((value, gradient)))


def test_has_no_density_of_other_values():
    assert not hasattr(flow(2), "log_prob")

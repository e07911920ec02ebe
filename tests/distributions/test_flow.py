"""Inverse autoregressive flows: Jacobians, round trips, and an integral of 1."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from scipy import stats

from jaxvae import rng
from jaxvae.distributions import InverseAutoregressiveFlow, Normal
from jaxvae.distributions.flow import _forward, _inverse
from jaxvae.nets import MADE

CONTEXT = 3


def made(dim, seed):
    net, noise = MADE((16,)), np.random.default_rng(seed)
    shapes = jax.eval_shape(net.init, jax.random.key(0), jnp.zeros(dim), jnp.zeros(CONTEXT))
    return Partial(net.apply, jax.tree.map(lambda leaf: jnp.float32(0.4 * noise.normal(size=leaf.shape)), shapes))


def flow(dim, *batch, num_flows=3):
    mean, log_var = 0.3 * jax.random.normal(jax.random.key(7), (2, *batch, dim))
    context = jax.random.normal(jax.random.key(8), (*batch, CONTEXT))
    return InverseAutoregressiveFlow(Normal(mean, log_var), context, tuple(made(dim, n) for n in range(num_flows)))


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_jacobian_of_a_map_is_triangular_and_its_determinant_known(dim):
    network, x, context = made(dim, 0), jax.random.normal(jax.random.key(1), (dim,)), jnp.ones(CONTEXT)
    jacobian = jax.jit(jax.jacfwd(lambda x: _forward(network, x, context)[0]))(x)
    assert np.all(np.triu(jacobian, 1) == 0)
    assert dim == 1 or np.all(np.tril(jacobian, -1)[np.tril_indices(dim, -1)] != 0)
    np.testing.assert_allclose(_forward(network, x, context)[1], np.linalg.slogdet(jacobian)[1], atol=1e-5)


def test_inverse_is_exact_and_knows_the_same_determinant():
    network, x, context = made(6, 0), jax.random.normal(jax.random.key(1), (4, 6)), jnp.ones((4, CONTEXT))
    y, log_det = _forward(network, x, context)
    back, same = _inverse(network, y, context)
    np.testing.assert_allclose(back, x, atol=1e-5)
    np.testing.assert_allclose(same, log_det, atol=1e-5)


def test_whole_flow_has_the_determinant_of_its_jacobian():
    d = flow(4)
    x = d.base.sample(jax.random.key(2))
    jacobian = jax.jacfwd(lambda x: d._push(x)[0])(x)
    y, log_prob = d.sample_and_log_prob(jax.random.key(2))
    np.testing.assert_allclose(log_prob, d.base.log_prob(x) - np.linalg.slogdet(jacobian)[1], rtol=1e-5)
    np.testing.assert_allclose(y, d.sample(jax.random.key(2)), rtol=1e-6)


def test_density_of_a_sample_is_that_of_the_inverse_gradients_included():
    @jax.jit
    def both(d):
        def score(d, by_inverse):
            y, log_prob = d.sample_and_log_prob(jax.random.key(3))
            return (d.log_prob(y) if by_inverse else log_prob).sum()

        return [jax.value_and_grad(score)(d, by_inverse) for by_inverse in (True, False)]

    slow, quick = both(flow(5, 7))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), slow, quick)


def test_density_integrates_to_one():
    axis = jnp.linspace(-8, 8, 401)
    points = jnp.stack(jnp.meshgrid(axis, axis), -1).reshape(-1, 2)
    density = jnp.exp(jax.jit(lambda d: d.log_prob(points))(flow(2)))
    np.testing.assert_allclose(density.sum() * (axis[1] - axis[0]) ** 2, 1, atol=1e-3)


def test_fresh_networks_leave_the_normal_as_it_is():
    d, net = flow(4, 3), MADE((8,))
    fresh = Partial(net.apply, net.init(jax.random.key(0), d.base.mean, d.context))
    d = InverseAutoregressiveFlow(d.base, d.context, (fresh,) * 3)
    y, log_prob = d.sample_and_log_prob(jax.random.key(1))
    np.testing.assert_array_equal(y, d.base.sample(jax.random.key(1)))
    np.testing.assert_array_equal(log_prob, d.base.log_prob(y))
    np.testing.assert_allclose(d.log_prob(y), log_prob, rtol=1e-6)
    np.testing.assert_array_equal(d.point, d.base.mean)


def test_keys_of_examples_and_axes_of_samples():
    def keys():
        return rng.sample_keys(rng.example_keys(jax.random.key(0), jnp.arange(3)), 5)

    d = flow(4, 3)
    samples, log_prob = jax.vmap(d.sample_and_log_prob)(keys())
    assert (samples.shape, log_prob.shape) == ((5, 3, 4), (5, 3))
    np.testing.assert_allclose(d.log_prob(samples), log_prob, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(samples[2], d.sample(keys()[2]), rtol=1e-5, atol=1e-6)


def test_one_value_is_scored_by_several_flows():
    d, value = flow(4, 3), jnp.linspace(-1, 1, 8).reshape(2, 1, 4)
    log_prob = jax.jit(lambda d, x: d.log_prob(x))
    together = log_prob(d, value)
    for row in range(2):
        for column in range(3):
            base = Normal(d.base.mean[column], d.base.log_var[column])
            one = InverseAutoregressiveFlow(base, d.context[column], d.networks)
            np.testing.assert_allclose(together[row, column], log_prob(one, value[row, 0]), rtol=1e-4)


def test_finite_where_scales_are_extreme():
    def extreme(x, context):
        return jnp.stack([jnp.full_like(x, -1e6), jnp.full_like(x, 1e3)], -1)

    d = InverseAutoregressiveFlow(Normal(jnp.zeros(3), jnp.zeros(3)), jnp.zeros(1), (Partial(extreme),))
    y, log_prob = d.sample_and_log_prob(jax.random.key(0))
    assert np.isfinite(y).all()
    assert np.isfinite(log_prob)
    np.testing.assert_allclose(d.log_prob(y), log_prob, atol=2e-3)


def test_maps_with_linear_shifts_reach_any_normal():
    """The posterior of a linear-Gaussian model is such a normal; its Cholesky factor is the shift."""
    covariance = np.array([[2.0, 0.6, -0.3], [0.6, 1.0, 0.4], [-0.3, 0.4, 1.5]])
    factor = np.linalg.cholesky(covariance)
    scale = np.diag(factor)

    def network(below, x, context):
        return jnp.stack([jnp.zeros_like(x), x @ below.T], -1)

    base = Normal(jnp.zeros(3), jnp.float32(2 * np.log(scale)))
    below = Partial(network, jnp.float32(np.tril(factor / scale, -1)))
    d, z = InverseAutoregressiveFlow(base, jnp.zeros(1), (below,)), np.random.default_rng(0).normal(size=(5, 3))
    exact = stats.multivariate_normal(np.zeros(3), covariance).logpdf(z)
    np.testing.assert_allclose(d.log_prob(jnp.float32(z)), exact, rtol=1e-4)


def test_refuses_a_value_of_another_dimension():
    with pytest.raises(ValueError, match="is no event"):
        flow(4).log_prob(jnp.zeros(3))

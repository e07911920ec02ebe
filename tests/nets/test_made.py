"""Masked networks: what each output depends on, by Jacobians."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.distributions.flow import _inverse
from jaxvae.nets import MADE, Bound

CONTEXT = 3


def network_and_variables(dim, hidden):
    net = MADE(hidden)
    shapes = jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, dim)), jnp.zeros((1, CONTEXT)))
    noise = np.random.default_rng(0)
    return net, jax.tree.map(lambda leaf: jnp.float32(noise.normal(size=leaf.shape)), shapes)


@pytest.mark.quick_rows("5-hidden1")
@pytest.mark.parametrize("hidden", [(12,), (12, 15)])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_outputs_depend_on_every_earlier_input_and_on_the_whole_context(dim, hidden):
    net, variables = network_and_variables(dim, hidden)
    x, context = jnp.full(dim, 0.3), jnp.full(CONTEXT, -0.2)
    jacobian = jax.jit(jax.jacobian(lambda x, context: net.apply(variables, x, context), (0, 1)))
    of_x, of_context = jacobian(x, context)
    earlier = np.arange(dim)[:, None] > np.arange(dim)
    for output in range(2):
        np.testing.assert_array_equal(np.asarray(of_x[:, output] != 0), earlier)
        assert (of_context[:, output] != 0).all()


def test_begins_at_zero_and_then_every_parameter_learns():
    net, variables = network_and_variables(4, (8, 8))
    x, context = jnp.ones((2, 4)), jnp.ones((2, CONTEXT))
    fresh = net.init(jax.random.key(0), x, context)
    np.testing.assert_array_equal(net.apply(fresh, x, context), jnp.zeros((2, 4, 2)))
    gradient = jax.grad(lambda variables: jnp.sin(net.apply(variables, x, context)).sum())(variables)
    assert all((leaf != 0).any() for leaf in jax.tree.leaves(gradient))


def test_leading_axes_of_inputs_and_context_broadcast():
    net, variables = network_and_variables(4, (8,))
    x, context = jax.random.normal(jax.random.key(0), (5, 2, 4)), jax.random.normal(jax.random.key(1), (2, CONTEXT))
    whole = net.apply(variables, x, context)
    for number in range(2):
        np.testing.assert_allclose(whole[:, number], net.apply(variables, x[:, number], context[number]), rtol=1e-5)


@pytest.mark.quick_rows("hidden1-5")
@pytest.mark.parametrize(("hidden", "dim"), [((16,), 5), ((12, 7), 5), ((3,), 5), ((), 4), ((4,), 1)])
def test_solve_is_the_inverse_by_whole_passes_gradients_included(hidden, dim):
    net, variables = network_and_variables(dim, hidden)
    variables = jax.tree.map(lambda leaf: 0.2 * leaf, variables)  # larger ones amplify what is rounded
    y = jax.random.normal(jax.random.key(1), (2, 3, dim))
    context = jax.random.normal(jax.random.key(2), (3, CONTEXT))

    @functools.partial(jax.jit, static_argnums=0)
    def inverse(at_once, variables, y, context):
        def loss(variables, y, context):
            network = Bound(variables["params"], net) if at_once else functools.partial(net.apply, variables)
            x, log_det = _inverse(network, y, context)
            return (jnp.sin(x).sum(-1) * log_det).sum(), (x, log_det)

        return jax.value_and_grad(loss, (0, 1, 2), has_aux=True)(variables, y, context)

    both = [inverse(at_once, variables, y, context) for at_once in (True, False)]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), *both)


def test_solve_maps_over_inputs():
    net, variables = network_and_variables(4, (8,))
    y, context = jax.random.normal(jax.random.key(1), (3, 4)), jnp.ones((3, CONTEXT))

    def inverse(y, context):
        return _inverse(Bound(variables["params"], net), y, context)[0]

    np.testing.assert_allclose(jax.vmap(inverse)(y, context), inverse(y, context), rtol=1e-5, atol=1e-6)

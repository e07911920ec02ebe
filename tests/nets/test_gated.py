"""Gated networks: their formula, shapes and conditions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from jaxvae.data.spaces import Real
from jaxvae.facts import Facts
from jaxvae.nets import Gated

FACTS = Facts(Real((5, 2)), 3)
NETS = [
    (Gated((6,)).encoder(FACTS, 4), (5, 2), (4,)),
    (Gated((6,)).decoder(FACTS, (5, 2)), (3,), (5, 2)),
]


def variables_for(net, *inputs):
    noise = np.random.default_rng(0)
    shapes = jax.eval_shape(net.init, jax.random.key(0), *inputs)
    return jax.tree.map(lambda leaf: jnp.float32(noise.normal(size=leaf.shape)), shapes)


@pytest.mark.parametrize(("net", "shape", "outputs"), NETS)
def test_layers_are_gated(net, shape, outputs):
    x = jnp.float32(np.random.default_rng(1).normal(size=(7, *shape)))
    variables = variables_for(net, x)
    layers = jax.tree.map(np.float64, variables["params"])
    (w, v), (b, c) = (np.split(layers["Dense_0"][name], 2, axis=-1) for name in ("kernel", "bias"))
    rows = np.float64(x).reshape(7, -1)
    expected = ((rows @ w + b) * expit(rows @ v + c)) @ layers["output"]["kernel"] + layers["output"]["bias"]
    np.testing.assert_allclose(net.apply(variables, x), expected.reshape(7, *outputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("net", "shape", "outputs"), NETS)
def test_condition_changes_the_output(net, shape, outputs):
    x, labels = jnp.ones((2, *shape)), jnp.eye(2)
    variables = variables_for(net, x, labels)
    first, second = net.apply(variables, x, labels), net.apply(variables, x, labels[::-1])
    assert first.shape == (2, *outputs)
    assert not np.allclose(first, second)


def test_bfloat16_keeps_parameters_and_outputs_in_float32():
    net, x = Gated((6,)).encoder(Facts(Real((5,)), 3, dtype=jnp.dtype("bfloat16")), 4), jnp.ones((2, 5))
    outputs, variables = net.init_with_output(jax.random.key(0), x)
    assert {leaf.dtype for leaf in jax.tree.leaves((outputs, variables))} == {jnp.dtype("float32")}


def test_equal_by_value():
    assert Gated((6,)).encoder(FACTS, 4) == Gated((6,)).encoder(FACTS, 4) != Gated((7,)).encoder(FACTS, 4)

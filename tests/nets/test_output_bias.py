"""`with_output_bias`: a decoder whose last kernel is zero puts out exactly what was asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxvae.nets import ConvDecoder, MLPDecoder, SharedLogVar, with_output_bias

SHAPE, DOUBLE = (5, 7, 2), (5, 7, 4)
Z = jnp.ones((3, 2))
WANTED = jnp.asarray(np.random.default_rng(0).normal(size=SHAPE))


def silence_last_kernel(params):
    """All that is left of the network is its output bias."""

    def zero_if_last(path, leaf):
        return jnp.zeros_like(leaf) if "['output']['kernel']" in jax.tree_util.keystr(path) else leaf

    return jax.tree_util.tree_map_with_path(zero_if_last, params)


def outputs_of(net):
    """The network's outputs once the wanted bias is set, starting from parameters that are 9 everywhere."""
    shapes = jax.eval_shape(net.init, jax.random.key(0), Z)["params"]
    params = jax.tree.map(lambda leaf: jnp.full(leaf.shape, 9.0), shapes)
    return jax.jit(net.apply)({"params": silence_last_kernel(with_output_bias(params, WANTED))}, Z)


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_mlp_takes_every_pixel(hidden):
    np.testing.assert_array_equal(outputs_of(MLPDecoder(hidden, SHAPE)), jnp.stack([WANTED] * 3))


def test_conv_takes_the_mean_of_each_channel():
    expected = jnp.broadcast_to(WANTED.mean((0, 1)), (3, *SHAPE))
    np.testing.assert_array_equal(outputs_of(ConvDecoder((4, 4), (8,), SHAPE)), expected)


@pytest.mark.parametrize("net", [MLPDecoder((), DOUBLE), ConvDecoder((4,), (), DOUBLE)])
def test_log_variances_are_left_alone(net):
    outputs = outputs_of(net)
    np.testing.assert_allclose(outputs[..., :2].mean((1, 2)), jnp.stack([WANTED.mean((0, 1))] * 3), rtol=1e-5)
    np.testing.assert_array_equal(outputs[..., 2:], jnp.full((3, *SHAPE), 9.0))


def test_inside_shared_log_var():
    outputs = outputs_of(SharedLogVar(MLPDecoder((8,), SHAPE)))
    np.testing.assert_array_equal(outputs[..., :2], jnp.stack([WANTED] * 3))
    np.testing.assert_array_equal(outputs[..., 2:], jnp.full((3, *SHAPE), 90.0))  # ten times its parameter


class Wrapped(nn.Module):
    """A decoder behind another layer, whose parameters come first."""

    @nn.compact
    def __call__(self, z):
        return MLPDecoder((), SHAPE, name="decoder")(nn.Dense(4, name="before")(z))


def test_behind_other_layers():
    np.testing.assert_array_equal(outputs_of(Wrapped()), jnp.stack([WANTED] * 3))


def test_parameters_given_are_not_changed():
    params = {"output": {"kernel": jnp.zeros((2, 70)), "bias": jnp.zeros(70)}}
    with_output_bias(params, WANTED)
    np.testing.assert_array_equal(params["output"]["bias"], jnp.zeros(70))


BIASED = {"kernel": jnp.zeros((2, 4)), "bias": jnp.zeros(4)}


@pytest.mark.parametrize("params", [{}, {"Dense_0": BIASED}, {"one": {"output": BIASED}, "two": {"output": BIASED}}])
def test_without_exactly_one_layer_named_output(params):
    with pytest.raises(ValueError, match="output"):
        with_output_bias(params, WANTED)

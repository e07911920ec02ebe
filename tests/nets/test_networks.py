"""All networks: shapes, gradients, conditions, equality by value."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.nets import (
    ConvDecoder,
    ConvEncoder,
    MLPDecoder,
    MLPEncoder,
    SharedLogVar,
    SignalDecoder,
    SignalEncoder,
    with_output_bias,
)
from jaxvae.nets.conv_layers import fastest_layout, images

SHAPES = [(28, 28, 1), (8, 8, 1), (15, 17, 3), (5, 7, 2), (28, 20, 1)]
BATCH, LATENT = 2, 3


def noise(*shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).normal(size=shape))


def some_variables(net, *inputs):
    """Random parameters, also for the biases, quicker than by `init`."""
    return jax.tree.map(lambda leaf: 0.3 * noise(*leaf.shape), jax.eval_shape(net.init, jax.random.key(0), *inputs))


NETS = {
    "encoder, linear": (MLPEncoder((), 6), noise(BATCH, 5, 7, 2), (6,)),
    "encoder, one layer": (MLPEncoder((16,), 6), noise(BATCH, 10), (6,)),
    "encoder, three layers": (MLPEncoder((16, 12, 8), 6), noise(BATCH, 10), (6,)),
    "decoder, linear": (MLPDecoder((), (5, 7, 2)), noise(BATCH, LATENT), (5, 7, 2)),
    "decoder, one layer": (MLPDecoder((16,), (10,)), noise(BATCH, LATENT), (10,)),
    "decoder, three layers": (MLPDecoder((8, 12, 16), (10,)), noise(BATCH, LATENT), (10,)),
    "shared log-variance": (SharedLogVar(MLPDecoder((8,), (2, 3, 1))), noise(BATCH, LATENT), (2, 3, 2)),
    "conv encoder, one level": (ConvEncoder((8,), (), 6), noise(BATCH, 5, 7, 2), (6,)),
    "conv decoder, one level": (ConvDecoder((8,), (), (5, 7, 2)), noise(BATCH, LATENT), (5, 7, 2)),
}
SIGNALS = {(24,): (48,), (37, 2): (37, 4), (1,): (1,), (5, 7, 2): (5, 7, 2)}
for shape, outputs in SIGNALS.items():
    NETS[f"signal encoder {shape}"] = (SignalEncoder((8, 12), (16,), 6), noise(BATCH, *shape), (6,))
    decoder = SignalDecoder((12, 8), (16,), shape[0], outputs)
    NETS[f"signal decoder {shape}"] = (decoder, noise(BATCH, LATENT), outputs)
for shape in SHAPES:
    NETS[f"conv encoder {shape}"] = (ConvEncoder((8, 12), (16,), 6), noise(BATCH, *shape), (6,))
    NETS[f"conv decoder {shape}"] = (ConvDecoder((12, 8), (16,), shape), noise(BATCH, LATENT), shape)

nets = pytest.mark.parametrize(("net", "inputs", "shape"), NETS.values(), ids=NETS)


@nets
def test_output_shape(net, inputs, shape):
    outputs, _ = jax.eval_shape(net.init_with_output, jax.random.key(0), inputs)
    assert outputs.shape == (BATCH, *shape)


@pytest.mark.parametrize("name", [name for name in NETS if "three" in name or "shared" in name or "(5, 7, 2)" in name])
def test_every_parameter_gets_a_gradient(name):
    net, inputs, _ = NETS[name]

    @jax.jit
    @jax.grad
    def gradient(variables):
        return jnp.sum(jnp.sin(net.apply(variables, inputs)))

    assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(gradient(some_variables(net, inputs))))


@pytest.mark.parametrize("name", ["encoder, one layer", "decoder, one layer", "conv encoder, one level"])
def test_condition_changes_the_output(name):
    net, inputs, _ = NETS[name]
    conditions = jnp.stack([jnp.eye(4)[:BATCH], jnp.eye(4)[-BATCH:]])
    variables = some_variables(net, inputs, conditions[0])
    first, second = jax.jit(lambda: [net.apply(variables, inputs, condition) for condition in conditions])()
    assert not np.any(np.all(first == second, axis=1))


@pytest.mark.parametrize(
    "make",
    [
        lambda width: MLPEncoder((width,), 6),
        lambda width: MLPDecoder((width,), (10,)),
        lambda width: ConvEncoder((8,), (width,), 6),
        lambda width: ConvDecoder((8,), (width,), (8, 8, 1)),
        lambda width: SignalEncoder((8,), (width,), 6),
        lambda width: SignalDecoder((8,), (width,), 9, (9,)),
        lambda width: SharedLogVar(MLPDecoder((width,), (10,))),
    ],
)
def test_equal_by_value(make):
    assert make(8) == make(8) != make(9)
    assert hash(make(8)) == hash(make(8))


@pytest.mark.parametrize("shape", SHAPES)
def test_conv_decoder_mirrors_the_encoder(shape):
    def layer_sizes(net, inputs):
        _, state = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), inputs, capture_intermediates=True))
        layers = state["intermediates"]
        return {name: layer["__call__"][0].shape[1:3] for name, layer in layers.items() if name.startswith("Conv")}

    channels = (4, 6, 8)
    encoder = layer_sizes(ConvEncoder(channels, (), 6), noise(BATCH, *shape))
    decoder = layer_sizes(ConvDecoder(channels[::-1], (), shape), noise(BATCH, LATENT))
    for down, up in [("Conv_1", "ConvTranspose_0"), ("Conv_0", "ConvTranspose_1")]:
        # The layer itself doubles; the crop to the encoder's size follows it.
        assert all(side in (double, double - 1) for side, double in zip(encoder[down], decoder[up]))


def test_a_shifted_signal_has_shifted_features():
    """Convolutions along time mix no channels into time: a step of the stride moves all features but at the ends."""
    net, x = SignalEncoder((8,), (), 6), noise(BATCH, 40, 2)
    variables = some_variables(net, x)

    def features(x):
        _, state = net.apply(variables, x, capture_intermediates=lambda module, _: module.name == "Conv_0")
        return images(state["intermediates"]["Conv_0"]["__call__"][0], fastest_layout(x))

    here, moved = features(x), features(jnp.roll(x, 2, axis=1))
    assert here.shape == (BATCH, 20, 1, 8)
    np.testing.assert_allclose(moved[:, 4:-3], here[:, 3:-4], atol=1e-5)


def test_means_and_log_variances_of_a_signal_are_two_channels():
    wanted = noise(24)
    net = SignalDecoder((8,), (), 24, (48,))
    variables = jax.tree.map(jnp.zeros_like, some_variables(net, noise(BATCH, LATENT)))
    params = with_output_bias(variables["params"], wanted)
    outputs = net.apply({"params": params}, noise(BATCH, LATENT))
    np.testing.assert_array_equal(outputs, jnp.stack([jnp.concatenate([wanted, jnp.zeros(24)])] * BATCH))


def with_dtype(net, dtype):
    if isinstance(net, SharedLogVar):
        return SharedLogVar(with_dtype(net.decoder, dtype))
    return net.copy(dtype=dtype)


@pytest.mark.parametrize("name", [name for name in NETS if "three" in name or "shared" in name or "(5, 7, 2)" in name])
def test_bfloat16_keeps_parameters_and_outputs_in_float32(name):
    net, inputs, _ = NETS[name]
    half = with_dtype(net, jnp.bfloat16)
    shapes = jax.eval_shape(half.init, jax.random.key(0), inputs)
    assert shapes == jax.eval_shape(net.init, jax.random.key(0), inputs)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    variables = some_variables(net, inputs)
    outputs, exact = jax.jit(lambda: (half.apply(variables, inputs), net.apply(variables, inputs)))()
    assert outputs.dtype == jnp.float32
    assert np.any(outputs != exact)
    np.testing.assert_allclose(outputs, exact, rtol=0, atol=0.03 * np.abs(exact).max())


def test_shared_log_var_appends_its_one_parameter():
    net = SharedLogVar(MLPDecoder((), (2, 3, 1)))
    variables = some_variables(net, noise(BATCH, LATENT))
    variables["params"]["tenth_log_var"] = jnp.float32(-0.25)
    outputs = net.apply(variables, noise(BATCH, LATENT))
    mean = net.decoder.apply({"params": variables["params"]["decoder"]}, noise(BATCH, LATENT))
    np.testing.assert_array_equal(outputs[..., :1], mean)
    np.testing.assert_array_equal(outputs[..., 1:], jnp.full_like(mean, -2.5))

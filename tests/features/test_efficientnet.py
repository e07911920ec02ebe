"""EfficientNet-Lite0 against activations of another implementation, at sizes that are even and odd inside."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.features import EfficientNetLite0, efficientnet, layers, read_features
from jaxvae.features.layers import needed

LAYERS = ("stem", "block_2", "block_4", "block_10", "head")


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "features"


@pytest.fixture(scope="module")
def weights(folder):
    network, params = read_features(folder / "efficientnet_lite0.npz")
    assert network == EfficientNetLite0()
    return params


@pytest.fixture(scope="module")
def reference(folder):
    with np.load(folder / "efficientnet_lite0_reference.npz") as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("size", ["", "_28"])
def test_layers_equal_those_of_the_reference(weights, reference, size):
    images = reference[f"image{size}"] / np.float32(255)
    found = jax.jit(functools.partial(layers, EfficientNetLite0()))(weights, images)
    for layer in LAYERS:
        values = np.asarray(found[layer], np.float64)
        assert values.shape == tuple(reference[f"{layer}{size}_shape"])
        flat = values.reshape(len(values), -1)
        np.testing.assert_allclose(flat[:, :16], reference[f"{layer}{size}_first16"], atol=1e-3)
        np.testing.assert_allclose(flat.mean(1), reference[f"{layer}{size}_mean"], atol=1e-3)
        np.testing.assert_allclose(flat.std(1), reference[f"{layer}{size}_std"], atol=1e-3)
    for layer in ("pooled", "logits"):
        np.testing.assert_allclose(found[layer], reference[f"{layer}{size}"], atol=1e-3)


def test_grey_images_are_their_three_equal_colours(weights):
    grey = np.random.default_rng(0).random((2, 9, 11, 1), np.float32)
    block = jax.jit(lambda x: layers(EfficientNetLite0(), weights, x, ["block_2"])["block_2"])
    one, three = map(block, (grey, grey.repeat(3, -1)))
    np.testing.assert_array_equal(one, three)


def test_a_layer_needs_the_parameters_before_it(weights):
    network = EfficientNetLite0()
    shapes = network.shapes((9, 11, 1))
    assert {name: array.shape for name, array in weights.items()} == shapes
    some = needed(network, (9, 11, 1), ["stem", "block_2"])
    assert "_blocks.2._project_conv.weight" in some
    assert not any(name.startswith("_blocks.3") for name in some)
    images = jnp.asarray(np.random.default_rng(0).random((2, 9, 11, 1), np.float32))
    few = {name: weights[name] for name in some}
    # The compiler leaves out the layers behind it, which would take seconds.
    alone, among_all = (
        jax.jit(lambda params, wanted=wanted: layers(network, params, images, wanted)["block_2"])(params)
        for params, wanted in ((few, ["block_2"]), (weights, ()))
    )
    np.testing.assert_array_equal(alone, among_all)


def test_an_unknown_layer_is_refused(weights):
    with pytest.raises(InputError, match="efficientnet_lite0 has no 'conv_0'; it has stem, block_0"):
        jax.eval_shape(lambda: layers(EfficientNetLite0(), weights, jnp.zeros((1, 8, 8, 1)), ["conv_0"]))


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (5, 2)])
def test_convolutions_of_each_channel_and_their_slopes_are_those_of_xla(size, stride):
    draw = np.random.default_rng(0)
    x, kernel = draw.normal(size=(2, 7, 8, 3)).astype(np.float32), draw.normal(size=(3, 1, size, size))

    def grouped(x, kernel):
        options = {"dimension_numbers": ("NHWC", "OIHW", "NHWC"), "feature_group_count": 3}
        return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", **options)

    arguments = x, kernel.astype(np.float32)
    found, pull = jax.vjp(lambda *arguments: efficientnet._conv_each(*arguments, stride), *arguments)
    wanted, pull_wanted = jax.vjp(grouped, *arguments)
    slope = draw.normal(size=wanted.shape).astype(np.float32)
    for one, other in zip((found, *pull(slope)), (wanted, *pull_wanted(slope)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)

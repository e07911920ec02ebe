"""The layers that leave JAX: run by a few lines of NumPy they give what the decoder gives."""

import jax
import numpy as np
import pytest
import scipy.special
from flax import linen as nn

from jaxvae import VAE, likelihoods, nets
from jaxvae.errors import InputError
from jaxvae.explorer.layers import ConditionalDense, ConvTranspose, Dense, Elementwise, mean_layers
from jaxvae.presets import build
from jaxvae.priors import StandardNormal

FUNCTIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": scipy.special.expit,
    "continuous_bernoulli_mean": lambda x: 1 / -np.expm1(-x) - 1 / x,
}


def run(layers, z, condition=None):
    x = z.astype(np.float64)
    for layer in layers:
        match layer:
            case ConditionalDense(kernel, bias):
                x = x @ kernel + bias[condition]
            case Dense(kernel, bias):
                x = x @ kernel + bias
            case ConvTranspose():
                x = spread(layer, x.reshape(*layer.input_size, -1)).ravel()
            case Elementwise(function):
                x = FUNCTIONS[function](x)
    return x


def spread(layer, x):
    """Add every pixel's window to a wide canvas, and cut the picture out."""
    height, width = layer.output_size
    margin = max(layer.kernel.shape[1:3])
    y = np.zeros((height + 3 * margin, width + 3 * margin, len(layer.bias)))
    for i, j in np.ndindex(x.shape[:2]):
        top, left = (margin + layer.stride * at - layer.before for at in (i, j))
        window = np.tensordot(x[i, j], layer.kernel, axes=1)
        y[top : top + window.shape[0], left : left + window.shape[1]] += window
    return y[margin : margin + height, margin : margin + width] + layer.bias


def randomized(model, shape, condition=None):
    like = jax.eval_shape(model.init, jax.random.key(0), jax.ShapeDtypeStruct((1, *shape), np.float32), condition)
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: 0.3 * rng.normal(size=leaf.shape).astype(np.float32), like)


@pytest.mark.parametrize(
    ("preset", "shape", "options"),
    [
        ("vae", (5, 3, 1), {"likelihood": "bernoulli", "hidden": ()}),
        ("vae", (6,), {"likelihood": "normal_pixel", "hidden": (7, 4)}),
        ("vae", (6,), {"likelihood": "student_t", "hidden": (7,)}),
        ("vae", (4, 3, 2), {"likelihood": "discretized_logistic", "hidden": (7,)}),
        ("vae", (4, 3, 1), {"likelihood": "beta_binomial", "hidden": (7,)}),
        ("vae", (4, 3, 3), {"likelihood": "normal_shared", "dtype": "bfloat16"}),
        ("conv_vae", (9, 7, 3), {"likelihood": "normal_pixel", "hidden": ()}),
        ("conv_vae", (5, 6, 1), {"likelihood": "continuous_bernoulli", "hidden": (3,)}),
        ("conv_vae", (10, 3, 1), {"likelihood": "mse", "channels": (2, 3, 4)}),
    ],
)
def test_layers_give_the_mean_of_the_likelihood(preset, shape, options):
    options = {"hidden": (8,), "channels": (2, 3) if preset == "conv_vae" else None, **options}
    model = build(preset, shape, latent_dim=3, **options)
    params = randomized(model, shape)
    z = np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32)
    p = jax.jit(lambda z: model.decode(params, z))(z)
    expected = (p.location if options["likelihood"] == "discretized_logistic" else p.mean).reshape(2, -1)
    ours = [run(mean_layers(model, params), code) for code in z]
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=0.02 if "dtype" in options else 1e-5)


def vae(decoder, **pieces):
    return VAE(nets.MLPEncoder((4,), 4), decoder, StandardNormal(2), **pieces)


def test_other_activations_are_known():
    model = vae(nets.MLPDecoder((4,), (6,), activation=nn.tanh))
    layers = mean_layers(model, randomized(model, (6,)))
    assert [layer.function for layer in layers if isinstance(layer, Elementwise)] == ["tanh", "sigmoid"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (vae(nn.Dense(6)), "decoder: the explorer knows MLPDecoder and ConvDecoder, got Dense"),
        (
            vae(nets.MLPDecoder((4,), (6,), activation=jax.numpy.sin)),
            "activation: the explorer cannot compute sin; it knows elu, gelu, relu",
        ),
        (vae(nets.MLPDecoder((4,), (6,)), likelihood=lambda x: likelihoods.bernoulli(x)), "likelihood: the explorer"),
    ],
)
def test_what_the_page_cannot_compute_is_refused(model, message):
    params = {"decoder": randomized(vae(nets.MLPDecoder((4,), (6,))), (6,))["decoder"]}
    with pytest.raises(InputError, match=message):
        mean_layers(model, params)


@pytest.mark.parametrize(
    ("preset", "options"),
    [
        ("vae", {"hidden": (), "likelihood": "normal_pixel"}),
        ("vae", {"hidden": (5,), "likelihood": "normal_shared"}),
        ("conv_vae", {"hidden": (5,), "channels": (2,)}),
    ],
)
def test_a_conditional_decoder_has_a_bias_for_each_condition(preset, options):
    shape = (4, 3, 1)
    model = build(preset, shape, latent_dim=2, **options)
    params = randomized(model, shape, np.zeros((1, 3)))
    z, conditions = np.float32([[0.3, -1.0]]), np.eye(3, dtype=np.float32)
    layers = mean_layers(model, params, conditions)
    for number, condition in enumerate(conditions):
        expected = model.decode(params, z, condition[None]).mean.ravel()
        np.testing.assert_allclose(run(layers, z[0], number), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (None, "takes 12 numbers, z has 2 and there is no condition; draw it with jaxvae sample"),
        (np.eye(3), "takes 12 numbers, z has 2, the condition 3;"),
    ],
)
def test_a_decoder_of_other_conditions_is_refused(conditions, message):
    model = vae(nets.MLPDecoder((4,), (6,)))
    params = randomized(model, (6,), np.zeros((1, 10)))
    with pytest.raises(InputError, match=message):
        mean_layers(model, params, conditions)

"""Weights that leave JAX: run by a few lines of NumPy they write the rows that JAX writes."""

import jax
import numpy as np
import pytest
import scipy.special

from jaxvae.data.spaces import Tokens
from jaxvae.errors import InputError
from jaxvae.explorer.layers import decoder_layers
from jaxvae.explorer.predictors import LSTM, Hierarchical, predictor
from jaxvae.explorer.sequences import sequences
from jaxvae.model import Functions
from jaxvae.options import given

SPACE = Tokens(size=9, length=11)
SMALL = {"likelihood.hidden": (6,), "likelihood.embedding": 3}


def build(preset, **options):
    """A model of rows of eleven tokens, with parameters of every layer that no one has trained."""
    model = given(preset=preset, latent_dim=3, hidden=(4,), **options).build(SPACE)
    like = jax.eval_shape(model.init, jax.random.key(0), SPACE.zeros(1))
    rng = np.random.default_rng(0)
    return model, jax.tree.map(lambda leaf: 0.9 * rng.normal(size=leaf.shape).astype(np.float32), like)


class Layer:
    """An LSTM layer in float64."""

    def __init__(self, weights, context):
        self.weights, self.constant = weights, weights.bias
        self.c = context @ weights.start
        self.h = np.tanh(self.c)
        if len(weights.given):
            self.constant = self.constant + context @ weights.given

    def step(self, x):
        sums = self.constant + x @ self.weights.inputs + self.h @ self.weights.kernel
        i, f, g, o = np.split(sums, 4)
        self.c = scipy.special.expit(f) * self.c + scipy.special.expit(i) * np.tanh(g)
        self.h = scipy.special.expit(o) * np.tanh(self.c)
        return self.h


def write(network, context, length):
    """Tokens up to the end mark."""
    row, layers = [], None
    conductor = Layer(network.conductor, context) if isinstance(network, Hierarchical) else None
    cell = network.cell if conductor else network
    while len(row) < length and row[-1:] != [SPACE.end]:
        if layers is None or (conductor and len(row) % network.steps_per_bar == 0):
            at_start = context if conductor is None else conductor.step(np.zeros(0))
            layers, x = [Layer(weights, at_start) for weights in cell.layers], cell.embedding[-1]
        else:
            x = cell.embedding[row[-1]]
        for layer in layers:
            x = layer.step(x)
        row.append(1 + int((x @ cell.output)[1:].argmax()))
    return row


@pytest.mark.parametrize(
    ("preset", "options"),
    [
        ("lstm_vae", {**SMALL, "likelihood.hidden": (6, 5)}),
        ("melody_vae", SMALL),
        ("hierarchical_melody_vae", {**SMALL, "likelihood.conductor": 5, "likelihood.steps_per_bar": 4}),
    ],
)
def test_rows_are_those_of_the_likelihood(preset, options):
    model, params = build(preset, **options)
    codes = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    rows = jax.jit(lambda z: model.decode(params, z).point)(codes)
    network = predictor(model, params)
    assert len({tuple(row) for row in rows.tolist()}) > 5, "rows in which a mistake would show"
    for z, row in zip(codes, rows.tolist()):
        written = write(network, z, SPACE.length)
        assert written + [SPACE.padding] * (SPACE.length - len(written)) == row


def test_a_decoder_that_hands_z_on_is_a_layer():
    model, params = build("lstm_vae", **SMALL)
    (layer,) = decoder_layers(model, params)
    np.testing.assert_array_equal(layer.kernel, np.eye(3))
    np.testing.assert_array_equal(layer.bias, np.zeros(3))
    of_class = decoder_layers(model, params, np.eye(2))[0]
    z = np.float32([0.5, 1, 2])
    np.testing.assert_array_equal(z @ of_class.kernel + of_class.bias[1], [0.5, 1, 2, 0, 1])


@pytest.mark.parametrize(
    ("preset", "name"), [("token_vae", "TokenPredictor"), ("transformer_vae", "TransformerPredictor")]
)
def test_other_predictors_are_refused(preset, name):
    model = given(preset=preset, latent_dim=3).build(SPACE)
    with pytest.raises(InputError, match=f"the explorer writes tokens with lstm and hierarchical, got {name}; use"):
        predictor(model, {"likelihood": {}})


def test_functions_have_no_layers():
    functions = Functions(encode=None, decode=None, prior=None)
    with pytest.raises(InputError, match="model: the explorer draws the layers of a VAE, got functions"):
        sequences(functions, {}, SPACE.zeros(2), SPACE, {}, None)


def test_first_layers_read_the_context_too():
    model, params = build("lstm_vae", **{**SMALL, "likelihood.hidden": (6, 5)})
    network = predictor(model, params)
    assert isinstance(network, LSTM)
    assert [layer.given.shape for layer in network.layers] == [(3, 24), (0, 20)]
    assert [layer.inputs.shape for layer in network.layers] == [(3, 24), (6, 20)]

"""Predictor of tokens as weights, with which a few lines of any language write rows of the likeliest tokens."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxvae import nets
from jaxvae.errors import InputError
from jaxvae.likelihoods import Autoregressive
from jaxvae.model import VAE
from jaxvae.types import Params


class Recurrence(NamedTuple):
    """LSTM layer, whose first state and constant input come from a context.

    c_0 = context @ start,    h_0 = tanh(c_0)
    i, f, g, o = context @ given + x @ inputs + h @ kernel + bias
    c' = sigmoid(f) c + sigmoid(i) tanh(g),    h' = sigmoid(o) tanh(c')
    """

    start: np.ndarray
    """`[C, H]`."""
    given: np.ndarray
    """`[C, 4H]`, or `[0, 4H]` for a layer that reads the outputs of another alone."""
    inputs: np.ndarray
    """`[I, 4H]`."""
    kernel: np.ndarray
    """`[H, 4H]`."""
    bias: np.ndarray
    """`[4H]`."""


class LSTM(NamedTuple):
    """Predictor of the next token from the tokens before it, each as a row of `embedding`.

    The last row of `embedding` stands for the time before the first token.
    """

    embedding: np.ndarray
    """`[V + 1, E]`."""
    layers: list[Recurrence]
    output: np.ndarray
    """`[H, V]`."""


class Hierarchical(NamedTuple):
    """Predictor that begins anew in every bar, with the conductor's output there as its context."""

    cell: LSTM
    conductor: Recurrence
    """Layer over the bars, which reads the context alone."""
    steps_per_bar: int


Predictor: TypeAlias = LSTM | Hierarchical


class Greedy(NamedTuple):
    """Layer from a context to a row of the likeliest token at each step, as `distributions.Tokens.point` writes it."""

    predictor: Predictor
    length: int
    end: int
    padding: int


def predictor(model: VAE, params: Params) -> Predictor:
    """Return the network that predicts each next token, in float32.

    Args:
        model: model with an `LSTMPredictor`, perhaps in a `HierarchicalPredictor`.
        params: the model's parameters.

    Raises:
        InputError: the likelihood is of another kind.
    """
    if not isinstance(model.likelihood, Autoregressive):
        raise _refused(model.likelihood)
    weights = jax.tree.map(lambda array: np.asarray(array, np.float32), params["likelihood"])
    match model.likelihood.network:
        case nets.LSTMPredictor() as network:
            return _lstm(network, weights)
        case nets.HierarchicalPredictor(cell=nets.LSTMPredictor(), conductor=nets.Conductor()) as network:
            bars = weights["conductor"]
            conductor = _recurrence(bars["bars"], bars["start"], 0)
            return Hierarchical(_lstm(network.cell, weights["cell"]), conductor, network.steps_per_bar)
        case other:
            raise _refused(other)


def _refused(piece: Any) -> InputError:
    known, name = "the explorer writes tokens with lstm and hierarchical", type(piece).__name__
    return InputError(f"likelihood: {known}, got {name}; use jaxvae sample")


def _lstm(network: nets.LSTMPredictor, params: Params) -> LSTM:
    widths = network.embedding, *network.hidden
    layers = [_recurrence(params[f"layers_{i}"], params[f"starts_{i}"], width) for i, width in enumerate(widths[:-1])]
    return LSTM(params["embed"]["embedding"], layers, params["output"]["kernel"])


def _recurrence(layer: Params, start: Params, width: int) -> Recurrence:
    """Divide a layer's inputs into the first, which change from step to step, and the context behind them."""
    inputs, given = np.split(layer["inputs"]["kernel"], [width])
    return Recurrence(start["kernel"], given, inputs, layer["kernel"], layer["inputs"]["bias"])

"""Decoder as a list of layers that a few lines of any language can run.

Images are flat between layers, `[H, W, C]` in row-major order, so that no layer only reshapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from flax import linen as nn
from numpy.typing import ArrayLike

from jaxvae import likelihoods, nets
from jaxvae.distributions.sampling import point
from jaxvae.distributions.supports import is_discrete
from jaxvae.errors import InputError
from jaxvae.model import VAE
from jaxvae.nets import conv_layers
from jaxvae.types import Params


class Dense(NamedTuple):
    """Dense layer, `x @ kernel + bias`."""

    kernel: np.ndarray
    """`[I, O]` kernel."""
    bias: np.ndarray
    """`[O]`."""


class ConditionalDense(NamedTuple):
    """Dense layer with another bias for each condition, `x @ kernel + bias[condition]`."""

    kernel: np.ndarray
    """`[I, O]` kernel."""
    bias: np.ndarray
    """`[K, O]`."""


class ConvTranspose(NamedTuple):
    """Layer that spreads input pixel (i, j) over the window of outputs that begins at `stride * (i, j) - before`.

    Values outside the output are dropped, which includes the decoder's cropping.
    """

    kernel: np.ndarray
    """`[I, kh, kw, O]` contribution of each input channel to the window."""
    bias: np.ndarray
    """`[O]`."""
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    """Height and width after cropping."""
    stride: int
    before: int


class Elementwise(NamedTuple):
    """Function applied to each value."""

    function: str


Layer: TypeAlias = Dense | ConditionalDense | ConvTranspose | Elementwise

ACTIVATIONS: dict[Callable, str] = {
    nn.relu: "relu",
    nn.elu: "elu",
    nn.gelu: "gelu",
    nn.silu: "silu",
    nn.softplus: "softplus",
    nn.sigmoid: "sigmoid",
    nn.tanh: "tanh",
}
MEANS: dict[Callable, str] = {
    likelihoods.bernoulli: "sigmoid",
    likelihoods.grey_cross_entropy: "sigmoid",
    likelihoods.continuous_bernoulli: "continuous_bernoulli_mean",
    likelihoods.normal: "identity",
    likelihoods.student_t: "identity",
    likelihoods.discretized_logistic: "identity",
    likelihoods.beta_binomial_levels: "sigmoid",
}
PARAMETERS: dict[Callable, int] = {
    likelihoods.normal: 2,
    likelihoods.student_t: 3,
    likelihoods.discretized_logistic: 2,
    likelihoods.beta_binomial_levels: 2,
}
"""Number of parameters of each value, the mean among them the first, that the decoder has to give for a likelihood."""


def mean_layers(model: VAE, params: Params, conditions: ArrayLike | None = None) -> list[Layer]:
    """Return the layers that compute the mean of p(x|z) from z, in float32.

    Args:
        model: model with an `MLPDecoder` or a `ConvDecoder`, perhaps in a `SharedLogVar`.
        params: the model's parameters.
        conditions: `[K, C]` conditions to choose from, where the decoder takes one; the first layer has K biases.

    Raises:
        InputError: the likelihood is of another kind, or as in `decoder_layers`.
    """
    layers = decoder_layers(model, params, conditions)
    if model.likelihood in PARAMETERS and not isinstance(model.decoder, nets.SharedLogVar):
        layers[-1] = _means_only(layers[-1], model.decoder.shape[-1], PARAMETERS[model.likelihood])
    mean = Elementwise(_mean(model.likelihood))
    return layers if mean.function == "identity" else [*layers, mean]


def decoder_layers(model: VAE, params: Params, conditions: ArrayLike | None = None) -> list[Layer]:
    """Return the layers of the decoder, from z to the likelihood's input, in float32.

    Args:
        model: model with an `MLPDecoder` or a `ConvDecoder`, perhaps in a `SharedLogVar`, or with `Identity`.
        params: the model's parameters.
        conditions: `[K, C]` conditions to choose from, where the decoder takes one; the first layer has K biases.

    Raises:
        InputError: the decoder is of another kind, it takes other inputs, or codes are no real numbers.
    """
    if not hasattr(model, "decoder"):
        raise InputError("model: the explorer draws the layers of a VAE, got functions; use run.decode and run.plot")
    given = () if conditions is None else (np.asarray(conditions, np.float32),)
    prior = model.prior(params, *given)
    if is_discrete(prior):
        raise InputError(
            "prior: its codes are chosen among a few, and sliders move along real numbers; use jaxvae sample"
        )
    latent_dim = point(prior).shape[-1]
    decoder = jax.tree.map(lambda array: np.asarray(array, np.float32), params["decoder"])
    layers = _network(model.decoder, decoder, latent_dim + sum(each.shape[1] for each in given))
    _check_inputs(layers[0], latent_dim, *given)
    if given:
        layers[0] = _of_conditions(layers[0], latent_dim, *given)
    return layers


def rescaled(layers: list[Layer], limits: tuple[float, float]) -> list[Layer]:
    """Rescale the last layer so that 0 and 1 mean these values, unless it is a function into [0, 1]."""
    low, high = limits
    if limits == (0.0, 1.0) or isinstance(layers[-1], Elementwise):
        return layers
    last = layers[-1]
    return [*layers[:-1], last._replace(kernel=last.kernel / (high - low), bias=(last.bias - low) / (high - low))]


def _network(decoder: nn.Module, params: Params, num_inputs: int) -> list[Layer]:
    match decoder:
        case nets.Identity():
            return [Dense(np.eye(num_inputs, dtype=np.float32), np.zeros(num_inputs, np.float32))]
        case nets.SharedLogVar():
            # The shared log-variance does not affect the mean.
            return _network(decoder.decoder, params["decoder"], num_inputs)
        case nets.MLPDecoder():
            return [*_hidden(params, len(decoder.hidden), decoder.activation), Dense(**params["output"])]
        case nets.ConvDecoder():
            return _conv_decoder(decoder, params)
    name = type(decoder).__name__
    raise InputError(f"decoder: the explorer knows MLPDecoder and ConvDecoder, got {name}; use jaxvae sample")


def _conv_decoder(decoder: nets.ConvDecoder, params: Params) -> list[Layer]:
    layers = _hidden(params, len(decoder.hidden) + 1, decoder.activation)
    names = [*(f"ConvTranspose_{i}" for i in range(len(decoder.channels) - 1)), "output"]
    for level, name in zip(range(len(names), 0, -1), names):
        sizes = [tuple(math.ceil(side / 2**halvings) for side in decoder.shape[:2]) for halvings in (level, level - 1)]
        layers += [_conv_transpose(params[name], *sizes), _activation(decoder.activation)]
    return layers[:-1]  # no activation after the output


def _hidden(params: Params, count: int, activation: Callable) -> list[Layer]:
    layers: list[Layer] = []
    for i in range(count):
        layers += [Dense(**params[f"Dense_{i}"]), _activation(activation)]
    return layers


def _conv_transpose(params: Params, input_size: tuple, output_size: tuple) -> ConvTranspose:
    stride = conv_layers.ConvTranspose.strides[0]
    before = max(params["kernel"].shape[0] - stride, 0) // 2
    # JAX does not flip a transposed convolution's kernel: its contribution to the window is reversed.
    kernel = params["kernel"][::-1, ::-1].transpose(2, 0, 1, 3)
    return ConvTranspose(kernel, params["bias"], input_size, output_size, stride, before)


def _activation(function: Callable) -> Elementwise:
    return Elementwise(_look_up(ACTIVATIONS, function, "activation"))


def _mean(head: Callable) -> str:
    return getattr(head, "activation", None) or _look_up(MEANS, head, "likelihood")


def _look_up(table: dict[Callable, str], function: Any, what: str) -> str:
    if function not in table:
        known = ", ".join(sorted(set(table.values())))
        name = getattr(function, "__name__", function)
        raise InputError(f"{what}: the explorer cannot compute {name}; it knows {known}")
    return table[function]


def _means_only(layer: Any, channels: int, parameters: int) -> Any:
    """Remove all parameters but the means, the first part of every pixel's channels, from the last layer."""

    def first_part(weights: np.ndarray) -> np.ndarray:
        means = weights.reshape(*weights.shape[:-1], -1, channels)[..., : channels // parameters]
        return means.reshape(*weights.shape[:-1], -1)

    return layer._replace(kernel=first_part(layer.kernel), bias=first_part(layer.bias))


def _check_inputs(first: Any, latent_dim: int, *conditions: np.ndarray) -> None:
    inputs, width = first.kernel.shape[0], sum(each.shape[1] for each in conditions)
    if inputs != latent_dim + width:
        given = f"z has {latent_dim}" + (f", the condition {width}" if width else " and there is no condition")
        raise InputError(f"decoder: it takes {inputs} numbers, {given}; draw it with jaxvae sample")


def _of_conditions(first: Any, latent_dim: int, conditions: np.ndarray) -> ConditionalDense:
    """Split the first kernel, whose inputs are z and then the condition, and add the condition's part to the bias."""
    of_z, of_condition = np.split(first.kernel, [latent_dim])
    return ConditionalDense(of_z, first.bias + conditions @ of_condition)

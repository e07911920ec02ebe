"""Table of variants: name, parts, objective, defaults and paper. A new variant is a new row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike

from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.model import VAE
from jaxvae.nets import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder, SharedLogVar
from jaxvae.nets.network import floating
from jaxvae.objectives import ciwae_loss, elbo_loss, iwae_loss, kl_only_loss, piwae_loss
from jaxvae.posteriors import POSTERIORS, BottomUp
from jaxvae.priors import StandardNormal, TopDown
from jaxvae.types import Array, InputError, did_you_mean

Row = TypeVar("Row")
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": nn.relu,
    "tanh": nn.tanh,
    "elu": nn.elu,
    "silu": nn.silu,
    "softplus": nn.softplus,
}


class Sizes(NamedTuple):
    """Shapes and floating-point type of the networks."""

    hidden: tuple[int, ...]
    """Widths of the dense hidden layers, from the data inwards; the decoder mirrors the encoder."""
    channels: tuple[int, ...]
    """Channels of the convolutions, from the image inwards."""
    encoder_outputs: int
    decoder_shape: tuple[int, ...]
    activation: Callable[[Array], Array]
    dtype: np.dtype | None


def mlp(sizes: Sizes) -> tuple[nn.Module, nn.Module]:
    """Build a fully connected encoder and decoder."""
    encoder = MLPEncoder(sizes.hidden, sizes.encoder_outputs, sizes.activation, sizes.dtype)
    return encoder, MLPDecoder(sizes.hidden[::-1], sizes.decoder_shape, sizes.activation, sizes.dtype)


def conv(sizes: Sizes) -> tuple[nn.Module, nn.Module]:
    """Build a convolutional encoder and decoder."""
    if len(sizes.decoder_shape) != 3:
        raise InputError(f"preset: a convolutional network needs images [H, W, C], got {sizes.decoder_shape}; use vae")
    if not sizes.channels:
        raise InputError("channels: a convolutional network needs at least one convolution; give --channels 32 64")
    encoder = ConvEncoder(sizes.channels, sizes.hidden, sizes.encoder_outputs, sizes.activation, sizes.dtype)
    layers = (sizes.channels[::-1], sizes.hidden[::-1])
    return encoder, ConvDecoder(*layers, sizes.decoder_shape, sizes.activation, sizes.dtype)


def channels_for(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return channels of at least two convolutions, which halve an image until at most 7x7 values are left.

    >>> channels_for((28, 28, 1)), channels_for((64, 64, 3)), channels_for((256, 256, 3))
    ((32, 64), (32, 64, 128, 256), (32, 64, 128, 256, 256, 256))
    """
    height, width, *_ = (*shape, 1, 1)
    channels = [32]
    while len(channels) < 2 or math.ceil(height / 2 ** len(channels)) * math.ceil(width / 2 ** len(channels)) > 49:
        channels.append(min(2 * channels[-1], 256))
    return tuple(channels)


class Preset(NamedTuple):
    """Row of the table: network, posterior, prior, likelihood and objective, and the default options."""

    paper: str
    networks: Callable[[Sizes], tuple[nn.Module, nn.Module]] = mlp
    hidden: tuple[int, ...] = (400,)
    channels: tuple[int, ...] | None = ()
    """Channels of the convolutions; None to choose them by the image's size, see `channels_for`."""
    activation: str = "relu"
    latent_dim: int = 20
    posterior: str = "normal"
    likelihood: str = "bernoulli"
    objective: Callable = elbo_loss
    options: Mapping[str, Any] = MappingProxyType({"free_bits": 0.0})
    """Further options of the objective besides model, beta and num_samples, with their defaults."""
    num_samples: int = 1
    beta: float = 1.0
    corruption: str = "none"
    """Corruption of the encoder's input: a row of `objectives.CORRUPTIONS`, or none."""
    collapses: bool = False
    """True if every posterior is meant to become the prior."""


RAINFORTH = "Rainforth et al. 2018, https://arxiv.org/abs/1802.04537"
PRESETS = {
    "vae": Preset("Kingma & Welling 2014, https://arxiv.org/abs/1312.6114"),
    "conv_vae": Preset(
        "Kingma & Welling 2014, https://arxiv.org/abs/1312.6114",
        networks=conv,
        hidden=(256,),
        channels=None,
    ),
    "autoencoder": Preset(
        "Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647",
        posterior="delta",
        likelihood="mse",
        beta=0.0,
    ),
    "denoising_autoencoder": Preset(
        "Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html",
        posterior="delta",
        likelihood="mse",
        beta=0.0,
        corruption="masking",
    ),
    "kl_only": Preset("Kingma & Welling 2014, https://arxiv.org/abs/1312.6114", objective=kl_only_loss, collapses=True),
    "iwae": Preset(
        "Burda, Grosse & Salakhutdinov 2016, https://arxiv.org/abs/1509.00519",
        objective=iwae_loss,
        options={"gradient": "standard"},
        num_samples=5,
    ),
    "miwae": Preset(RAINFORTH, objective=iwae_loss, options={"gradient": "standard", "num_groups": 8}, num_samples=8),
    "ciwae": Preset(
        RAINFORTH, objective=ciwae_loss, options={"gradient": "standard", "elbo_share": 0.05}, num_samples=64
    ),
    "piwae": Preset(RAINFORTH, objective=piwae_loss, options={"num_groups": 8}, num_samples=8),
}


def build(
    name: str,
    shape: tuple[int, ...],
    *,
    latent_dim: int | None = None,
    hidden: tuple[int, ...] | None = None,
    channels: tuple[int, ...] | None = None,
    activation: str | None = None,
    upper_latent_dims: tuple[int, ...] = (),
    upper_hidden: tuple[int, ...] = (100, 100),
    posterior: str | None = None,
    likelihood: str | None = None,
    dtype: DTypeLike | None = None,
) -> VAE:
    """Build a preset's model for examples of a shape; options that are not given are the preset's.

    The networks' hidden layers compute in `dtype`, float32 if None; parameters and outputs are always float32.

    >>> build("vae", (8, 8, 1), latent_dim=2).prior
    StandardNormal(latent_dim=2)
    """
    preset = _row(PRESETS, "preset", name)
    latent_dim = preset.latent_dim if latent_dim is None else latent_dim
    posterior_row = _row(POSTERIORS, "posterior", posterior or preset.posterior)
    likelihood_row = _row(LIKELIHOODS, "likelihood", likelihood or preset.likelihood)
    for what, widths in {"shape": shape, "hidden": hidden or (), "channels": channels or ()}.items():
        if not all(width > 0 for width in widths):
            raise InputError(f"{what}: must be positive numbers, got {widths}")
    outputs_per_value = 2 if likelihood_row.log_var == "pixel" else 1
    encoder, decoder = preset.networks(
        Sizes(
            hidden=preset.hidden if hidden is None else hidden,
            channels=preset_channels(preset, shape) if channels is None else channels,
            encoder_outputs=posterior_row.num_outputs(latent_dim),
            decoder_shape=(*shape[:-1], shape[-1] * outputs_per_value),
            activation=ACTIVATIONS[activation or preset.activation],
            dtype=floating(dtype),
        )
    )
    if likelihood_row.log_var == "shared":
        decoder = SharedLogVar(decoder)
    if not upper_latent_dims:
        return VAE(encoder, decoder, StandardNormal(latent_dim), posterior_row.head, likelihood_row.head)
    prior, bottom_up = stochastic_layers(
        (latent_dim, *upper_latent_dims), upper_hidden, ACTIVATIONS[activation or preset.activation]
    )
    return VAE(encoder, decoder, prior, bottom_up, likelihood_row.head)


def preset_channels(preset: Preset, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a row's channels for examples of a shape."""
    return channels_for(shape) if preset.channels is None else preset.channels


def stochastic_layers(
    latent_dims: tuple[int, ...], hidden: tuple[int, ...], activation: Callable[[Array], Array]
) -> tuple[TopDown, BottomUp]:
    """Build prior and posterior of layers of these dimensions, from the lowest up, with dense networks between."""
    upwards = tuple(MLPEncoder(hidden, 2 * above, activation) for above in latent_dims[1:])
    downwards = tuple(MLPEncoder(hidden[::-1], 2 * below, activation) for below in latent_dims[-2::-1])
    return TopDown(StandardNormal(latent_dims[-1]), downwards), BottomUp(upwards)


def _row(table: Mapping[str, Row], what: str, name: str) -> Row:
    if name not in table:
        raise InputError(f"{what}: must be one of {', '.join(table)}, got {name!r}{did_you_mean(name, table)}")
    return table[name]

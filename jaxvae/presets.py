"""Table of variants: name, parts, objective, defaults and paper. A new variant is a new row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxvae.arguments import look_up
from jaxvae.assemble import assemble
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.model import VAE
from jaxvae.nets import MLP, Conv
from jaxvae.nets.conv import channels_for
from jaxvae.nets.network import floating
from jaxvae.objectives import ciwae_loss, elbo_loss, iwae_loss, kl_only_loss, piwae_loss
from jaxvae.posteriors import POSTERIORS, Layers
from jaxvae.priors import PRIORS
from jaxvae.types import Array, InputError


class Preset(NamedTuple):
    """Row of the table: network, posterior, prior, likelihood and objective, and the default options."""

    paper: str
    networks: type[MLP | Conv] = MLP
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
        networks=Conv,
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


class Values(NamedTuple):
    """Space of arrays of one shape."""

    shape: tuple[int, ...]
    likelihood: str = "normal_shared"

    def project(self, x: Array) -> Array:
        """Return x: every value is legal."""
        return x

    def zeros(self, num: int) -> Array:
        """Return blank examples."""
        return jnp.zeros((num, *self.shape))


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
    preset = look_up(PRESETS, "preset", name)
    for what, widths in {"shape": shape, "hidden": hidden or (), "channels": channels or ()}.items():
        if not all(width > 0 for width in widths):
            raise InputError(f"{what}: must be positive numbers, got {widths}")
    networks = preset.networks(
        hidden=preset.hidden if hidden is None else hidden,
        activation=activation or preset.activation,
        **({"channels": preset.channels if channels is None else channels} if preset.networks is Conv else {}),
    )
    facts = Facts(Values(shape), preset.latent_dim if latent_dim is None else latent_dim, dtype=floating(dtype))  # type: ignore[arg-type]
    options = look_up(POSTERIORS, "posterior", posterior or preset.posterior)()
    return assemble(
        facts,
        networks=networks,
        posterior=Layers(upper_latent_dims, upper_hidden) if upper_latent_dims else options,
        prior=PRIORS["layers" if upper_latent_dims else "standard"](),
        likelihood=look_up(LIKELIHOODS, "likelihood", likelihood or preset.likelihood)(),
    )


def preset_channels(preset: Preset, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a row's channels for examples of a shape."""
    return channels_for(shape) if preset.channels is None else preset.channels

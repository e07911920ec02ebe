"""Models of the presets for one's own code: a row of the table, built for examples of a shape."""

from __future__ import annotations

from jax.typing import DTypeLike

from jaxvae.data.spaces import Pixels
from jaxvae.errors import InputError
from jaxvae.model import VAE
from jaxvae.nets.network import floating
from jaxvae.options.given import given
from jaxvae.options.presets import PRESETS as PRESETS


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
    for what, widths in {"shape": shape, "hidden": hidden or (), "channels": channels or ()}.items():
        if not all(width > 0 for width in widths):
            raise InputError(f"{what}: must be positive numbers, got {widths}")
    layers = {"upper_latent_dims": upper_latent_dims, "upper_hidden": upper_hidden} if upper_latent_dims else {}
    names = {"hidden": hidden, "channels": channels, "activation": activation, **layers}
    recipe = given(preset=name, latent_dim=latent_dim, posterior=posterior, likelihood=likelihood, **names)
    return recipe.build(Pixels(shape, "ink"), dtype=floating(dtype))

"""Features of images, scaled so that their squared distance is one of pixels."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp

from jaxvae.features.layers import FeatureNetwork, layers
from jaxvae.types import Array, Params

PIXELS = "pixels"
"""Name of the image itself among the layers."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Compared:
    r"""Function from images to their values in some layers, side by side.

        |phi(x) - phi(y)|^2 = weight D sum_l mean_i ( phi_li(x) - phi_li(y) )^2

    with D the number of pixel values: each layer counts as much as all pixels do, however many values it has.
    """

    params: Params
    network: FeatureNetwork = dataclasses.field(metadata={"static": True})
    layers: tuple[str, ...] = dataclasses.field(metadata={"static": True})
    """Names of layers; `pixels` is the image itself."""
    weight: float = dataclasses.field(default=1.0, metadata={"static": True})

    def __call__(self, images: Array) -> Array:
        """Map `[B, H, W, C]` to `[B, F]`."""
        wanted = [name for name in self.layers if name != PIXELS]
        found = layers(self.network, self.params, images, wanted) if wanted else {}
        found[PIXELS] = images
        size = math.prod(images.shape[1:])
        rows = [found[name].reshape(len(images), -1) for name in self.layers]
        return jnp.concatenate([row * (self.weight * size / row.shape[1]) ** 0.5 for row in rows], axis=-1)

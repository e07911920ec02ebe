"""Networks that are left open until the data are known."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxvae.errors import InputError
from jaxvae.nets import MLP, Conv, TokenMLP
from jaxvae.types import Space

SMALLEST = 16
"""Least length of the shorter side, in pixels, for which images get convolutions."""


@dataclasses.dataclass(frozen=True)
class Auto:
    """Convolutions for images of your own of at least 16x16 pixels, windows for tokens, else dense layers."""

    hidden: tuple[int, ...] | None = None
    """Widths of the dense hidden layers, from the data inwards; those of mlp or conv if not given."""
    channels: tuple[int, ...] | None = None
    """Channels of the convolutions, from the image inwards; by the image's size if not given."""
    activation: str | None = None
    """Activation between the layers; that of mlp or conv if not given."""

    def settled(self, space: Space, *, own: bool) -> Any:
        """Return the options of the networks for examples of a space, of your own or of a named set."""
        tokens, shape = space.kind == "tokens", space.shape
        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        if not tokens and own and len(shape) == 3 and min(shape[:2]) >= SMALLEST:
            return Conv(**given).settled(space, own=own)
        if given.pop("channels", ()):
            raise InputError("channels: belongs to --networks conv; give --preset conv_vae, or leave it out")
        return (TokenMLP if tokens else MLP)(**given)

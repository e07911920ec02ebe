"""Facts that data and earlier choices tell the options of later pieces."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from flax import linen as nn

from jaxvae.types import Array, Space


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts known before a piece is built; the later ones are filled in while a model is assembled."""

    space: Space
    """Space of an example."""
    latent_dim: int
    """Number D of latent dimensions."""
    condition_space: Space | None = None
    """Space of a condition, or None without one."""
    num_examples: int | None = None
    """Number of training examples."""
    dtype: np.dtype | None = None
    """Floating-point type of the hidden layers, float32 if None."""
    activation: Callable[[Array], Array] = nn.relu
    """Activation between the layers of the networks."""
    encoder: Any = None
    """Encoder, once it is built."""
    posterior: Any = None
    """Posterior, once it is built."""
    latent: Any = None
    """Shape of a value of the posterior for one example, a pytree of `jax.ShapeDtypeStruct`, once they are built."""

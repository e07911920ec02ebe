"""Display: the decoder and the examples of a page, as pictures or as sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.types import Distribution


class Nouns(NamedTuple):
    """Words of the page for what it shows."""

    decoded: str
    """Decoded example."""
    example: str
    """Example of the data set."""
    examples: str


class Display(NamedTuple):
    """Display of one kind of examples."""

    kind: str
    """Name of the page's program that shows them."""
    nouns: Nouns
    fields: dict[str, Any]
    """Further contents of the page."""
    layers: Sequence[Any]
    """Layers of the decoder, each a named tuple."""
    examples: Callable[[np.ndarray], dict[str, np.ndarray]]
    """Function of indices `[M]` that returns the page's arrays of these examples."""
    looks_equal: Callable[[Distribution, Distribution], jax.Array]
    """Function of two p(x|z) that tells if they look equal in the page."""
    measures: Mapping[str, np.ndarray]
    """`[N]` values of further attributes by name, NaN where an example has none."""
    most: int
    """Maximum number of examples."""

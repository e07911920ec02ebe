"""Categories: one class of several, the usual condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.spaces.shown import Lines
from jaxvae.errors import InputError
from jaxvae.types import Array, Key


@dataclasses.dataclass(frozen=True)
class Categories:
    """Class numbers, stored as integers and read as one-hot vectors `[size]`; -1, unknown, is all zeros."""

    size: int

    kind = "categories"
    likelihood = "categorical"
    corruptions = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a one-hot vector, `(size,)`."""
        return (self.size,)

    def check(self, rows: Rows, what: str) -> None:
        """Refuse numbers of no class."""
        for block in blocks(rows):
            if block.min() < -1 or block.max() >= self.size:
                found = f"{what} holds classes from {block.min()} to {block.max()}"
                raise InputError(f"{found}; number them 0 to {self.size - 1}, and -1 where unknown")

    def read(self, keys: Key | None, stored: Any) -> Array:
        """Return `[B, size]` one-hot vectors."""
        return jax.nn.one_hot(stored, self.size)

    def zeros(self, num: int) -> Array:
        """Return `[num, size]` vectors of unknown classes."""
        return jnp.zeros((num, self.size))

    def project(self, x: Array) -> Array:
        """Return the nearest probabilities, by clipping."""
        return jnp.clip(x, 0, 1)

    def corrupt(self, key: Key, x: Array, corruption: Callable[..., Array], level: Any) -> Array:
        """Leave a class as it is."""
        return x

    def show(self, x: Any, facts: Mapping[str, Any]) -> Lines:
        """Present the names of the classes."""
        names = facts.get("classes", ())
        numbers = np.where(np.any(x, axis=-1), np.argmax(x, axis=-1), -1)
        return Lines(tuple(names[number] if 0 <= number < len(names) else str(number) for number in numbers))

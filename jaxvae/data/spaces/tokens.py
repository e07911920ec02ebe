"""Tokens: words, characters or events by their numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae.data.rows import Rows, blocks
from jaxvae.data.sequences import PITCHES
from jaxvae.data.spaces.shown import Lines, Rolls
from jaxvae.data.units import WORDS, division
from jaxvae.errors import InputError
from jaxvae.music.events import notes
from jaxvae.types import Array, Key

PADDING, END, UNKNOWN = 0, 1, 2
"""Numbers of padding, of the end mark, and of every word that is not in the vocabulary."""
SPECIAL = ("<pad>", "<end>", "<unk>")
"""Names of these numbers."""


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Rows `[T]` of int32 tokens that describe themselves: one end mark, and only padding behind it."""

    size: int
    """Number V of different tokens, padding and end mark included."""
    length: int
    """Number T of tokens in a row, the end mark included."""
    end: int = END
    padding: int = PADDING
    unknown: int = UNKNOWN
    digest: str = ""
    """Digest of the vocabulary."""

    kind = "tokens"
    likelihood = "tokens"
    corruptions = ("masking",)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a row, `(T,)`."""
        return (self.length,)

    def check(self, rows: Rows, what: str) -> None:
        """Refuse tokens out of range, and rows without one end mark and padding behind it."""
        for block in blocks(rows):
            if block.min() < 0 or block.max() >= self.size:
                found = f"{what} holds tokens from {block.min()} to {block.max()}"
                raise InputError(f"{found}; a vocabulary of {self.size} has 0 to {self.size - 1}")
            ended = np.cumsum(block == self.end, axis=1)
            if (wrong := ended[:, -1] != 1).any():
                row = int(wrong.argmax())
                remedy = f"end every row with one {self.end}, and fill it with {self.padding}"
                raise InputError(f"{what} has {ended[row, -1]} end marks in row {row}; {remedy}")
            behind = np.pad(ended, ((0, 0), (1, 0)))[:, :-1] > 0
            if (wrong := ((block == self.padding) != behind).any(axis=1)).any():
                found = f"padding ({self.padding}) before the end mark, or other tokens behind it"
                remedy = f"number words from {self.unknown + 1} on"
                raise InputError(f"{what} has {found}, in row {int(wrong.argmax())}; {remedy}")

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Convert to int32."""
        return stored.astype(np.int32)

    def zeros(self, num: int) -> Array:
        """Return `[num, T]` of padding."""
        return jnp.full((num, self.length), self.padding, jnp.int32)

    def project(self, x: Array) -> Array:
        """Refuse: there is nothing between two words."""
        raise InputError("x: tokens have no values in between; use a prior without learned inputs")

    def corrupt(self, key: Key, x: Array, corruption: Callable[..., Array], level: Any) -> Array:
        """Replace words that the corruption sets to 0 by unknown ones (word dropout, Bowman et al. 2016)."""
        dropped = corruption(key, jnp.ones(x.shape), level) == 0
        return jnp.where(dropped & (x != self.padding) & (x != self.end), self.unknown, x)

    def show(self, x: Any, facts: Mapping[str, Any]) -> Lines | Rolls:
        """Present melodies as piano rolls, and texts as lines of the units before the end mark.

        Without a vocabulary a line holds the numbers of the tokens.
        """
        if PITCHES in facts:
            melodies = tuple(notes(row, facts[PITCHES]) for row in np.asarray(x))
            return Rolls(melodies, self.length - 1, facts["steps_per_bar"])
        words = facts.get(WORDS)
        join = " ".join if words is None else division(facts).join

        def line(row: np.ndarray) -> str:
            ends = np.flatnonzero(row == self.end)
            numbers = row[: ends[0]] if len(ends) else row
            return join([words[number] if words else str(number) for number in numbers])

        return Lines(tuple(line(row) for row in np.asarray(x).astype(np.int64)))

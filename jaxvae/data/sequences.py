"""Options with which texts and melodies become rows of tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jaxvae.errors import InputError

if TYPE_CHECKING:
    from jaxvae.data.dataset import Dataset

Units = Literal["words", "characters", "bpe", "smiles"]
PITCHES = "pitches"
"""Name of the fact that melodies have: MIDI numbers of their tokens."""
_OF_MELODIES = ("bars", "transpose")
_FEWEST_UNITS = 300
"""Smallest size of a BPE vocabulary, which begins with 256 bytes."""


@dataclass(frozen=True)
class Sequences:
    """Texts and melodies as rows of tokens."""

    units: Units | None = None
    """Units of a text: words, characters, bpe (merged pairs of bytes) or smiles (atoms and bonds); smiles if not given
    for a column SMILES, else words."""
    vocabulary_size: int | None = None
    """Number of units of --units bpe; 4000 if not given."""
    max_length: int | None = None
    """Largest number of units of a line of text; longer lines are left out, and counted."""
    bars: int | None = None
    """Number of bars of a melody; 2 if not given."""
    transpose: int | None = None
    """Most semitones by which copies of the training melodies are moved; copies are made of 1 to this, up and down."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set.

        Raises:
            InputError: an option is invalid.
        """
        least = {"vocabulary_size": _FEWEST_UNITS, "max_length": 1, "bars": 1, "transpose": 0}
        for name, limit in least.items():
            if (value := getattr(self, name)) is not None and value < limit:
                raise InputError(f"{name.replace('_', '-')}: must be at least {limit}, got {value}")
        if self.vocabulary_size is not None and self.units != "bpe":
            raise InputError("vocabulary-size: is for --units bpe; give that, or leave it out")

    def refuse_unused(self, data: Dataset) -> None:
        """Refuse options for another kind of data.

        Raises:
            InputError: an option is given that the data do not use.
        """
        melodies, texts = PITCHES in data.facts, "units" in data.facts
        for name in self.given():
            if not (melodies if name in _OF_MELODIES else texts):
                kind = "melodies" if name in _OF_MELODIES else "text"
                raise InputError(f"{name.replace('_', '-')}: {data.name} holds no {kind}; leave it out")

    def refuse_all(self, name: str) -> None:
        """Refuse every option, for a set that is always the same.

        Raises:
            InputError: an option is given.
        """
        if given := [*self.given()]:
            raise InputError(f"{given[0].replace('_', '-')}: {name} is always the same; leave it out")

    def given(self) -> Iterator[str]:
        """Yield the names of the options that are not left at their defaults."""
        return (field.name for field in dataclasses.fields(self) if getattr(self, field.name) is not None)

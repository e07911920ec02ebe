"""Display of rows of tokens: lines of text, and melodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxvae.data.sequences import PITCHES
from jaxvae.data.spaces import Tokens
from jaxvae.data.units import SMILES, UNITS, WORDS
from jaxvae.distributions.sampling import point
from jaxvae.explorer.choices import Choices
from jaxvae.explorer.display import Display, Nouns
from jaxvae.explorer.layers import decoder_layers
from jaxvae.explorer.predictors import Greedy, predictor
from jaxvae.model import VAE
from jaxvae.music import notes
from jaxvae.music.attributes import measured
from jaxvae.types import Distribution, Params

MOST_TOKENS = 250_000
"""Maximum number of tokens of all rows in the page."""


def sequences(
    model: VAE, params: Params, rows: np.ndarray, space: Tokens, facts: Mapping[str, Any], choices: Choices | None
) -> Display:
    """Show rows `[N, T]` of tokens as melodies where the facts name their pitches, else as lines of text.

    Raises:
        InputError: the page cannot decode with this model.
    """
    layers = decoder_layers(model, params, choices and choices.vectors)
    greedy = Greedy(predictor(model, params), space.length, space.end, space.padding)
    is_music = PITCHES in facts
    kind, nouns, fields = _melodies(facts) if is_music else _texts(space, facts)
    return Display(
        kind=kind,
        nouns=nouns,
        fields={**fields, "end": space.end},
        layers=[*layers, greedy],
        examples=lambda ids: {"rows": rows[ids].astype(np.int32)},
        looks_equal=looks_equal,
        measures=_measures(rows, facts[PITCHES]) if is_music else {},
        most=max(MOST_TOKENS // space.length, 2),
    )


def looks_equal(one: Distribution, other: Distribution) -> jax.Array:
    """Return True where the rows of the likeliest tokens are the same."""
    return (point(one) == point(other)).all()


def _melodies(facts: Mapping[str, Any]) -> tuple[str, Nouns, dict[str, Any]]:
    fields = {"pitches": list(facts[PITCHES]), "steps_per_bar": facts["steps_per_bar"]}
    return "melodies", Nouns("melody", "melody", "melodies"), fields


def _measures(rows: np.ndarray, pitches: Sequence[int]) -> dict[str, np.ndarray]:
    """Return the attributes of melodies, such as the density of their notes."""
    return measured([notes(row, pitches) for row in rows], rows.shape[1] - 1)


def _texts(space: Tokens, facts: Mapping[str, Any]) -> tuple[str, Nouns, dict[str, Any]]:
    """Return the vocabulary, or the tokens' numbers where there is none."""
    words = facts.get(WORDS) or map(str, range(space.size))
    units = facts.get(UNITS, WORDS)
    one, many = ("molecule", "molecules") if units == SMILES else ("sentence", "sentences")
    return "texts", Nouns(one, one, many), {WORDS: list(words), UNITS: units}

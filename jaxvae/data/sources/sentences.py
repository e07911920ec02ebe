"""Lines of text as rows of the numbers of their units, with the vocabulary of the training split."""

from __future__ import annotations

import collections
import itertools
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from jaxvae.data.dataset import Split
from jaxvae.data.memory import check_fits
from jaxvae.data.partition import SPLITS, TEST, TRAIN, Whole, tenths
from jaxvae.data.preparation import Preparation, refuse_sizes
from jaxvae.data.sequences import Units
from jaxvae.data.sources.arrays import digest
from jaxvae.data.sources.columns import is_number
from jaxvae.data.spaces import Tokens
from jaxvae.data.spaces.tokens import SPECIAL, UNKNOWN
from jaxvae.data.units import MERGES, PAIRS, UNITS, WORDS, division, learn_pairs
from jaxvae.errors import InputError

logger = logging.getLogger(__name__)

MOST_UNITS = 1024
"""Largest number of units in a line where no maximum length is given; every row is as long as the longest."""
_PAIRS = 4000
"""Number of units of byte-pair encoding."""
_NAMES = ("train", "validation", "test")
"""Names of the splits in facts and messages."""
Sentence: TypeAlias = list[str]


def whole_set(
    what: str, lines: Sequence[str], parts: np.ndarray | None, preparation: Preparation, units: Units = "words"
) -> Whole:
    """Make a data set of lines.

    The vocabulary holds the units that occur often enough in training, `Division.least`, or all where the text has
    `<unk>` in place of rare ones. Lines above the maximum length are left out: their part number is -1.

    Args:
        what: name of the text in messages.
        lines: sentences, none of them blank.
        parts: `[N]` part numbers; None divides the text 80/10/10.
        preparation: units and maximum length; sizes, which a text has none of.
        units: units where none are asked for.

    Raises:
        InputError: a unit is a mark, or a line is too long.
    """
    refuse_sizes(preparation, what)
    options = preparation.sequences
    parts = tenths(what, len(lines)) if parts is None else parts
    facts = _units(options.units or units, [*itertools.compress(lines, parts == TRAIN)], options.vocabulary_size)
    divide = division(facts)
    sentences = [*map(divide.split, lines)]
    parts = _without_long(what, sentences, parts, options.max_length, divide.noun)
    if WORDS not in facts:
        facts[WORDS] = _vocabulary(what, itertools.compress(sentences, parts == TRAIN), divide.least)
    length = 1 + max(map(len, itertools.compress(sentences, parts >= 0)))
    check_fits(f"{what}: {len(lines)} rows of {length} {divide.noun}", 4 * len(lines) * length, "give --max-length")
    space = Tokens(len(facts[WORDS]), length, digest=_digest(facts))
    rows = token_rows([s if part >= 0 else [] for s, part in zip(sentences, parts)], facts[WORDS], space)
    facts["unknown_words"] = unknown = _unknown(rows, parts)
    facts["lost_words"] = {
        name: lost_words(itertools.compress(sentences, parts == SPLITS[name]), facts[WORDS]) for name in unknown
    }
    logger.info(
        "vocabulary: %d %s; %.2f %% of those in test are unknown", space.size, divide.noun, 100 * unknown["test"]
    )
    return Whole(Split(rows), parts, space, facts=facts)


def _units(units: Units, training: Sequence[str], size: int | None) -> dict[str, Any]:
    """Return the units and, where they are learned, vocabulary and merges."""
    if units != PAIRS:
        return {UNITS: units}
    words, merges = learn_pairs(training, size or _PAIRS, SPECIAL)
    return {UNITS: units, WORDS: words, MERGES: merges}


def _without_long(
    what: str, sentences: Sequence[Sentence], parts: np.ndarray, most: int | None, noun: str
) -> np.ndarray:
    """Return part numbers with -1 for sentences that are too long; refuse these where no length is asked for."""
    lengths = np.array([*map(len, sentences)])
    if most is None:
        longest = int(lengths.argmax())
        if lengths[longest] > MOST_UNITS:
            found = f"{what}: a line has {lengths[longest]} {noun}, {sentences[longest][:4]}..."
            raise InputError(f"{found}; give one sentence a line, or --max-length, which leaves longer ones out")
        return parts
    splits = {name: parts == SPLITS[name] for name in _NAMES if SPLITS[name] in parts}
    shown = ", ".join(f"{(lengths[here] > most).sum()} of {here.sum()} {name}" for name, here in splits.items())
    kept = np.where(lengths > most, -1, parts)
    if not {TRAIN, TEST} <= {*kept.tolist()}:
        raise InputError(f"max-length: {shown} lines of {what} have more than {most} {noun}; give more")
    logger.warning("max-length: left out for more than %d %s: %s", most, noun, shown)
    return kept


def _vocabulary(what: str, sentences: Iterable[Sentence], least: int) -> list[str]:
    counts = collections.Counter(itertools.chain.from_iterable(sentences))
    check_marks(what, counts)
    least = 1 if SPECIAL[UNKNOWN] in counts else least
    frequent = sorted((-count, word) for word, count in counts.items() if count >= least and word not in SPECIAL)
    return [*SPECIAL, *(word for _, word in frequent)]


def _digest(facts: Mapping[str, Any]) -> str:
    """Return the digest of the vocabulary; that of words, which is older than other units, does not name them."""
    return digest({WORDS: facts[WORDS]} if facts[UNITS] == WORDS else facts)


def _unknown(rows: np.ndarray, parts: np.ndarray) -> dict[str, float]:
    """Return the share of unknown units in each split."""
    shares = {}
    for name in _NAMES:
        split = rows[parts == SPLITS[name]]
        if len(split):
            shares[name] = float((split == UNKNOWN).sum() / (split > 1).sum())
    return shares


def lost_words(sentences: Iterable[Sentence], words: Sequence[str]) -> int:
    """Return the number of units that the vocabulary lacks; a `<unk>` that is written in the text is not lost.

    >>> lost_words([["a", "<unk>", "bird"]], ["<pad>", "<end>", "<unk>", "a"])
    1
    """
    known = {*words}
    return sum(word not in known for sentence in sentences for word in sentence)


def are_numbers(lines: Iterable[str]) -> bool:
    """Return True where every word is a number."""
    return all(is_number(word) for line in lines for word in line.split())


def token_rows(sentences: Sequence[Sentence], words: Sequence[str], space: Tokens) -> np.ndarray:
    """Return `[N, T]` numbers of the units, unknown ones where the vocabulary lacks them; none may be too long."""
    numbers = {word: number for number, word in enumerate(words)}
    rows = np.full((len(sentences), space.length), space.padding, np.int32)
    for row, sentence in zip(rows, sentences):
        row[: len(sentence) + 1] = [*(numbers.get(word, space.unknown) for word in sentence), space.end]
    return rows


def check_marks(what: str, words: Collection[str]) -> None:
    """Refuse units that mark padding and ends.

    Raises:
        InputError: there is one.
    """
    if taken := {*SPECIAL[:UNKNOWN]}.intersection(words):
        raise InputError(f"{what}: holds the word {taken.pop()!r}, which is a mark here; write it in another way")

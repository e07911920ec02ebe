"""Units of text: how a line is divided into them, and put together again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jaxvae.packages import needed_by

UNITS, MERGES = "units", "merges"
"""Names of facts: the units of a text, and the pairs that `bpe` merges, in their order."""
WORDS, PAIRS, SMILES = "words", "bpe", "smiles"
"""Names of units; those of words are another fact, their vocabulary."""
_ATOMS_AND_BONDS = re.compile(r"\[[^\]]*\]|Br|Cl|%\d\d|.", re.DOTALL)


class Division(NamedTuple):
    """Division of lines into units."""

    split: Callable[[str], list[str]]
    """Function of a line that returns its units."""
    join: Callable[[Sequence[str]], str]
    """Function of units that returns their line."""
    noun: str
    """Word for several units."""
    least: int
    """Occurrences in the training split of a unit of the vocabulary; from 2 on, training meets unknown ones too."""


DIVISIONS: Mapping[str, Division] = {
    WORDS: Division(str.split, " ".join, "words", 2),
    "characters": Division(lambda line: [*line.strip()], "".join, "characters", 2),
    SMILES: Division(lambda line: _ATOMS_AND_BONDS.findall(line.strip()), "".join, "atoms and bonds", 1),
}
"""Divisions that are not learned, by the names of their units."""


def division(facts: Mapping[str, Any]) -> Division:
    """Return the division of a text from its facts.

    >>> division({"units": "smiles"}).split("C[NH+]Cl")
    ['C', '[NH+]', 'Cl']
    """
    units = facts.get(UNITS, WORDS)
    return pairs(facts[WORDS], facts[MERGES]) if units == PAIRS else DIVISIONS[units]


def pairs(vocabulary: Sequence[str], merges: Sequence[str]) -> Division:
    """Return the division by byte-pair encoding (Sennrich et al. 2016) on bytes, in which nothing is unknown.

    Args:
        vocabulary: units by their numbers, marks first.
        merges: pairs of units, divided by a blank, in the order in which they are merged.
    """
    tokenizers = needed_by("units: bpe", "tokenizers", extra="text")
    numbers = {unit: number for number, unit in enumerate(vocabulary)}
    tokenizer = _on_bytes(tokenizers, numbers, [tuple(merge.split(" ")) for merge in merges])
    decoder = tokenizers.decoders.ByteLevel()
    return Division(
        split=lambda line: tokenizer.encode(line.strip()).tokens,
        join=lambda units: decoder.decode([*units]),
        noun="units of bpe",
        least=1,
    )


def learn_pairs(lines: Sequence[str], size: int, marks: Sequence[str]) -> tuple[list[str], list[str]]:
    """Learn a vocabulary of bytes and of merged pairs.

    Args:
        lines: lines of the training split.
        size: number of units, the marks and 256 bytes among them; fewer are learned from a short text.
        marks: first units, which are not made of bytes.

    Returns:
        The units by their numbers, and the merges.
    """
    tokenizers = needed_by("units: bpe", "tokenizers", extra="text")
    tokenizer = _on_bytes(tokenizers, {}, [])
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    options = {"special_tokens": [*marks], "initial_alphabet": alphabet, "show_progress": False}
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, **options)
    tokenizer.train_from_iterator((line.strip() for line in lines), trainer)
    numbers = tokenizer.get_vocab()
    return sorted(numbers, key=numbers.__getitem__), _merges(tokenizer)


def _on_bytes(tokenizers: Any, numbers: Mapping[str, int], merges: Sequence[tuple[str, ...]]) -> Any:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(dict(numbers), [*merges]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _merges(tokenizer: Any) -> list[str]:
    """Return the merged pairs, which the package tells only in its file."""
    import json

    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [pair if isinstance(pair, str) else " ".join(pair) for pair in merges]

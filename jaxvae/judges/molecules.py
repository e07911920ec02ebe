"""Judges of molecules as SMILES strings, by RDKit (extra `molecules`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from jaxvae.errors import InputError
from jaxvae.packages import needed_by

_INVALID = float("nan")


def canonical(strings: Sequence[str]) -> list[str | None]:
    """Return the canonical string of each molecule, None for a string that is none; RDKit judges the valences too."""
    chem = needed_by("molecules", "rdkit.Chem", extra="molecules")
    return [None if molecule is None else chem.MolToSmiles(molecule) for molecule in _molecules(strings)]


def validity(strings: Sequence[str]) -> float:
    """Return the share of strings that are molecules.

    >>> validity(["CCO", "C1CC", "C(C)(C)(C)(C)C"])
    0.3333333333333333
    """
    return float(np.mean([one is not None for one in canonical(_some(strings))]))


def uniqueness(strings: Sequence[str], k: int | None = None) -> float:
    """Return the share of different molecules among the first k valid ones, as MOSES's unique@k.

    Args:
        strings: sampled strings.
        k: number of valid molecules that are looked at; all if not given.

    Raises:
        InputError: none is valid, or fewer than k are.
    """
    valid = _valid(strings)
    if k is not None and len(valid) < k:
        raise InputError(f"strings: {len(valid)} of {len(strings)} are valid, fewer than {k}; sample more")
    return len({*valid[:k]}) / len(valid[:k])


def novelty(strings: Sequence[str], training: Collection[str]) -> float:
    """Return the share of different valid molecules that are not among the training ones.

    Args:
        strings: sampled strings.
        training: canonical strings, as MOSES's are and as `canonical` returns them.

    Raises:
        InputError: none is valid.
    """
    different = {*_valid(strings)}
    return len(different.difference(training)) / len(different)


def exact(strings: Sequence[str], reconstructed: Sequence[str]) -> float:
    """Return the share of strings that come back letter for letter.

    Raises:
        InputError: their numbers differ.
    """
    if len(strings) != len(reconstructed):
        raise InputError(f"reconstructed: {len(reconstructed)} strings for {len(strings)}; give one for each")
    return float(np.mean([one == other for one, other in zip(_some(strings), reconstructed)]))


def log_p(strings: Sequence[str]) -> np.ndarray:
    """Return `[N]` logarithms of the octanol-water partition coefficient by Crippen's method; NaN where invalid."""
    crippen = needed_by("molecules", "rdkit.Chem.Crippen", extra="molecules")
    return np.array([_INVALID if one is None else crippen.MolLogP(one) for one in _molecules(strings)])


def _molecules(strings: Sequence[str]) -> list[Any]:
    """Read the strings, without RDKit's messages on invalid ones; an empty string is no molecule."""
    chem = needed_by("molecules", "rdkit.Chem", extra="molecules")
    log = needed_by("molecules", "rdkit.RDLogger", extra="molecules")
    log.DisableLog("rdApp.*")
    try:
        return [chem.MolFromSmiles(string) if string else None for string in strings]
    finally:
        log.EnableLog("rdApp.*")


def _valid(strings: Sequence[str]) -> list[str]:
    if not (valid := [one for one in canonical(strings) if one is not None]):
        raise InputError(f"strings: none of {len(strings)} is a molecule; train longer")
    return valid


def _some(strings: Sequence[str]) -> Sequence[str]:
    if not len(strings):
        raise InputError("strings: there are none; give at least 1")
    return strings

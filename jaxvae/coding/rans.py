"""Stack of range asymmetric numeral systems (rANS): symbols are pushed as intervals of integers and popped in reverse.

A symbol of mass f among 2^r, whose interval begins at c, changes a head x to

    x' = floor(x / f) 2^r + x mod f + c

so that log2 x grows by r - log2 f bits. Heads lie in [2^31, 2^63): one that would leave hands 32 bits to the stack of
words, or takes them from it. Several lanes, each with a head, share that stack, and are computed together.

Reference: Duda 2009, https://arxiv.org/abs/0902.0271; lanes: Giesen 2014, https://arxiv.org/abs/1402.3392.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

WORD, LEAST, MOST = np.uint64(32), np.uint64(1 << 31), 63
"""Bits of a word, least head, and bits of the largest head."""
MAX_PRECISION = 28
"""Largest number of bits of a mass: fewer would be left to the head than a rounded quotient needs."""
_LOW = np.uint64(0xFFFFFFFF)


class Message:
    """Stack of symbols: heads `[L]`, words below them, and what a function `supply` gives where these have an end.

    An event of fewer than L lanes uses the first ones. Bits-back coding pops before anything was pushed, so a new
    message has bits that look random, and are the same always: in its heads, and in words that it lends.
    """

    def __init__(self, lanes: int, supply: Callable[[int], np.ndarray] | None = None) -> None:
        self.heads = first_heads(lanes)
        self.lent = 0
        """Number of words that were lent, because the stack was empty."""
        self._supply = self._lend if supply is None else supply
        self._words, self._size = np.empty(1024, np.uint32), 0

    def __len__(self) -> int:
        """Return the number of words, without the heads."""
        return self._size

    @property
    def words(self) -> np.ndarray:
        """Words, the deepest first."""
        return self._words[: self._size]

    @property
    def bits(self) -> float:
        """Information in bits: 32 for a word, and log2 x for a head."""
        return 32.0 * self._size + float(np.log2(self.heads.astype(np.float64)).sum())

    def push(self, start: np.ndarray, mass: np.ndarray, precision: int) -> None:
        """Push one symbol in each of the first lanes: intervals `[start, start + mass)` of `2**precision`, uint64."""
        heads = self.heads[: len(mass)]
        full = heads >= mass << np.uint64(MOST - precision)
        if full.any():
            self.append((heads[full] & _LOW).astype(np.uint32))
            heads = np.where(full, heads >> WORD, heads)
        quotient = heads // mass
        self.heads[: len(mass)] = (quotient << np.uint64(precision)) + (heads - quotient * mass) + start

    def peek(self, num: int, precision: int) -> np.ndarray:
        """Return `[num]` integers below `2**precision`, each in the interval of the symbol on top of its lane."""
        return self.heads[:num] & np.uint64((1 << precision) - 1)

    def drop(self, start: np.ndarray, mass: np.ndarray, precision: int) -> None:
        """Pop the symbols that `push` put there, whose intervals hold what `peek` returned."""
        heads = self.heads[: len(mass)]
        heads = mass * (heads >> np.uint64(precision)) + (self.peek(len(mass), precision) - start)
        short = heads < LEAST
        if num := int(np.count_nonzero(short)):
            heads[short] = heads[short] << WORD | self.take(num)
        self.heads[: len(mass)] = heads

    def append(self, words: np.ndarray) -> None:
        """Put words on the stack."""
        size = self._size + len(words)
        if size > len(self._words):
            self._words = np.concatenate([self.words, np.empty(max(size, len(self._words)), np.uint32)])
        self._words[self._size : size] = words
        self._size = size

    def take(self, num: int) -> np.ndarray:
        """Take words from the stack, those on top last, as uint64."""
        here = min(num, self._size)
        self._size -= here
        words = self._words[self._size : self._size + here].astype(np.uint64)
        return words if here == num else np.concatenate([self._supply(num - here).astype(np.uint64), words])

    def _lend(self, num: int) -> np.ndarray:
        self.lent += num
        return lent_words(self.lent)[:num]


def lent_words(num: int) -> np.ndarray:
    """Return the first `num` words of the seeded supply as they lie on the stack, the first on top."""
    return (_mixed(np.arange(num, 0, -1, dtype=np.uint64)) & _LOW).astype(np.uint32)


def first_heads(lanes: int) -> np.ndarray:
    """Return the heads of an empty message, from 2^31 to 2^32."""
    return LEAST | _mixed(np.arange(lanes, dtype=np.uint64) << WORD) >> np.uint64(33)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Return the bits of splitmix64 (Steele, Lea & Flood 2014, https://doi.org/10.1145/2714064.2660195)."""
    x = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ x >> np.uint64(shift)) * np.uint64(factor)
    return x ^ x >> np.uint64(31)

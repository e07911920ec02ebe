"""Whole numbers without an end: a symbol for each small one, and Elias's gamma code of what a larger one exceeds."""

from __future__ import annotations

import numpy as np

from jaxvae.coding.codecs import Codec, independent
from jaxvae.coding.intervals import Uniform, Where
from jaxvae.coding.rans import Message

LENGTHS = 5
"""Bits of a length, which may be 31."""


def gamma(num: int, lanes: int) -> Codec:
    """Return the codec of `[num]` integers from 0 to 2^31 - 2: 5 bits for the length of n + 1, and its bits.

    Reference: Elias 1975, https://doi.org/10.1109/TIT.1975.1055349, with a fixed code for the length.
    """
    lanes = min(lanes, num)
    rows = -(-num // lanes)
    there = (np.arange(rows * lanes) < num).reshape(rows, lanes)
    lengths = independent(Where(Uniform((rows, lanes), LENGTHS), there))

    def bits(length: np.ndarray) -> Codec:
        planes = np.arange(1 << LENGTHS)[::-1, None, None] < length
        return independent(Where(Uniform((planes.shape[0] * rows, lanes), 1), planes.reshape(-1, lanes)))

    def push(message: Message, values: np.ndarray) -> None:
        more = np.zeros(rows * lanes, np.int64)
        more[:num] = values + 1
        more = np.maximum(more.reshape(rows, lanes), 1)
        length = np.floor(np.log2(more)).astype(np.int64)
        planes = more >> np.arange(1 << LENGTHS)[::-1, None, None] & 1
        bits(length).push(message, planes.reshape(-1, lanes))
        lengths.push(message, length)

    def pop(message: Message) -> np.ndarray:
        length = lengths.pop(message)
        planes = bits(length).pop(message).reshape(-1, rows, lanes)
        below = (planes << np.arange(1 << LENGTHS)[::-1, None, None]).sum(0)
        return ((1 << length) + below - 1).reshape(-1)[:num]

    return Codec(push, pop)


def with_excess(codec: Codec, num: int) -> Codec:
    """Return the codec of counts `[D, L]` by one of symbols 0 to `num`, the last of which means `num` or more."""

    def push(message: Message, counts: np.ndarray) -> None:
        symbols = np.minimum(counts, num)
        if (larger := symbols == num).any():
            gamma(int(larger.sum()), counts.shape[1]).push(message, counts[larger] - num)
        codec.push(message, symbols)

    def pop(message: Message) -> np.ndarray:
        counts = codec.pop(message)
        if (larger := counts == num).any():
            counts[larger] += gamma(int(larger.sum()), counts.shape[1]).pop(message)
        return counts

    return Codec(push, pop)

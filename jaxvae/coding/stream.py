"""Examples as a message and back: in which order they are pushed, and how a message is cut into blocks.

A message is a stack, so the last examples are pushed first. Bits-back coding pops latent variables
before it has pushed anything: the first steps take few examples, so that a few bits are lent and not those of all
lanes.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.coding.codecs import Codec
from jaxvae.coding.container import Block
from jaxvae.coding.rans import Message, first_heads, lent_words

EXAMPLES_PER_LANE, MOST_LANES = 64, 256
"""Least number of examples whose bits pay for a lane, and largest number of lanes."""
EXAMPLES_PER_BLOCK = 1024
"""Least number of examples in a block."""
Codecs = Callable[[int], Codec]
"""Function from the number of examples to their codec."""


class Coded(NamedTuple):
    """Examples as words."""

    parts: list[np.ndarray]
    """Words of each block in the order in which they are popped."""
    blocks: list[Block]
    bits: float
    """Net length: the information that the examples added to the message."""
    lent_bits: float
    """Information that the message had at the beginning."""


class DifferentNumbersError(ValueError):
    """Decoded examples that are not those that were coded."""


def num_lanes(num: int) -> int:
    """Return the number of lanes for a number of examples: a power of 2 that their bits can pay for.

    >>> num_lanes(1), num_lanes(10_000)
    (1, 128)
    """
    return min(1 << max((num // EXAMPLES_PER_LANE).bit_length() - 1, 0), MOST_LANES)


def steps(num: int, lanes: int) -> list[slice]:
    """Return the examples of each step in their order; from the end on, the steps grow to the number of lanes.

    >>> [step.stop - step.start for step in steps(20, 4)]
    [3, 4, 4, 3, 2, 1, 1, 1, 1]
    """
    found, done = [], 0
    while done < num:
        size = min(lanes, max(1, done // 2), num - done)
        found.append(slice(num - done - size, num - done))
        done += size
    return found[::-1]


def in_blocks(num: int, lanes: int) -> list[list[slice]]:
    """Return the steps of each block."""
    blocks: list[list[slice]] = [[]]
    for step in steps(num, lanes):
        if blocks[-1] and step.start - blocks[-1][0].start >= EXAMPLES_PER_BLOCK:
            blocks.append([])
        blocks[-1].append(step)
    return blocks if num else []


def encode(codecs: Codecs, x: Any, stored: Any, lanes: int, progress: Callable[..., Iterable[Any]] = iter) -> Coded:
    """Push examples.

    Args:
        codecs: function from the number of examples to their codec.
        x: `[N, ...]` examples, an array or a dict of arrays.
        stored: the same in the form whose checksums are kept.
        lanes: number of lanes.
        progress: wrapper of the loop over blocks.
    """
    message, num = Message(lanes), len(jax.tree.leaves(x)[0])
    start, blocks = message.bits, in_blocks(num, lanes)
    sizes: list[int] = []
    for steps_ in progress(blocks[::-1]):
        for step in steps_[::-1]:
            codecs(step.stop - step.start).push(message, _rows(x, step))
        sizes.append(len(message))
    lent = 32.0 * message.lent
    bits = message.bits - start - lent
    message.append(np.ascontiguousarray(message.heads[::-1]).view(np.uint32))
    if sizes:
        sizes[-1] = len(message)
    # A block may take words of those pushed before it, and then has none of its own that stay.
    ends = [0, *np.minimum.accumulate(sizes[::-1])[::-1].tolist()]
    words = message.words
    parts = [words[first:last][::-1] for first, last in itertools.pairwise(ends)][::-1]
    table = [
        Block(
            steps_[-1].stop - steps_[0].start,
            len(part),
            zlib.crc32(part.astype("<u4").tobytes()),
            checksum(_rows(stored, slice(steps_[0].start, steps_[-1].stop))),
        )
        for steps_, part in zip(blocks, parts)
    ]
    return Coded(parts, table, bits, start + lent)


def decode(codecs: Codecs, words: Iterator[np.ndarray], blocks: Sequence[Block], lanes: int) -> Iterator[list[Any]]:
    """Yield the examples of each step of a block, and then those of the next block.

    Args:
        codecs: function from the number of examples to their codec.
        words: words of each block, read when they are needed.
        blocks: table of blocks.
        lanes: number of lanes.

    Raises:
        DifferentNumbersError: there is an end of the words before that of the examples, or words are left.
    """
    num = sum(block.examples for block in blocks)
    message = Message(lanes, _from(words))
    if num:
        message.heads = message.take(2 * lanes).astype(np.uint32).view(np.uint64)[::-1].copy()
    for steps_ in in_blocks(num, lanes):
        yield [codecs(step.stop - step.start).pop(message) for step in steps_]
    is_read = next(words, None) is None
    as_new = np.array_equal(message.words, lent_words(len(message))) and np.array_equal(
        message.heads, first_heads(lanes)
    )
    if not (is_read and as_new):
        raise DifferentNumbersError


def checksum(stored: Any) -> int:
    """Return the CRC-32 of examples in the form in which they are stored."""
    value = 0
    for array in jax.tree.leaves(stored):
        value = zlib.crc32(np.ascontiguousarray(array).tobytes(), value)
    return value


def _rows(x: Any, step: slice) -> Any:
    return jax.tree.map(lambda array: array[step], x)


def _from(blocks: Iterator[np.ndarray]) -> Callable[[int], np.ndarray]:
    """Return the supply of words from blocks, whose first word lies on top."""
    left = np.empty(0, np.uint32)

    def supply(num: int) -> np.ndarray:
        nonlocal left
        while len(left) < num:
            more = next(blocks, None)
            if more is None:
                raise DifferentNumbersError
            left = np.concatenate([left, more])
        taken, left = left[:num][::-1], left[num:]
        return taken

    return supply

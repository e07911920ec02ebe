"""Codecs: pairs (push, pop) of functions on a message, each the other's inverse, that compose.

Arrays have positions first and lanes second, `[D, L]`: the positions of an event are coded one after another, and all
lanes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxvae.coding.intervals import Intervals
from jaxvae.coding.rans import Message


class Codec(NamedTuple):
    """Codec of one kind of value."""

    push: Callable[[Message, Any], None]
    """Function that puts a value on a message."""
    pop: Callable[[Message], Any]
    """Function that takes it from there."""


def independent(intervals: Intervals) -> Codec:
    """Return the codec of `[D, L]` symbols that are independent of one another."""

    def push(message: Message, symbols: np.ndarray) -> None:
        starts, masses = intervals.of(symbols)
        for start, mass in zip(starts[::-1], masses[::-1]):
            message.push(start, mass, intervals.precision)

    def pop(message: Message) -> np.ndarray:
        positions, lanes = intervals.shape
        symbols = np.empty((positions, lanes), np.int64)
        for position in range(positions):
            found, start, mass = intervals.find(position, message.peek(lanes, intervals.precision))
            symbols[position] = found
            message.drop(start, mass, intervals.precision)
        return symbols

    return Codec(push, pop)


def serial(codecs: Sequence[Codec]) -> Codec:
    """Return the codec of a list of values, the first of which is popped first."""

    def push(message: Message, values: Sequence[Any]) -> None:
        for codec, value in zip(reversed(codecs), reversed(values)):
            codec.push(message, value)

    def pop(message: Message) -> list[Any]:
        return [codec.pop(message) for codec in codecs]

    return Codec(push, pop)


def mapped(codec: Codec, symbols: Callable[[Any], Any], value: Callable[[Any], Any]) -> Codec:
    """Return the codec of values that two functions convert to those of another codec, and back."""

    def push(message: Message, given: Any) -> None:
        codec.push(message, symbols(given))

    def pop(message: Message) -> Any:
        return value(codec.pop(message))

    return Codec(push, pop)


def bits_back(prior: Codec, likelihood: Callable[[Any], Codec], posterior: Callable[[Any], Codec]) -> Codec:
    """Return the codec of x by a latent variable z, of expected length -ELBO / log 2 bits.

    To push x, z is popped by q(z|x), x is pushed by p(x|z) and z by p(z): the bits that chose z come back. Where the
    prior is itself such a codec, of layers above, this is Bit-Swap: a layer's bits are back before the next is popped.

    Reference: Townsend, Bird & Barber 2019, https://arxiv.org/abs/1901.04866, section 2.4; Kingma, Abbeel & Ho 2019,
    https://arxiv.org/abs/1905.06845, algorithm 2.
    """

    def push(message: Message, x: Any) -> None:
        z = posterior(x).pop(message)
        likelihood(z).push(message, x)
        prior.push(message, z)

    def pop(message: Message) -> Any:
        z = prior.pop(message)
        x = likelihood(z).pop(message)
        posterior(x).push(message, z)
        return x

    return Codec(push, pop)

"""Codecs of whole examples by p(x|z): images, counts, rows of tables and rows of tokens."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae.coding.codecs import Codec, independent, serial
from jaxvae.coding.counts import gamma
from jaxvae.coding.families import family
from jaxvae.coding.intervals import Binary, Table, Where
from jaxvae.coding.programs import compiled, pad, padded
from jaxvae.coding.rans import Message
from jaxvae.distributions import Columns, GivenTotal, Tokens
from jaxvae.types import Array, Params

Statistics = Mapping[str, Any]
"""Facts of the examples that a decoder needs: `most`, the largest value of each column; of a table also `missing`,
masses of missing values, and `points`, the values that each column of real numbers may have."""


class Decoding(NamedTuple):
    """Function that decodes, with what it needs."""

    decode: Callable[..., Any]
    """Function `(params, z) -> p(x|z)`."""
    params: Params
    width: int
    """Number of rows of every compiled program."""

    def program(self, arrays: Callable[..., Any]) -> Callable[..., Any]:
        """Return the program from values of z, and further rows, to arrays of p(x|z) and these rows."""
        return padded(lambda params, z, *rows: arrays(self.decode(params, z), *rows), self.params, self.width)


class Event(NamedTuple):
    """Codec of examples under a distribution."""

    codec: Callable[[np.ndarray], Codec]
    """Function from values `[L, D]` of z to the codec of examples `[L, ...]`."""
    nearest: Callable[[Any], Any]
    """Function from any examples to the nearest that are coded."""


@functools.singledispatch
def event(distribution: Any, decoding: Decoding, shape: tuple[int, ...], statistics: Statistics) -> Event:
    """Return the codec of examples.

    Args:
        distribution: p(x|z), whose leaves may be shapes.
        decoding: function that makes it.
        shape: shape of one example.
        statistics: what a decoder knows of the examples.

    Raises:
        InputError: there is none for this distribution.
    """
    chosen = family(distribution, int(np.max(statistics["most"])))
    program = decoding.program(lambda d: [_flat(array, len(shape)) for array in chosen.arrays(d)])

    def codec(z: np.ndarray) -> Codec:
        return _by_example(chosen.codec(*map(_positions_first, program(z))), shape)

    return Event(codec, chosen.nearest)


@event.register(GivenTotal)
def _given_total(distribution: Any, decoding: Decoding, shape: tuple[int, ...], statistics: Statistics) -> Event:
    """Code the total of each example first, in Elias's gamma code, because it is given and no part of the bound."""
    chosen = family(distribution.shares, int(np.max(statistics["most"])))
    program = decoding.program(lambda d, total: chosen.arrays(d.shares.of_total(total)))

    def codec(z: np.ndarray) -> Codec:
        totals = gamma(len(z), len(z))

        def counts(total: np.ndarray) -> Codec:
            return _by_example(chosen.codec(*map(_positions_first, program(z, total.astype(np.float32)))), shape)

        def push(message: Message, x: np.ndarray) -> None:
            total = x.astype(np.int64).sum(1)
            counts(total).push(message, x)
            totals.push(message, total)

        def pop(message: Message) -> np.ndarray:
            return counts(totals.pop(message)).pop(message)

        return Codec(push, pop)

    return Event(codec, chosen.nearest)


@event.register(Columns)
def _columns(distribution: Any, decoding: Decoding, shape: tuple[int, ...], statistics: Statistics) -> Event:
    """Code where values are known, by their share in each column, and then these values."""
    places = [list(columns) for columns in distribution.columns]
    most = np.array(statistics["most"])
    points = statistics["points"]
    families = [
        family(head, int(most[columns].max()), None if points[columns[0]] is None else [points[n] for n in columns])
        for head, columns in zip(distribution.heads, places)
    ]
    program = decoding.program(lambda d: [one.arrays(head) for one, head in zip(families, d.heads)])
    missing = np.array(statistics["missing"], np.uint64)

    def codec(z: np.ndarray) -> Codec:
        heads = [[*map(_positions_first, arrays)] for arrays in program(z)]
        observed = independent(Binary(np.broadcast_to(missing[:, None], (shape[0], len(z)))))

        def values(there: np.ndarray) -> Codec:
            columns = zip(families, heads, places)
            return serial([one.codec(*arrays, there=there[place]) for one, arrays, place in columns])

        def push(message: Message, row: Any) -> None:
            there = row["observed"].T
            values(there).push(message, [row["x"].T[place] for place in places])
            observed.push(message, there)

        def pop(message: Message) -> Any:
            there = observed.pop(message).astype(bool)
            x = np.zeros(there.shape, np.float32)
            for place, found in zip(places, values(there).pop(message)):
                x[place] = found
            return {"x": np.ascontiguousarray(np.where(there, x, 0).T), "observed": np.ascontiguousarray(there.T)}

        return Codec(push, pop)

    def nearest(row: Any) -> Any:
        x = row["x"].copy()
        for one, columns in zip(families, places):
            x[:, columns] = one.nearest(x[:, columns].T).T
        return {**row, "x": np.where(row["observed"], x, 0)}

    return Event(codec, nearest)


@event.register(Tokens)
def _tokens(distribution: Any, decoding: Decoding, shape: tuple[int, ...], statistics: Statistics) -> Event:
    """Code rows token by token up to the end mark, each given those before it."""
    del shape, statistics
    length, end, padding = distribution.length, distribution.end, distribution.padding

    def probabilities(d: Any, logits: Array) -> Array:
        return jax.nn.softmax(d.without_padding(logits))

    def start(params: Params, z: Array) -> Any:
        d = decoding.decode(params, z)
        state, logits = d.network(d.context, method="start")
        return state, probabilities(d, logits)

    def step(params: Params, z: Array, state: Any, token: Array) -> Any:
        d = decoding.decode(params, z)
        state, logits = d.network(state, token, d.context, method="step")
        return state, probabilities(d, logits)

    start_program, step_program = compiled(start), compiled(step)

    def walk(z: np.ndarray, choose: Callable[[int, Where], np.ndarray]) -> np.ndarray:
        """Return `[L, T]` tokens that a function of position and intervals gives, and nothing behind the end mark."""
        num, z = len(z), pad(z, decoding.width)
        state, likely = start_program(decoding.params, z)
        rows, there = np.full((num, length), padding, np.int32), np.ones(num, bool)
        for position in range(length):
            table = Table.from_probabilities(np.asarray(likely)[None, :num])
            rows[there, position] = choose(position, Where(table, there[None]))[there]
            there = there & (rows[:, position] != end)
            if not there.any():
                break
            if position + 1 < length:
                token = pad(rows[:, position], decoding.width)
                state, likely = step_program(decoding.params, z, state, token)
        return rows

    def codec(z: np.ndarray) -> Codec:
        def push(message: Message, x: np.ndarray) -> None:
            passed: list[tuple[np.ndarray, np.ndarray, int]] = []

            def known(position: int, intervals: Where) -> np.ndarray:
                starts, masses = intervals.of(x[None, :, position])
                passed.append((starts[0], masses[0], intervals.precision))
                return x[:, position]

            walk(z, known)
            for interval in passed[::-1]:
                message.push(*interval)

        def pop(message: Message) -> np.ndarray:
            def next_token(position: int, intervals: Where) -> np.ndarray:
                del position
                tokens, start, mass = intervals.find(0, message.peek(len(z), intervals.precision))
                message.drop(start, mass, intervals.precision)
                return tokens

            return walk(z, next_token)

        return Codec(push, pop)

    return Event(codec, lambda x: x)


def _flat(array: Array, event_ndim: int) -> Array:
    """Flatten the event's axes of `[B, *event]` or `[B, *event, K]`."""
    return array.reshape(array.shape[0], -1, *array.shape[1 + event_ndim :])


def _positions_first(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, 0, 1))


def _by_example(codec: Codec, shape: tuple[int, ...]) -> Codec:
    """Return the codec of examples `[L, ...]` by that of `[D, L]` values."""

    def push(message: Message, x: np.ndarray) -> None:
        codec.push(message, x.reshape(len(x), -1).T)

    def pop(message: Message) -> np.ndarray:
        values = codec.pop(message)
        return np.ascontiguousarray(values.T).reshape(-1, *shape)

    return Codec(push, pop)

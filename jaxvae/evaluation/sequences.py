"""Measures of the code's use by a model of rows of tokens: nats that the code saves, and greedy reconstruction."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.errors import InputError
from jaxvae.evaluation.blocks import check_conditions, count_examples, in_blocks
from jaxvae.evaluation.standard_error import standard_error
from jaxvae.model import reconstruct
from jaxvae.objectives import draws
from jaxvae.objectives.overriding import with_hard_values
from jaxvae.types import Array, Key, Model, Params


class CodeUse(NamedTuple):
    """Log-likelihood with the example's own code and with that of another example."""

    own: np.ndarray
    """`[N]` log p(x_n|z_n), z_n ~ q(z|x_n), in nats."""
    other: np.ndarray
    """`[N]` log p(x_n|z_m) of another example m."""

    @property
    def nats(self) -> float:
        """Mean of log p(x_n|z_n) - log p(x_n|z_m): nats that the decoder takes from the code, 0 if it ignores it."""
        return float((self.own - self.other).mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over examples."""
        return standard_error(self.own - self.other)


def code_use(
    params: Params,
    key: Key,
    x: Any,
    *,
    model: Model,
    condition: Array | np.ndarray | None = None,
    block_size: int = 100,
) -> CodeUse:
    """Compute log p(x|z) with each example's own code, and with the codes shuffled over the examples.

    The shuffle is one random cycle through all examples, so that none keeps its code; conditions stay in place.

    Args:
        params: the model's parameters.
        key: one key.
        x: `[N, ...]` examples, an array or a tree of arrays.
        model: anything with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        condition: `[N, ...]` passed to the model, if given.
        block_size: number of examples that are decoded together.

    Raises:
        InputError: there are fewer than two examples, or not one condition for each.
    """
    num, key, hard = count_examples(x), rng.stream(key, "code_use"), with_hard_values(model)
    if num < 2:
        raise InputError(f"x: codes are shuffled over two or more examples, got {num}; give more")
    check_conditions(condition, num)

    def sample(ids: Array, x: Any, condition: Any) -> Any:
        keys = rng.example_keys(key, ids)
        posterior, prior = draws.encode(params, keys, x, model=hard, condition=condition)
        return draws.sample(posterior, prior, keys).z

    def score(z: Any, x: Any, condition: Any) -> Array:
        return draws.decode(params, z, x, model=hard, condition=condition)

    z = in_blocks(sample, np.arange(num), x, condition, block_size=block_size)
    source = _cycle(key, num)
    own, other = (
        in_blocks(score, codes, x, condition, block_size=block_size)
        for codes in (z, jax.tree.map(lambda leaf: leaf[source], z))
    )
    return CodeUse(np.asarray(own, np.float64), np.asarray(other, np.float64))


def _cycle(key: Key, num: int) -> np.ndarray:
    """Return `[N]` the next example of each in a random cycle through all."""
    order = np.asarray(jax.random.permutation(rng.stream(key, "cycle"), num))
    following = np.empty(num, int)
    following[order] = np.roll(order, -1)
    return following


class TokenAccuracy(NamedTuple):
    """Shares of the tokens that are right, from 0 to 1."""

    tokens: float
    """Share of all tokens."""
    classes: float
    """Mean, over the different tokens that occur, of the share of each: common tokens do not hide the rare ones."""


def token_accuracy(rows: np.ndarray, decoded: np.ndarray, *, padding: int = 0) -> TokenAccuracy:
    """Compare decoded rows with true ones, place by place; true padding does not count, the end mark does.

    Args:
        rows: `[N, T]` true rows.
        decoded: `[N, T]` decoded rows.
        padding: number of the padding.

    Raises:
        InputError: the shapes differ, or the rows hold no tokens.

    >>> token_accuracy(np.array([[5, 5, 5, 1], [7, 1, 0, 0]]), np.array([[5, 5, 5, 1], [5, 1, 7, 1]]))
    TokenAccuracy(tokens=0.8333333333333334, classes=0.6666666666666666)
    """
    rows, decoded = np.asarray(rows), np.asarray(decoded)
    if rows.shape != decoded.shape:
        raise InputError(f"decoded: shape {decoded.shape}, the rows have {rows.shape}; give one for each")
    there = rows != padding
    if not there.any():
        raise InputError("rows: hold padding alone; give rows of tokens")
    tokens, right = rows[there], (rows == decoded)[there]
    _, numbers, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    per_class = np.bincount(numbers, right) / counts
    return TokenAccuracy(float(right.mean()), float(per_class.mean()))


def greedy_accuracy(
    params: Params,
    x: np.ndarray,
    *,
    model: Model,
    condition: Array | np.ndarray | None = None,
    padding: int = 0,
    block_size: int = 500,
) -> TokenAccuracy:
    """Reconstruct rows from the posterior's mean, each token the likeliest after those chosen before, and compare.

    The decoder runs freely: it never sees a true token, so one wrong token early may cost all behind it.

    Args:
        params: the model's parameters.
        x: `[N, T]` rows of tokens.
        model: anything with `encode(params, x)` and `decode(params, z)`.
        condition: `[N, ...]` passed to the model, if given.
        padding: number of the padding.
        block_size: number of rows that are decoded together.

    Raises:
        InputError: there are no rows, or not one condition for each.
    """
    check_conditions(condition, count_examples(x))
    decoded = in_blocks(
        lambda x, condition: reconstruct(model, params, x, condition), x, condition, block_size=block_size
    )
    return token_accuracy(x, decoded, padding=padding)

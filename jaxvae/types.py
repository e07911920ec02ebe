"""What a distribution, a model and a training state are: the contracts of all other modules."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import numpy as np
import optax

Array: TypeAlias = jax.Array
Key: TypeAlias = jax.Array
"""A typed key from `jax.random.key`: one key, or one key per example `[B]`."""
Params: TypeAlias = Any
"""Any pytree of arrays."""
Value: TypeAlias = Any
"""What a distribution is over: arrays or, of several stochastic layers, tuples of arrays."""


class InputError(ValueError):
    """Bad input: one line that names the argument, what came and the remedy. Scripts print it and exit with code 2."""


def first_line(error: BaseException) -> str:
    """Return the reason that an error gives, in one line."""
    return (str(error) or type(error).__name__).splitlines()[0]


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return a hint to the nearest of these words, or nothing where none is near."""
    nearest = difflib.get_close_matches(word, list(words), n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""


@runtime_checkable
class Distribution(Protocol):
    """Anything that can be sampled and scored; NumPyro's distributions satisfy it too."""

    @property
    def mean(self) -> Value:
        """The expected value."""
        ...

    def sample(self, key: Key) -> Value:
        """Draw one value."""
        ...

    def log_prob(self, value: Value) -> Array:
        """Log-density in nats, per example."""
        ...


class Model(Protocol):
    """What a bound needs to know of a model: three pure functions that return distributions.

    Where a condition is given (labels, say) it follows as one more positional argument.
    """

    @property
    def encode(self) -> Callable[..., Distribution]:
        """`(params, x) -> q(z|x)`."""
        ...

    @property
    def decode(self) -> Callable[..., Distribution]:
        """`(params, z) -> p(x|z)`."""
        ...

    @property
    def prior(self) -> Callable[..., Distribution]:
        """`(params) -> p(z)`."""
        ...


class ElboTerms(NamedTuple):
    """The evidence lower bound taken apart, per example, in nats."""

    log_likelihood: Array
    """`[B]` log p(x|z), averaged over the samples of z."""
    kl: Array
    """`[B]` KL(q(z|x) || p(z))."""
    kl_per_dimension: Array
    """`[B, D]` the same per latent dimension; `[B, 1]` where the KL does not separate."""

    @property
    def elbo(self) -> Array:
        """`[B]` the evidence lower bound: log-likelihood minus KL."""
        return self.log_likelihood - self.kl


class Batch(NamedTuple):
    """What one training step sees."""

    x: Array
    """`[B, ...]` examples."""
    ids: Array
    """`[B]` the examples' numbers in the whole set: their noise is keyed by these."""
    weights: Array
    """`[B]` 1 for an example, 0 for padding."""
    condition: Array | None = None
    """`[B, ...]` what encoder and decoder are told besides x and z."""


class Chunk(NamedTuple):
    """What one dispatch trains on: `num_steps` rows, from `first_row` on, of M steps' batches.

    Several devices or seeds put one more axis in front of the three arrays.
    """

    ids: Array | np.ndarray
    """`[M, B]` example numbers."""
    weights: Array | np.ndarray
    """`[M, B]` 1 for an example, 0 for padding."""
    x: Array | np.ndarray | None
    """`[M, B, ...]` the examples as they are stored, or None where they are gathered from a set on the device."""
    first_row: int
    num_steps: int


class TrainState(NamedTuple):
    """Everything a run needs to go on; it is what a checkpoint holds, and never carries a device axis."""

    step: Array
    """Number of steps taken."""
    params: Params
    opt_state: optax.OptState
    key: Key
    """The run's root key. It never changes: steps and examples are folded into it."""

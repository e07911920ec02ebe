"""Types of distributions, models and training states: the interfaces between all modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import numpy as np
import optax

from jaxvae.errors import InputError as InputError  # where it was in version 0.1

Array: TypeAlias = jax.Array
Key: TypeAlias = jax.Array
"""Typed key from `jax.random.key`: one key, or one key per example `[B]`."""
Params: TypeAlias = Any
"""Pytree of arrays."""
Value: TypeAlias = Any
"""Value of a distribution: an array or, with several stochastic layers, a tuple of arrays."""
Bar: TypeAlias = Callable[[Iterable[int]], Iterable[int]]
"""Wrapper of a loop that shows its progress, such as `tqdm`."""
GRADIENT, AVERAGE, SCHEDULED, FROZEN = "gradient", "average", "scheduled", "frozen"
"""Labels of parameters, see `training.labels`; any other label names a partition of the optimizer."""


@runtime_checkable
class Distribution(Protocol):
    """Interface of distributions that can be sampled and scored; NumPyro's satisfy it too."""

    @property
    def mean(self) -> Value:
        """Expected value."""
        ...

    def sample(self, key: Key) -> Value:
        """Sample one value."""
        ...

    def log_prob(self, value: Value) -> Array:
        """Compute the log-density in nats, per example."""
        ...


class Model(Protocol):
    """Interface of models for a bound: three pure functions that return distributions.

    A condition (labels, for example), if given, follows as one more positional argument.
    """

    @property
    def encode(self) -> Callable[..., Distribution]:
        """Function `(params, x) -> q(z|x)`."""
        ...

    @property
    def decode(self) -> Callable[..., Distribution]:
        """Function `(params, z) -> p(x|z)`."""
        ...

    @property
    def prior(self) -> Callable[..., Distribution]:
        """Function `(params) -> p(z)`."""
        ...


class Space(Protocol):
    """Interface of what an example is: a value that compares and hashes, with sizes and a digest but no arrays.

    An example is an array or, in a table, a dict of arrays. Words, names of columns and classes lie in the facts of the
    data set.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example, without the batch axis."""
        ...

    @property
    def kind(self) -> str:
        """Name of the meaning of a value, such as ink, real, counts or tokens."""
        ...

    @property
    def likelihood(self) -> str:
        """Name of the likelihood where none is asked for."""
        ...

    @property
    def corruptions(self) -> tuple[str, ...]:
        """Names of the corruptions that examples can have."""
        ...

    def check(self, rows: Any, what: str) -> None:
        """Refuse stored rows `[N, ...]` that are not of this space.

        Raises:
            InputError: a row is not; the message begins with `what`.
        """
        ...

    def read(self, keys: Key | None, stored: Any) -> Any:
        """Convert stored rows to examples, on the device or on the host.

        Args:
            keys: `[B]` key of each example for what is drawn, or None to draw nothing.
            stored: `[B, ...]` rows as stored.
        """
        ...

    def zeros(self, num: int) -> Any:
        """Return `num` examples of zeros, for shapes."""
        ...

    def project(self, x: Any) -> Any:
        """Move values into the range of the space, such as those of learned inputs.

        Raises:
            InputError: there is nothing between two values.
        """
        ...

    def corrupt(self, key: Key, x: Any, corruption: Callable[[Key, Array, Any], Array], level: Any) -> Any:
        """Corrupt the values of one example by a function `(key, values, level)`, but no masks and no ends."""
        ...

    def show(self, x: Any, facts: Mapping[str, Any]) -> Any:
        """Present examples `[N, ...]` as pictures, curves, lines or cells, with the names in the facts."""
        ...


class ElboTerms(NamedTuple):
    """Terms of the evidence lower bound, per example, in nats."""

    log_likelihood: Array
    """`[B]` log p(x|z), averaged over the samples of z."""
    kl: Array
    """`[B]` KL(q(z|x) || p(z))."""
    kl_per_dimension: Array
    """`[B, D]` KL per latent dimension; `[B, 1]` where the KL does not separate."""

    @property
    def elbo(self) -> Array:
        """`[B]` evidence lower bound: log-likelihood minus KL."""
        return self.log_likelihood - self.kl


class Batch(NamedTuple):
    """Batch of one training step."""

    x: Any
    """`[B, ...]` examples, or a dict of arrays."""
    ids: Array
    """`[B]` indices of the examples in the whole set, by which their noise is keyed."""
    weights: Array
    """`[B]` 1 for an example, 0 for padding."""
    condition: Array | None = None
    """`[B, ...]` conditions of encoder and decoder."""


class Chunk(NamedTuple):
    """Batches of one dispatch: `num_steps` rows, from `first_row` on, of M steps' batches.

    With several devices or seeds the arrays have one more leading axis.
    """

    ids: Array | np.ndarray
    """`[M, B]` example numbers."""
    weights: Array | np.ndarray
    """`[M, B]` 1 for an example, 0 for padding."""
    rows: Any
    """Tree of `[M, B, ...]` stored rows, or None where they are gathered from a set on the device."""
    first_row: int
    num_steps: int


class TrainState(NamedTuple):
    """State from which a run resumes, saved in checkpoints; it never has a device axis."""

    step: Array
    """Number of steps taken."""
    params: Params
    opt_state: optax.OptState
    key: Key
    """Root key of the run. It never changes: steps and examples are folded into it."""

"""Codes of whole splits, read block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxvae.data import Split
from jaxvae.data.attributes import class_name
from jaxvae.distributions import MultivariateNormal, Normal
from jaxvae.distributions.sampling import as_rows, point
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.runs.run import Run
from jaxvae.types import Array, Distribution


class Codes(NamedTuple):
    """Codes of N examples, without noise."""

    point: np.ndarray
    """`[N, D]` means of q(z|x), or its representative values where it has none; several layers are joined."""
    std: np.ndarray | None
    """`[N, D]` standard deviations of a normal q(z|x); None of any other."""

    def columns(self) -> dict[str, np.ndarray]:
        """Return `mean` and `std` of a normal posterior, and `code` of any other."""
        return {"code": self.point} if self.std is None else {"mean": self.point, "std": self.std}


def encode_split(run: Run, split: Split) -> Codes:
    """Encode all examples of a split, each under its own condition.

    Vectors of a codebook and categories are one row for each example.
    """

    def encode(*rows: Any) -> tuple[Array, Array | None]:
        posterior = run.model.encode(run.params, *split.read(*rows))
        return as_rows(point(posterior)), _deviation(posterior)

    # in_blocks uses only operations that rows on disk support too.
    return Codes(*in_blocks(encode, split.x, split.condition))


def _deviation(posterior: Distribution) -> Array | None:
    if isinstance(posterior, Normal):
        return as_rows(jnp.broadcast_to(jnp.exp(0.5 * posterior.log_var), posterior.mean.shape))
    if isinstance(posterior, MultivariateNormal):
        return jnp.sqrt(jnp.square(posterior.cholesky).sum(axis=-1))
    return None


RESERVED = {"mean", "std", "code", "elbo", "log_likelihood", "kl", "log_px", "log_jacobian"}
"""Names of columns that no attribute may have."""


def columns_about(name: str, split: Split, classes: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return columns that tell the examples of a split apart.

    They are `split` and `index`, the number in it; `row`, the number in a set that was divided here; `label` and
    `class`; and the attributes.

    Raises:
        InputError: an attribute has the name of another column.
    """
    num = split.num_examples
    columns = {"split": np.full(num, name), "index": np.arange(num)}
    columns |= {} if split.origin is None else {"row": split.origin}
    columns |= {} if split.label is None else {"label": split.label}
    if split.label is not None and classes:
        columns["class"] = np.array([class_name(label, classes) for label in split.label])
    if double := [attribute for attribute in split.attributes if attribute in {*columns, *RESERVED}]:
        raise InputError(f"dataset: its attribute {double[0]!r} has the name of another column; rename it")
    return {**columns, **split.attributes}

"""Buckets of length of a training on rows of tokens: their bounds, each row's bucket, and a loss for each length."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from jaxvae.data import Split
from jaxvae.data.lengths import fit_bounds, row_lengths
from jaxvae.data.spaces import Tokens
from jaxvae.errors import InputError
from jaxvae.options.recipe import AXES, Recipe, kind_of
from jaxvae.runs.parts import Parts, build_parts
from jaxvae.training.step import Loss
from jaxvae.types import Space


class Buckets(NamedTuple):
    """Buckets of length of a training split."""

    bounds: tuple[int, ...]
    """Number of tokens to which the rows of each bucket are padded, increasing."""
    of_row: np.ndarray
    """`[N]` number of each row's bucket."""
    losses: tuple[Loss, ...]
    """Loss on the rows of each bucket."""
    padding: int
    """Number of the padding."""


def build_buckets(recipe: Recipe, parts: Parts, split: Split) -> Buckets | None:
    """Build the buckets that a settled recipe asks for; None where it asks for none.

    Raises:
        InputError: the examples are no tokens or of one length, or parameters depend on the length of rows.
    """
    num, space = recipe.train.length_buckets, split.space
    if num is None:
        return None
    if not isinstance(space, Tokens):
        raise InputError("length-buckets: is for rows of tokens, which these examples are not; leave it out")
    lengths = row_lengths(split.x, space.padding)
    bounds = fit_bounds(lengths, num)
    if len(bounds) == 1:
        raise InputError(f"length-buckets: one bucket alone for rows of up to {bounds[0]} tokens; leave it out")
    losses = [_loss(recipe, parts, split, dataclasses.replace(space, length=bound)) for bound in bounds]
    return Buckets(bounds, np.searchsorted(bounds, lengths), tuple(losses), space.padding)


def _loss(recipe: Recipe, parts: Parts, split: Split, space: Space) -> Loss:
    """Return the loss on rows of another length, which must have the same parameters."""
    sizes: dict[str, Any] = {"num_examples": split.num_examples, "num_labelled": split.num_labelled}
    shorter = build_parts(recipe, space, condition_space=split.condition_space, **sizes)
    if shorter.shapes != parts.shapes:
        names = kind_of(recipe.networks, AXES["networks"]), kind_of(recipe.likelihood, AXES["likelihood"])
        raise InputError(
            f"length-buckets: networks {names[0]} or likelihood {names[1]} have parameters for each place of a row; "
            "leave it out, or give --preset lstm_vae"
        )
    return shorter.loss

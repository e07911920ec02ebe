"""Evaluation of a split: its batches, and the bound of one model or of several seeds together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax

from jaxvae import hosts, rng
from jaxvae.data import Split
from jaxvae.data.batches import sequential_batches
from jaxvae.evaluation.blocks import at_once
from jaxvae.evaluation.elbo import TermsOfBatch, estimate, terms_by_models, terms_of_batches
from jaxvae.model import VAE
from jaxvae.types import Batch, Params


def evaluation_batches(
    split: Split, *, batch_size: int | None = None, numbers: Iterable[int] | None = None
) -> Iterator[Batch]:
    """Yield the batches of a split for evaluation, those of some numbers or all, of a size that fits in memory.

    Where pixels are binarized, they are the same in every run, for any seed, so that runs can be compared.
    """
    key = rng.stream(rng.root(0), "binarize for evaluation")
    options: dict[str, Any] = {"condition": split.condition, "condition_space": split.condition_space}
    size = min(batch_size or evaluated_at_once(split), split.num_examples)
    return sequential_batches(split.x, key, batch_size=size, space=split.space, numbers=numbers, **options)


def evaluated_at_once(split: Split) -> int:
    """Return the number of examples of a batch of `evaluation_batches`."""
    # Parts of a hundred, of which one compiled program evaluates small splits of different sizes.
    most = 1000 if split.num_examples >= 1000 else 100
    return min(at_once(split.space, most), split.num_examples)


def evaluate_split(
    model: VAE, params: Params, split: Split, *, seed: int, reports_elbo: bool, num_samples: int = 1
) -> dict[str, float]:
    """Compute the `ElboEstimate` of a split, by name; of several processes each evaluates every other batch.

    A delta posterior has no bound, because its KL to any density is infinite: only its likelihood is reported.
    """

    def terms(numbers: Iterable[int]) -> list[TermsOfBatch]:
        batches = evaluation_batches(split, numbers=numbers)
        return list(terms_of_batches(params, rng.root(seed), batches, model=model, num_samples=num_samples))

    return _by_name(hosts.in_turns(_num_batches(split, evaluated_at_once(split)), terms), reports_elbo)


def evaluate_seeds(
    model: VAE, params: Params, split: Split, *, seeds: Sequence[int], reports_elbo: bool
) -> list[dict[str, float]]:
    """Compute the estimates of `evaluate_split` for the stacked parameters of several seeds, all in one program."""
    size = max(1, evaluated_at_once(split) // len(seeds))

    def terms(numbers: Iterable[int]) -> list[TermsOfBatch]:
        batches = evaluation_batches(split, batch_size=size, numbers=numbers)
        return list(terms_by_models(params, [rng.root(seed) for seed in seeds], batches, model=model))

    parts = hosts.in_turns(_num_batches(split, size), terms)
    members = ([jax.tree.map(lambda array, n=n: array[n], part) for part in parts] for n in range(len(seeds)))
    return [_by_name(member, reports_elbo) for member in members]


def _num_batches(split: Split, size: int) -> int:
    return math.ceil(split.num_examples / size)


def _by_name(parts: list[TermsOfBatch], reports_elbo: bool) -> dict[str, float]:
    averages = estimate(parts)
    names = averages._fields if reports_elbo else ("log_likelihood", "num_examples")
    return {name: value for name in names if (value := getattr(averages, name)) is not None}

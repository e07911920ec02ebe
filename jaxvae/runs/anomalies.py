"""Anomaly scores of a split by a trained run, and by baselines that are fitted to the same training split."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.rows import gather
from jaxvae.data.spaces import Counts, Incomplete, Pixels, Real, Tokens
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.evaluation import anomaly_scores, fill_gaps, has_regret, in_blocks, likelihood_regret
from jaxvae.evaluation.anomalies import BY_VALUE, ELBO
from jaxvae.evaluation.blocks import at_once
from jaxvae.judges.complexity import compressed_bits
from jaxvae.judges.outliers import BASELINES
from jaxvae.runs.data import latent_dims
from jaxvae.runs.directory import Run
from jaxvae.runs.per_example import drawn
from jaxvae.runs.progress import named_bar

BLOCK = 250
"""Maximum number of examples that are scored together."""
REGRET, COMPLEXITY = "regret", "complexity_corrected"
LEVELS, REACH = 256, 4.0
"""Number of levels of what a compressor reads, and deviations from the mean at which those of scaled numbers end."""
LARGEST = float(np.finfo(np.float32).max)
"""Score of an example that lies so far from all others that numbers overflow."""


class Scored(NamedTuple):
    """Scores of N examples, the higher, the more anomalous."""

    scores: dict[str, np.ndarray]
    """`[N]` scores by name."""
    by_value: np.ndarray | None
    """`[N, ...]` scores of values; None where the likelihood does not score them separately."""


def score_anomalies(
    run: Run, split: Split, *, num_samples: int, regret_steps: int = 0, impute_steps: int = 10, name: str = "scores"
) -> Scored:
    """Score the examples of a split, see `evaluation.anomaly_scores` and `evaluation.likelihood_regret`.

    `complexity_corrected` is the negative ELBO less the length of the compressed example, in bits per value: what is
    simple, and therefore likely under any model, no longer counts as normal.

    Args:
        run: trained run from `load_run`.
        split: split, as stored.
        num_samples: number of samples of z per example.
        regret_steps: number of steps of the likelihood regret; 0 leaves it out, as does a posterior that is no
            diagonal normal.
        impute_steps: number of steps by which missing values of a series are drawn first, see `fill_gaps`.
        name: name of the progress bar.

    Reference: Serra et al. 2020, https://arxiv.org/abs/1909.11480, equation 3.
    """
    x, condition = drawn(split)
    key, ids = rng.stream(rng.root(run.recipe.train.seed), "anomalies"), np.arange(split.num_examples, dtype=np.uint32)
    one = gather((x, condition), np.arange(1))
    regrets = regret_steps > 0 and has_regret(jax.eval_shape(run.model.encode, run.params, *_given(*one)))

    def score(ids: Any, x: Any, condition: Any) -> dict[str, Any]:
        options: dict[str, Any] = {"model": run.model, "condition": condition}
        if isinstance(run.space, Incomplete):
            keys = rng.example_keys(rng.stream(key, "gaps"), ids)
            x = fill_gaps(run.params, keys, x, steps=impute_steps, **options)
        keys = rng.example_keys(key, ids)
        scores = anomaly_scores(run.params, keys, x, num_samples=num_samples, **options)
        if regrets:
            keys = rng.example_keys(rng.stream(key, REGRET), ids)
            scores[REGRET] = likelihood_regret(run.params, keys, x, steps=regret_steps, **options)
        return scores

    size = at_once(run.space, BLOCK)
    scores = in_blocks(score, ids, x, condition, block_size=size, progress=named_bar(name))
    scores = {
        name: np.nan_to_num(values, nan=LARGEST, posinf=LARGEST, neginf=-LARGEST) for name, values in scores.items()
    }
    by_value = scores.pop(BY_VALUE, None)
    if ELBO in scores and (levels := as_levels(run, x)) is not None:
        bits = scores[ELBO].astype(np.float64) / np.log(2) - compressed_bits(levels)
        scores[COMPLEXITY] = bits / max(levels[0].size, 1)
    return Scored({name: values.astype(np.float64) for name, values in scores.items()}, by_value)


def as_levels(run: Run, x: Any) -> np.ndarray | None:
    """Return examples as whole numbers, which a compressor reads; None for tables, gaps and numbers without a scale.

    Args:
        run: trained run.
        x: `[N, ...]` examples as the model gets them. Pixels have 256 levels, and so have real numbers of mean 0 and
            deviation 1, between -4 and 4.
    """
    space, scaling = run.space, run.facts.get("scaling")
    if isinstance(space, Counts | Tokens):
        return np.asarray(x).astype(np.int32)
    if isinstance(space, Pixels):
        return np.round(np.asarray(x) * (LEVELS - 1)).astype(np.uint8)
    if isinstance(space, Real) and scaling and scaling["kind"] == "standard":
        levels = np.floor((np.asarray(x) + REACH) * LEVELS / (2 * REACH))
        return np.clip(levels, 0, LEVELS - 1).astype(np.uint8)
    return None


def baseline_scores(run: Run, train: Split, split: Split, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Score the examples of a split by all baselines; none of rows of tokens.

    PCA gets as many components as z has dimensions.

    Args:
        run: trained run.
        train: training split, to which the baselines are fitted.
        split: split to score.
        seed: seed of the forest and of the rows of the SVM.
    """
    if run.space.kind == "tokens":
        return {}
    fitted, rows = features(run, train), features(run, split)
    num_components = sum(latent_dims(run))
    return {name: fit(fitted, num_components, seed)(rows) for name, fit in BASELINES.items()}


def features(run: Run, split: Split) -> np.ndarray:
    """Return `[N, D]` examples as rows of numbers: values as the model sees them, categories one-hot.

    Pixels are not drawn; a missing value is 0, the mean, or none of the categories.
    """
    space: Any = run.space
    x, _ = split.read(gather(split.x, slice(None)), None)
    if isinstance(space, Incomplete):
        x = x[X]
    if space.kind != "table":
        return np.asarray(x, np.float32).reshape(split.num_examples, -1)
    parts = []
    for number, size in enumerate(space.columns):
        values, there = x[X][:, number], x[OBSERVED][:, number, None]
        columns = np.eye(size)[values.astype(int)] if size else values[:, None]
        parts.append(np.where(there, columns, 0))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _given(x: Any, condition: Any) -> tuple[Any, ...]:
    return (x,) if condition is None else (x, jnp.asarray(condition))

"""Scores of each example of a split, of which an evaluation reports the means."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.rows import gather
from jaxvae.data.scaling import Scaling, log_jacobians
from jaxvae.distributions.flags import has_density
from jaxvae.evaluation import decodes_densities, elbo_of_each, log_marginal_likelihood
from jaxvae.evaluation.blocks import at_once
from jaxvae.runs.directory import Run
from jaxvae.runs.evaluation import evaluation_batches
from jaxvae.types import Bar


def score_each(
    run: Run, split: Split, *, num_samples: int, num_bounded: int | None = None, progress: Bar = iter
) -> dict[str, np.ndarray]:
    """Return `[N]` scores by name, in nats.

    They are `elbo`, `log_likelihood` and `kl` of one draw of z, `log_px`, the importance-weighted bound, and
    `log_jacobian`, the term of the scaling in a log-density where values were scaled. A delta posterior has
    `log_likelihood` alone; codes of a codebook, and a likelihood that is not normalised, have no `log_px`.

    Args:
        run: trained run from `load_run`.
        split: test split, as stored.
        num_samples: number of samples of the bound on log p(x).
        num_bounded: number of the first examples whose log p(x) is bounded, which takes the longest; all if not given.
        progress: wrapper of the loop over blocks of examples.
    """
    key = rng.root(run.recipe.train.seed)
    terms = elbo_of_each(run.params, key, evaluation_batches(split), model=run.model)
    scores: dict[str, Any] = {"log_likelihood": terms.log_likelihood}
    if run.reports_elbo:
        x, condition = drawn(split)
        scores = {"elbo": terms.elbo, **scores, "kl": terms.kl}
        encoded = jax.eval_shape(run.model.encode, run.params, *gather((x, condition), np.arange(1)))
        if has_density(encoded) and decodes_densities(run.params, x, model=run.model, condition=condition):
            x, condition = gather((x, condition), slice(num_bounded))
            decoded = at_once(run.space, 100 * 20)
            samples = min(decoded, 20)  # few examples at once: the bar moves, and signals are seen
            options: dict[str, Any] = {"block_size": decoded // samples, "samples_at_once": samples}
            options |= {"num_samples": num_samples, "condition": condition, "progress": progress}
            scores["log_px"] = log_marginal_likelihood(run.params, key, x, model=run.model, **options).log_px
    if known := run.facts.get("scaling"):
        scores["log_jacobian"] = log_jacobians(Scaling.from_json(known), split.x)
    return scores


def drawn(split: Split) -> tuple[Any, Any]:
    """Return `[N, ...]` examples of a split for evaluation, binarized if the run binarizes, and their conditions."""
    batches = [gather((b.x, b.condition), np.asarray(b.weights) > 0) for b in evaluation_batches(split)]
    return jax.tree.map(lambda *parts: np.concatenate(parts), *batches)

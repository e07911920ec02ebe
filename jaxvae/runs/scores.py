"""Scores of a trained model, each with estimator, number of samples and of images, and standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.conditions import Seen
from jaxvae.data.rows import gather, num_rows
from jaxvae.data.spaces import QUADRANTS, Incomplete, Tokens
from jaxvae.data.spaces.shown import noun
from jaxvae.distributions import Normal
from jaxvae.distributions.sampling import as_rows, point
from jaxvae.errors import InputError
from jaxvae.evaluation import (
    active_units,
    annealed_log_likelihood,
    bidirectional,
    decodes_densities,
    decompose_kl,
    log_marginal_likelihood,
    standard_error,
)
from jaxvae.evaluation.annealed_log_likelihood import Start
from jaxvae.evaluation.blocks import at_once, take
from jaxvae.options.recipe import Recipe
from jaxvae.report.tables import bits_per_dimension
from jaxvae.runs import token_scores
from jaxvae.runs.classes import accuracy
from jaxvae.runs.data import latent_dims
from jaxvae.runs.directory import Run
from jaxvae.runs.lines import Line as Line
from jaxvae.runs.lines import text_table as text_table
from jaxvae.runs.per_example import drawn, score_each
from jaxvae.runs.progress import Bars
from jaxvae.types import Array, Bar, Distribution

LOG_PX = "log p(x)"
"""Name of the bar of the longest loop."""
COMPARED = 10000
"""Maximum number of posteriors of which each is compared with all others: the first of a split."""
ACTIVE_UNITS_OF = "active_units_of_layer"
"""Prefix of the scores of several stochastic layers, numbered from the image upwards."""


def protocol(recipe: Recipe) -> str:
    """Describe the protocol of a run's numbers."""
    drawn = "training images binarized afresh at each use, test images drawn once by a fixed key"
    pixels = drawn if recipe.data.binarize == "dynamic" else "pixels as they are stored"
    given = "" if recipe.condition == "none" else f", each given its {recipe.condition}"
    if {*recipe.condition.split(",")} <= {*QUADRANTS}:
        given += ", the other pixels alone scored"
    return f"{recipe.data.dataset}, {pixels}{given}"


def score(
    run: Run,
    split: Split,
    *,
    num_samples: int,
    num_images: int | None = None,
    num_bounded: int | None = None,
    bars: Bars = lambda name: iter,
) -> list[Line]:
    """Compute the scores of a trained run on a split, or on its first images; for a delta posterior only one.

    Args:
        run: trained run from `load_run`.
        split: test split, as stored.
        num_samples: number of samples of the bound on log p(x).
        num_images: number of images, the first of the split.
        num_bounded: number of the first of these whose log p(x) is bounded, which takes the longest; all if not given.
        bars: progress bars of the loops over blocks of images.

    Raises:
        InputError: more images are wanted than there are.
    """
    split = first_images(split, num_images)
    each = score_each(run, split, num_samples=num_samples, num_bounded=num_bounded, progress=bars(LOG_PX))
    return summarize(run, split, each, num_samples, bars)


def summarize(
    run: Run, split: Split, each: Mapping[str, np.ndarray], num_samples: int, bars: Bars = lambda name: iter
) -> list[Line]:
    """Return the means of the scores of each example, from `score_each`, and the scores of all together."""
    x, condition = drawn(split)
    of_rows = token_scores.lines(run, x, condition) if run.space.kind == "tokens" else []
    of_rows += accuracy(run.model, run.params, split)
    if not run.reports_elbo:
        of_point = _mean("log_likelihood", "log p(x|z) at the code", 1, each, with_error=False)
        return [of_point, *_of_scale(each), *of_rows]
    normalized = decodes_densities(run.params, x, model=run.model, condition=condition)
    lines = [
        _mean("elbo", "one draw of z" if normalized else "no bound: p(x|z) is not normalised", 1, each),
        _mean("log_likelihood", "log p(x|z) of the ELBO", 1, each, with_error=False),
        _mean("kl", "KL(q(z|x) || p(z)) of the ELBO", 1, each, with_error=False),
    ]
    # Codes of a codebook have no importance weights, an unnormalised p(x|z) has no bound.
    if "log_px" in each:
        log_px = _mean("log_px", "importance-weighted bound", num_samples, each)
        bounded = gather(x, slice(log_px.images))
        lines += [log_px, *_per_value(run, bounded, log_px.value, num_samples)]
    return [*lines, *_of_scale(each), *_of_codes(run, x, condition, bars("parts of the KL")), *of_rows]


def _mean(name: str, estimator: str, samples: int, each: Mapping[str, np.ndarray], *, with_error: bool = True) -> Line:
    error = standard_error(each[name]) if with_error else float("nan")
    return Line(name, estimator, samples, len(each[name]), float(each[name].mean()), error)


def _per_value(run: Run, x: Any, log_px: float, num_samples: int) -> list[Line]:
    """Return log p(x) per value: bits of a pixel or number, or the perplexity of a token."""
    space, shape = run.space, run.space.shape
    if space.kind == "tokens":
        return [token_scores.perplexity(cast(Tokens, space), x, log_px, num_samples)]
    if space.kind in ("counts", "table") or isinstance(space, Incomplete):
        return []
    if isinstance(run.condition, Seen):
        shape = (run.condition.space.num_hidden,)
    return [Line("bits_per_dimension", "of log_px", num_samples, num_rows(x), bits_per_dimension(log_px, shape))]


def _of_scale(each: Mapping[str, np.ndarray]) -> list[Line]:
    """Return the mean term of the scaling in a log-density, where values were scaled."""
    how = "of the scaling; add it for densities in the data's own units"
    return [_mean("log_jacobian", how, 0, each, with_error=False)] if "log_jacobian" in each else []


def anneal(
    run: Run,
    split: Split,
    *,
    num_images: int,
    num_temperatures: int,
    num_chains: int,
    start: Start,
    num_samples: int,
    bars: Bars = lambda name: iter,
) -> list[Line]:
    """Estimate log p(x) of the first images by annealing and by samples; for simulated images from below and above."""
    split = first_images(split, num_images, "ais-images")
    x, condition = drawn(split)
    common: dict[str, Any] = {"model": run.model, "condition": condition}
    options: dict[str, Any] = {
        **common,
        "num_temperatures": num_temperatures,
        "num_chains": num_chains,
        "start": start,
        "block_size": 20,  # small, so that the bar moves
    }
    key = rng.root(run.recipe.train.seed)
    sampled = log_marginal_likelihood(
        run.params, key, x, num_samples=num_samples, progress=bars("log p(x) of the images to anneal"), **common
    )
    real = annealed_log_likelihood(run.params, key, x, progress=bars("annealing"), **options)
    both = bidirectional(run.params, key, num_images, progress=bars("annealing simulated images"), **options)
    how = f"{num_temperatures} temperatures from the {start}"

    def line(name: str, estimator: str, values: np.ndarray, samples: int = num_chains) -> Line:
        return Line(name, estimator, samples, len(values), float(values.mean()), standard_error(values))

    return [
        line("ais_images_log_px", "importance-weighted bound of the same images", sampled.log_px, num_samples),
        line("ais_log_px", f"annealed, {how}", real.log_px),
        line("ais_acceptance", "of the HMC proposals", real.acceptance),
        line("simulated_log_px_lower", f"annealed, {how}, images drawn from the model", both.lower),
        line("simulated_log_px_upper", "annealed backwards from the true z", both.upper),
    ]


def first_images(split: Split, num: int | None, option: str = "num-images") -> Split:
    """Return a split's first images, or all of them.

    Raises:
        InputError: more are wanted than there are; the message names the option.
    """
    if num is None:
        return split
    if num > split.num_examples:
        raise InputError(f"{option}: {num} wanted, the split has {split.num_examples}; ask for fewer")
    return split.take(np.arange(num))


def _of_codes(run: Run, x: Any, condition: np.ndarray | None, progress: Bar) -> list[Line]:
    """Score the codes: active units of each layer and, for normal posterior and prior, the parts of the KL."""
    encode = jax.jit(run.model.encode)
    num, size = num_rows(x), at_once(run.space, 1000)
    ids = np.arange(num)
    blocks = [encode(run.params, *take((x, condition), ids[at : at + size])) for at in range(0, num, size)]
    # With several layers, each is taken at the mean of the one below.
    means = jax.tree.map(lambda *parts: np.concatenate(parts), *[_layers(block) for block in blocks])
    active = [int(active_units(mean).sum()) for mean in means]
    sizes = [mean.shape[1] for mean in means]
    lines = [Line("active_units", f"of {sum(sizes)}, variance of the mean > 0.01", 0, num, sum(active))]
    if len(means) > 1:
        numbered = enumerate(zip(active, sizes), start=1)
        lines += [Line(f"{ACTIVE_UNITS_OF}_{i}", f"of {size}", 0, num, units) for i, (units, size) in numbered]
    prior = run.model.prior(run.params) if condition is None else run.model.prior(run.params, condition[:1])
    # The dimensions of others cannot be scored separately.
    if not isinstance(blocks[0], Normal):
        return lines
    whole = jax.tree.map(lambda *parts: jnp.concatenate(parts)[:COMPARED], *blocks)
    return lines + _of_aggregate(run, whole, prior, progress)


def _of_aggregate(run: Run, posterior: Normal, prior: Distribution, progress: Bar) -> list[Line]:
    """Take the KL of normal posteriors apart: by all its parts, or by those that do not depend on the prior."""
    # A prior of the condition is another for each image.
    known = prior if isinstance(prior, Normal) and prior.mean.ndim == 1 else None
    zeros = jnp.zeros(posterior.mean.shape[1])
    parts = decompose_kl(rng.root(run.recipe.train.seed), posterior, known or Normal(zeros, zeros), progress=progress)
    names = (*parts._fields, "aggregate_kl") if known else ("mutual_information", "total_correlation")
    how = f"aggregate posterior of these {noun(run.space)}"
    return [Line(name, how, 1, len(posterior.mean), getattr(parts, name)) for name in names]


def _layers(posterior: Distribution) -> tuple[Array, ...]:
    """Return the codes `[B, D]` of each stochastic layer without noise."""
    codes = point(posterior)
    return tuple(map(as_rows, codes)) if isinstance(codes, tuple) else (as_rows(codes),)


def num_parameters(run: Run) -> int:
    """Return the number of parameters of all networks."""
    return sum(leaf.size for leaf in jax.tree.leaves(run.params))


def to_json(run: Run, lines: list[Line]) -> dict[str, Any]:
    """Return the numbers by name, with `NAME_standard_error` where there is one, and their protocol."""
    values: dict[str, Any] = {}
    for line in lines:
        values[line.name] = line.value
        if not np.isnan(line.standard_error):
            values[f"{line.name}_standard_error"] = line.standard_error
    samples = {line.name: line.samples for line in lines}
    return {
        **values,
        "num_examples": lines[0].images,
        "num_samples": samples.get("log_px", 1),
        "step": run.step,
        "dataset": run.recipe.data.dataset,
        "protocol": protocol(run.recipe),
        "num_parameters": num_parameters(run),
        "latent_dims": latent_dims(run),
    }

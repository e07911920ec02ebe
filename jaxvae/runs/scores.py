"""Scores of a trained model, each with estimator, number of samples and of images, and standard error."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.rows import gather, num_rows
from jaxvae.data.scaling import Scaling, mean_log_jacobian
from jaxvae.data.spaces.shown import noun
from jaxvae.distributions import Normal
from jaxvae.distributions.flags import has_density
from jaxvae.distributions.sampling import as_rows, point
from jaxvae.errors import InputError
from jaxvae.evaluation import (
    Bar,
    active_units,
    annealed_log_likelihood,
    bidirectional,
    decompose_kl,
    log_marginal_likelihood,
    standard_error,
)
from jaxvae.evaluation.blocks import at_once, take
from jaxvae.options.recipe import Recipe
from jaxvae.report.tables import bits_per_dimension
from jaxvae.runs.data import latent_dims
from jaxvae.runs.directory import Run
from jaxvae.runs.parts import evaluate_split, evaluation_batches
from jaxvae.runs.progress import Bars
from jaxvae.types import Array, Distribution, Space

ACTIVE_UNITS_OF = "active_units_of_layer"
"""Prefix of the scores of several stochastic layers, numbered from the image upwards."""


class Line(NamedTuple):
    """One number of an evaluation, with its protocol."""

    name: str
    """Name in evaluation.json."""
    estimator: str
    samples: int
    images: int
    value: float
    standard_error: float = float("nan")
    """Standard error of the mean over images; NaN where there is none."""


def protocol(recipe: Recipe) -> str:
    """Describe the protocol of a run's numbers."""
    drawn = "training images binarized afresh at each use, test images drawn once by a fixed key"
    pixels = drawn if recipe.data.binarize == "dynamic" else "pixels as they are stored"
    given = "" if recipe.condition == "none" else f", each given its {recipe.condition}"
    return f"{recipe.data.dataset}, {pixels}{given}"


def score(
    run: Run, split: Split, *, num_samples: int, num_images: int | None = None, bars: Bars = lambda name: iter
) -> list[Line]:
    """Compute the scores of a trained run on a split, or on its first images; for a delta posterior only one.

    Args:
        run: trained run from `load_run`.
        split: test split, as stored.
        num_samples: number of samples of the bound on log p(x).
        num_images: number of images, the first of the split.
        bars: progress bars of the loops over blocks of images.

    Raises:
        InputError: more images are wanted than there are.
    """
    split = first_images(split, num_images)
    num, seed = split.num_examples, run.recipe.train.seed
    elbo = evaluate_split(run.model, run.params, split, seed=seed, reports_elbo=run.reports_elbo)
    if not run.reports_elbo:
        point = Line("log_likelihood", "log p(x|z) at the code", 1, num, elbo["log_likelihood"])
        return [point, *_of_scale(run, split)]
    x, condition = images(split), split.conditions()
    return [
        Line("elbo", "one draw of z", 1, num, elbo["elbo"], elbo["elbo_standard_error"]),
        Line("log_likelihood", "log p(x|z) of the ELBO", 1, num, elbo["log_likelihood"]),
        Line("kl", "KL(q(z|x) || p(z)) of the ELBO", 1, num, elbo["kl"]),
        *_of_weights(run, x, condition, num_samples, bars("log p(x)")),
        *_of_scale(run, split),
        *_of_codes(run, x, condition, bars("parts of the KL")),
    ]


def _per_value(space: Space, x: Any, log_px: float, num_samples: int) -> list[Line]:
    """Return log p(x) per value: bits of a pixel or number, or the perplexity of a token, end marks included."""
    num = num_rows(x)
    if space.kind == "tokens":
        tokens = float((x != space.zeros(1)).sum()) / num
        how = f"of log_px, over {tokens:.1f} tokens a row with its end mark"
        return [Line("perplexity", how, num_samples, num, float(np.exp(-log_px / tokens)))]
    if space.kind in ("counts", "table"):
        return []
    return [Line("bits_per_dimension", "of log_px", num_samples, num, bits_per_dimension(log_px, space.shape))]


def _of_weights(run: Run, x: Any, condition: Any, num_samples: int, progress: Bar) -> list[Line]:
    """Score log p(x) by importance weights; codes of a codebook have none, and the ELBO alone."""
    one = gather((x, condition), np.arange(1))
    if not has_density(jax.eval_shape(run.model.encode, run.params, *one)):
        return []
    key, options = rng.root(run.recipe.train.seed), {"model": run.model, "condition": condition, **_blocks(run.space)}
    estimate = log_marginal_likelihood(run.params, key, x, num_samples=num_samples, progress=progress, **options)
    bound = ("importance-weighted bound", num_samples, num_rows(x), estimate.mean, estimate.standard_error)
    return [Line("log_px", *bound), *_per_value(run.space, x, estimate.mean, num_samples)]


def _blocks(space: Space) -> dict[str, int]:
    """Return the numbers of examples, and of samples of each, that are decoded at once."""
    decoded = at_once(space, 100 * 20)
    block_size = min(decoded, 100)
    return {"block_size": block_size, "samples_at_once": decoded // block_size}


def _of_scale(run: Run, split: Split) -> list[Line]:
    """Return the term of the scaling in a log-density, where values were scaled."""
    if "scaling" not in run.facts:
        return []
    log_jacobian = mean_log_jacobian(Scaling.from_json(run.facts["scaling"]), split)
    how = "of the scaling; add it for densities in the data's own units"
    return [Line("log_jacobian", how, 0, split.num_examples, log_jacobian)]


def anneal(
    run: Run,
    split: Split,
    *,
    num_images: int,
    num_temperatures: int,
    num_chains: int,
    num_samples: int,
    bars: Bars = lambda name: iter,
) -> list[Line]:
    """Estimate log p(x) of the first images by annealing and by samples; for simulated images from below and above."""
    split = first_images(split, num_images, "ais-images")
    x = images(split)
    common: dict[str, Any] = {"model": run.model, "condition": split.conditions()}
    options: dict[str, Any] = {
        **common,
        "num_temperatures": num_temperatures,
        "num_chains": num_chains,
        "block_size": 20,  # small, so that the bar moves
    }
    key = rng.root(run.recipe.train.seed)
    sampled = log_marginal_likelihood(
        run.params, key, x, num_samples=num_samples, progress=bars("log p(x) of the images to anneal"), **common
    )
    real = annealed_log_likelihood(run.params, key, x, progress=bars("annealing"), **options)
    both = bidirectional(run.params, key, num_images, progress=bars("annealing simulated images"), **options)
    how = f"{num_temperatures} temperatures"

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


def images(split: Split) -> Any:
    """Return `[N, ...]` examples of a split for evaluation, binarized if the run binarizes."""
    batches = [gather(batch.x, np.asarray(batch.weights) > 0) for batch in evaluation_batches(split)]
    return jax.tree.map(lambda *parts: np.concatenate(parts), *batches)


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
    # Other dimensions cannot be scored separately, and a prior of the condition is another for each image.
    if not (isinstance(blocks[0], Normal) and isinstance(prior, Normal) and prior.mean.ndim == 1):
        return lines
    whole = jax.tree.map(lambda *parts: jnp.concatenate(parts), *blocks)
    parts = decompose_kl(rng.root(run.recipe.train.seed), whole, prior, progress=progress)
    names = (*parts._fields, "aggregate_kl")
    how = f"aggregate posterior of these {noun(run.space)}"
    return lines + [Line(name, how, 1, num, getattr(parts, name)) for name in names]


def _layers(posterior: Distribution) -> tuple[Array, ...]:
    """Return the codes `[B, D]` of each stochastic layer without noise."""
    codes = point(posterior)
    return tuple(map(as_rows, codes)) if isinstance(codes, tuple) else (as_rows(codes),)


def num_parameters(run: Run) -> int:
    """Return the number of parameters of all networks."""
    return sum(leaf.size for leaf in jax.tree.leaves(run.params))


def text_table(lines: list[Line], noun: str = "images") -> str:
    """Format a table for the terminal, with a line for each number; `noun` heads the column of examples."""
    width = max(len(noun), 6)
    head = f"{'':24}{'value':>11}  {'± s.e.':>8}  {'samples':>7}  {noun:>6}  estimator"

    def row(line: Line) -> str:
        value = f"{line.value:d}" if isinstance(line.value, int) else f"{line.value:.4f}"
        error = "" if np.isnan(line.standard_error) else f"{line.standard_error:.4f}"
        return (
            f"{line.name:24}{value:>11}  {error:>8}  {line.samples or '':>7}  {line.images:>{width}}  {line.estimator}"
        )

    return "\n".join([head, *map(row, lines)])


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

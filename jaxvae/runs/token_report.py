"""Report at the end of a training on rows of tokens: the numbers that show whether the decoder uses the code."""

from __future__ import annotations

import math
from collections.abc import Iterator

from jaxvae.data.spaces import Tokens
from jaxvae.options.recipe import Recipe
from jaxvae.runs import directory, scores
from jaxvae.runs.experiment import Experiment
from jaxvae.runs.lines import Line, text_table
from jaxvae.runs.progress import Bars, named_bar
from jaxvae.runs.run import Run
from jaxvae.types import Params

EXAMPLES = 2000
"""Maximum number of test rows of the report, the first of the split: the mutual information costs their square."""
SAMPLES = 100
"""Number of samples of the importance-weighted bound on log p(x)."""
TOKENS = 1_000_000
"""Number of tokens that are scored for this bound, which decides the number of its rows."""


def report(experiment: Experiment, recipe: Recipe, params: Params) -> list[Line]:
    """Score parameters on the first test rows, by the estimators of `evaluate.py`; no lines for data of other kinds.

    Args:
        experiment: the run.
        recipe: settled recipe of these parameters, that of one seed.
        params: trained parameters.
    """
    space, test, run_dir = experiment.data.space, experiment.data.test, experiment.run_dir
    if not isinstance(space, Tokens):
        return []
    parts = experiment.parts
    run = Run(recipe, parts.model, params, 0, directory.read_facts(run_dir), parts.reports_elbo, run_dir)
    num, bounded = min(EXAMPLES, test.num_examples), max(1, TOKENS // (SAMPLES * space.length))
    bars: Bars = (lambda name: iter) if recipe.output.quiet else named_bar
    return scores.score(run, test, num_samples=SAMPLES, num_images=num, num_bounded=bounded, bars=bars)


def shown(recipe: Recipe, lines: list[Line]) -> Iterator[str]:
    """Yield a report for the terminal, if there is one."""
    if lines:
        yield f"seed {recipe.train.seed}, first test rows (jaxvae evaluate scores all of them):"
        yield text_table(lines, "rows")


def numbers(lines: list[Line]) -> dict[str, float]:
    """Return a report for summary.json: each number by name, and how many samples and rows it rests on."""
    values: dict[str, float] = {}
    for line in lines:
        values[line.name] = line.value
        values |= {} if math.isnan(line.standard_error) else {f"{line.name}_standard_error": line.standard_error}
        values |= {f"{line.name}_samples": line.samples} if line.samples > 1 else {}
        values |= {f"{line.name}_examples": line.images} if line.images < lines[0].images else {}
    values |= {"report_examples": lines[0].images} if lines else {}
    return {f"test_{name}": value for name, value in values.items()}

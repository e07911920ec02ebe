"""Estimate the ELBO, log p(x) and measures of the code on the test split.

Every number has its protocol, estimator, number of samples and of images, and standard error; evaluation.json in the
run directory holds them.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jaxvae.data.spaces.shown import noun
from jaxvae.errors import InputError
from jaxvae.evaluation.annealed_log_likelihood import Start
from jaxvae.options import Compute
from jaxvae.options.checks import check, check_at_least, check_output
from jaxvae.options.groups import Select
from jaxvae.report import write_json
from jaxvae.report.columns import WRITERS, save_columns
from jaxvae.runs import load_run, scores
from jaxvae.runs.codes import columns_about
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data, used
from jaxvae.runs.per_example import score_each
from jaxvae.runs.progress import named_bar
from jaxvae.runs.quality import check_pictures, quality


@dataclasses.dataclass(frozen=True)
class EvaluateConfig:
    """Estimate ELBO, log p(x) and measures of the code on the test split; write evaluation.json."""

    run_dir: Path
    """Run directory of a training."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    num_samples: int = 5000
    """Number of samples of z per image for the lower bound on log p(x); more are slower and give a tighter bound."""
    num_images: int | None = None
    """Number of test images, the first of the split; all if not given."""
    ais: bool = False
    """Also estimate log p(x) by annealed importance sampling, for simulated images from below and above."""
    ais_images: int | None = None
    """Number of images for annealed importance sampling; 100 if not given, or all where there are fewer."""
    ais_temperatures: int = 1000
    """Number of annealing steps, from 10 to 10,000; more are slower and give a tighter bound."""
    ais_chains: int = 16
    """Number of annealed chains per image."""
    ais_start: Start = "prior"
    """Start of the chains: prior, or posterior, q(z|x), which with a good encoder needs fewer temperatures."""
    per_example: Path | None = None
    """File for the scores of each image, beside its index and label: .npz, .csv or .parquet."""
    overwrite: bool = False
    """Replace the file of --per-example if it exists."""
    quality: bool = False
    """Also judge samples: Frechet distance, precision and recall in a classifier's features, and copies."""
    features: Path | None = None
    """Feature network for --quality, an .npz; a classifier of the training images, kept with the run, if not given."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("num_samples", "num_images", "ais_images", "ais_chains"):
            check_at_least(1, name, getattr(self, name))
        check(10 <= self.ais_temperatures <= 10_000, "ais-temperatures", self.ais_temperatures, "from 10 to 10000")
        if self.per_example is not None:
            check_output("per-example", self.per_example, WRITERS, overwrite=self.overwrite)
        if self.features is not None and not self.quality:
            raise InputError("features: is for --quality; give both")


def main(config: EvaluateConfig) -> int:
    """Load the run, score the test split, print and write the result."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    data = load_data(run, config.data_dir, config.dataset)
    test = data.test
    ais_images = config.ais_images or min(100, test.num_examples)
    scores.first_images(test, ais_images, "ais-images")  # checked before the long part
    if config.quality:
        check_pictures(data)
    scored = scores.first_images(test, config.num_images)
    each = score_each(run, scored, num_samples=config.num_samples, progress=named_bar(scores.LOG_PX))
    if config.per_example is not None:
        save_columns(config.per_example, {**columns_about("test", scored, data.classes), **each})
    lines = scores.summarize(run, scored, each, config.num_samples, named_bar)
    if config.ais:
        lines += scores.anneal(
            run,
            test,
            num_images=ais_images,
            num_temperatures=config.ais_temperatures,
            num_chains=config.ais_chains,
            start=config.ais_start,
            num_samples=config.num_samples,
            bars=named_bar,
        )
    if config.quality:
        lines += quality(run, used(run, data), config.run_dir, config.features, named_bar)
    print(scores.protocol(run.recipe))
    print(f"{run.recipe.preset} of {scores.num_parameters(run):,} parameters after {run.step:,} steps")
    print(scores.text_table(lines, noun(run.space)))
    write_json(config.run_dir / "evaluation.json", scores.to_json(run, lines))
    return 0

"""Train on one class, find all others: `python experiments/one_class.py --dataset mnist` does so for every class.

One model for each class and seed sees the training examples of that class alone, and scores all test examples, of which
those of other classes are anomalies (Ruff et al. 2018, https://proceedings.mlr.press/v80/ruff18a.html, section 4.1).
The table has the area under the ROC curve of every score, beside that of simpler detectors. A second call goes on where
the first ended.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from jaxvae.data import load
from jaxvae.data.attributes import class_labels
from jaxvae.data.places import stem
from jaxvae.errors import InputError
from jaxvae.judges.outliers import detection
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_seed
from jaxvae.report import write_json
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.anomalies import baseline_scores, score_anomalies
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce

Areas: TypeAlias = dict[str, list[float]]
"""Areas under the ROC curve by score: one for each seed, or one alone of a baseline."""


@dataclasses.dataclass(frozen=True)
class OneClassConfig:
    """Train on one class and find all others, for each class in turn (Ruff et al. 2018, section 4.1)."""

    dataset: str = "digits"
    """Data set with classes, such as digits, mnist or fashion_mnist."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    classes: tuple[str, ...] = ()
    """Classes to train on, by name or number; all if not given."""
    steps: int = 1000
    """Number of training steps of each model."""
    hidden: tuple[int, ...] = (400,)
    """Widths of the dense hidden layers."""
    latent_dim: int = 20
    """Number of dimensions of z, and of principal components."""
    likelihood: str = "normal_shared"
    """Likelihood of the pixels, as in train.py."""
    num_samples: int = 5
    """Number of samples of z per example."""
    seeds: int = 3
    """Number of models of each class, whose mean and spread are reported."""
    seed: int = 0
    """First seed; that of the baselines too."""
    out: Path | None = None
    """Folder for runs and table; runs/one_class-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("steps", "latent_dim", "num_samples", "seeds"):
            check_at_least(1, name, getattr(self, name))
        check_seed("seed", self.seed, self.seeds)

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"one_class-{stem(self.dataset)}"


def main(config: OneClassConfig) -> int:
    """Train all models, score the test split by each, and write the table."""
    set_up(Compute(num_processes=1))
    data = load(config.dataset, config.data_dir, stream=True)
    if len(names := [*class_labels(data.train, data.classes)]) < 2:
        raise InputError(f"dataset: {config.dataset} has no two classes to be told apart; name another")
    runs = {name: recipe_of(config, name) for name in config.classes or names}
    if exit_code := train_all({f"class {name}": one for name, one in runs.items()}, OneClassConfig):
        return exit_code
    areas = {name: areas_of(config, one, name) for name, one in runs.items()}
    rows = {name: row(each) for name, each in {**areas, "mean": mean_of([*areas.values()])}.items()}
    scores = [*next(iter(areas.values()))]
    columns = {score: (score.replace("_", " "), ".3f") for score in scores}
    print(f"{config.dataset}, area under the ROC curve, over {config.seeds} seeds ± deviation\n")
    print(table := markdown_table(rows, columns))
    (config.folder / "one_class.md").write_text(table + "\n")
    write_json(config.folder / "one_class.json", {"areas": areas, "rows": rows, "steps": config.steps})
    print(f"table in {config.folder}")
    return 0


def recipe_of(config: OneClassConfig, name: str) -> Recipe:
    """Return the options of the models of one class."""
    return given(
        preset="vae",
        dataset=config.dataset,
        data_dir=config.data_dir,
        only=(name,),
        run_dir=config.folder / f"class-{name}",
        likelihood=config.likelihood,
        steps=config.steps,
        hidden=config.hidden,
        latent_dim=config.latent_dim,
        seed=config.seed,
        seeds=config.seeds,
        figures=False,
        tensorboard=False,
        devices=1,
        num_processes=1,
    )


def areas_of(config: OneClassConfig, recipe: Recipe, name: str) -> Areas:
    """Return the areas of the scores of all seeds' models of one class, and of the baselines."""
    announce(f"scores of class {name}")
    areas: Areas = {}
    for number in range(config.seeds):
        seed = config.seed + number
        run = load_run(recipe.run_dir / f"seed-{seed}" if config.seeds > 1 else recipe.run_dir)
        data = load_data(run, config.data_dir)
        scores = score_anomalies(run, data.test, num_samples=config.num_samples).scores
        if seed == config.seed:
            scores |= baseline_scores(run, data.train, data.test, seed=seed)
        anomalous = np.asarray(data.test.label) != np.asarray(data.train.label)[0]
        for score, values in scores.items():
            areas.setdefault(score, []).append(detection(values, anomalous)["auroc"])
    return areas


def mean_of(areas: Sequence[Areas]) -> Areas:
    """Return the means over classes, of each seed."""
    return {score: [statistics.fmean(each) for each in zip(*(area[score] for area in areas))] for score in areas[0]}


def row(areas: Areas) -> dict[str, float | None]:
    """Return the means over seeds, and their deviations where there are several."""
    spread = {f"{score}_std": statistics.stdev(each) for score, each in areas.items() if len(each) > 1}
    return {**{score: statistics.fmean(each) for score, each in areas.items()}, **spread}


if __name__ == "__main__":
    run_script(main, OneClassConfig)

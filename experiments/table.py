"""Reproduce a published number: `python experiments/table.py NAME` trains, scores, writes its line in docs/results.md.

A NAME is a file in experiments/configs. The same command resumes an interrupted run.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import jax
import tyro

from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.options import Recipe, given
from jaxvae.options.files import parse_toml
from jaxvae.report import write_json
from jaxvae.report.tables import has_table, put_row
from jaxvae.runs import load_run, scores
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.directory import read_config
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import named_bar

CONFIGS = Path(__file__).resolve().parent / "configs"
RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"


@dataclasses.dataclass(frozen=True)
class TableConfig:
    """Train the seeds of one config, score them, and write a line beside the published number."""

    name: tyro.conf.Positional[str]
    """Name of a file in experiments/configs, without its extension."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    runs: Path = Path("runs")
    """Folder for the run directories."""
    results: Path = RESULTS
    """Page for the line."""
    epochs: float | None = None
    """Passes over the training set, if not the config's; the line mentions it."""
    num_samples: int | None = None
    """Number of samples of the bound on log p(x), if not the config's."""
    num_images: int | None = None
    """Number of test images, the first of the split; all if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        names = sorted(path.stem for path in CONFIGS.glob("*.toml"))
        if self.name not in names:
            raise InputError(f"name: {self.name!r} is no file in {CONFIGS}; give one of {', '.join(names)}")
        if not (self.results.is_file() and has_table(self.results)):
            raise InputError(f"results: {self.results} is no page with a table; give a copy of docs/results.md")


def main(config: TableConfig) -> int:
    """Train and score one seed after another, then write the line."""
    row = read(config.name)
    runs = [one_seed(config, row, seed) for seed in row["seeds"]]
    set_up(runs[0].compute)
    stages = [stage for run in runs for stage in [*before(config, row, run.train.seed), run]]
    if code := train_all({stage.run_dir.name: stage for stage in stages}, TableConfig):
        return code
    values = [evaluate(config, row, run) for run in runs]
    put_row(config.results, config.name, cells(config, row, runs, values))
    print(f"{config.name} in {config.results}")
    return 0


def read(name: str) -> dict[str, Any]:
    """Read a config."""
    return parse_toml(CONFIGS / f"{name}.toml")


def before(config: TableConfig, row: dict[str, Any], seed: int) -> list[Recipe]:
    """Return the runs that a config starts from, which are trained first."""
    if "start" not in row:
        return []
    start, whole = read(row["start"]), dataclasses.replace(config, name=row["start"], epochs=None)
    return [*before(whole, start, seed), one_seed(whole, start, seed)]


def one_seed(config: TableConfig, row: dict[str, Any], seed: int) -> Recipe:
    """Return the config's training options, with one of its seeds."""
    options = {"checkpoint_every": 12000, "log_every": 2400, "figures": False, "select": "last", **row["train"]}
    if config.epochs is not None:
        options["epochs"] = config.epochs
    if "start" in row:
        options["init_from"] = config.runs / f"{row['start']}-{seed}"
    place = {"run_dir": config.runs / f"{config.name}-{seed}", "data_dir": config.data_dir, "seed": seed}
    run = given(**{**options, **place, "num_processes": 1})
    run.check()
    return run


def evaluate(config: TableConfig, row: dict[str, Any], run: Recipe) -> list[scores.Line]:
    """Score a trained seed on the test split; evaluation.json in its folder has all numbers."""
    trained = load_run(run.run_dir)
    data = load(trained.recipe.data.dataset, config.data_dir)
    lines = scores.score(
        trained,
        data.test,
        num_samples=config.num_samples or row["num_samples"],
        num_images=config.num_images,
        bars=named_bar,
    )
    write_json(run.run_dir / "evaluation.json", scores.to_json(trained, lines))
    return lines


def cells(config: TableConfig, row: dict[str, Any], runs: list[Recipe], values: list[list[scores.Line]]) -> list[str]:
    """Return the cells of the line."""
    by_name = [{line.name: line for line in lines} for lines in values]
    log_px = [one["log_px"] for one in by_name]
    spread = f" ± {stdev([line.value for line in log_px]):.2f}" if len(log_px) > 1 else ""
    stages = [
        *before(config, row, runs[0].train.seed),
        one_seed(dataclasses.replace(config, epochs=None), row, runs[0].train.seed),
    ]
    epochs = [f"{stage.train.epochs:g}" for stage in stages]
    if config.epochs is not None:
        epochs[-1] = f"only {config.epochs:g} of {epochs[-1]}"
    return [
        f"[{config.name}](../experiments/configs/{config.name}.toml)",
        f"{row['paper']}, {row['table']}",
        scores.protocol(read_config(runs[0].run_dir)),
        f"{row['published']['log_px']:.2f} ({row['published']['active_units']})",
        f"{fmean([line.value for line in log_px]):.2f}{spread} ({', '.join(map(active_units, by_name))})",
        standard_error(fmean([line.standard_error for line in log_px])),
        ", ".join(str(run.train.seed) for run in runs),
        f"L{log_px[0].samples} on {log_px[0].images} images",
        f"{' + '.join(epochs)} epochs, {jax.devices()[0].device_kind}",
    ]


def standard_error(value: float) -> str:
    """Format a cell: a number, or a dash where one image has none."""
    return "-" if math.isnan(value) else f"{value:.2f}"


def active_units(by_name: dict[str, scores.Line]) -> str:
    """Format the active units of one seed; with several stochastic layers each: 16+5."""
    layers = [line for name, line in by_name.items() if name.startswith(scores.ACTIVE_UNITS_OF)]
    return "+".join(f"{line.value:d}" for line in layers or [by_name["active_units"]])


if __name__ == "__main__":
    run_script(main, TableConfig)

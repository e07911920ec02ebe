"""Fill the missing values of a table by a trained model, once or several times, with their uncertainty."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.new.paths import read_path
from jaxvae.data.preparation import Preparation
from jaxvae.data.sources.objects import is_table
from jaxvae.errors import InputError
from jaxvae.options import Compute
from jaxvae.options.checks import check, check_at_least, check_output, check_seed
from jaxvae.options.groups import Select
from jaxvae.report.columns import save_columns
from jaxvae.runs import Run, load_run
from jaxvae.runs.compute import set_up
from jaxvae.runs.imputing import Columns, complete
from jaxvae.runs.progress import named_bar

ENDS = (".csv", ".parquet")
FEW = 10
"""Effective number of samples below which the estimates of a row are called rough."""


@dataclasses.dataclass(frozen=True)
class ImputeConfig:
    """Write a table with its missing values filled: expected numbers, likeliest categories, or draws of them."""

    run_dir: Path
    """Run directory of a training on a table."""
    out: Path
    """File to write: .csv or .parquet."""
    new: str | None = None
    """Table to fill, a .csv, .tsv or .parquet file with the run's columns; the run's own if not given."""
    tables: int = 0
    """Number of further tables, OUT_1, OUT_2, ..., in which missing values are drawn (multiple imputation)."""
    uncertainty: bool = False
    """Add NAME_deviation of numbers and NAME_chance of another category, for each column with missing values."""
    num_samples: int = 1000
    """Number of samples of z for each row; more are more exact."""
    prior_share: float = 0.0
    """Share of the samples that come from the prior; 0.5 helps where rows miss more than those of the training."""
    condition: str | None = None
    """Condition of all rows, of a conditional run: a class by name or number, or NAME=NUMBER,..."""
    seed: int = 0
    """Seed of all randomness."""
    overwrite: bool = False
    """Replace files that exist."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_at_least(0, "tables", self.tables)
        check_at_least(1, "num_samples", self.num_samples)
        check(0 <= self.prior_share <= 1, "prior_share", self.prior_share, "a number from 0 to 1")
        check_seed("seed", self.seed)
        for file in (self.out, *self.further):
            check_output("out", file, ENDS, overwrite=self.overwrite)

    @property
    def further(self) -> list[Path]:
        """Files of the further tables."""
        return [self.out.with_stem(f"{self.out.stem}_{number + 1}") for number in range(self.tables)]


def main(config: ImputeConfig) -> int:
    """Load the run, fill the table and write the files."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select=config.select)
    table = _read(config, run)
    found = complete(
        run,
        table,
        num_samples=config.num_samples,
        num_tables=config.tables,
        prior_share=config.prior_share,
        seed=config.seed,
        condition=config.condition,
        progress=named_bar("imputing"),
    )
    uncertainty = found.uncertainty if config.uncertainty else {}
    for file, columns in zip([config.out, *config.further], [found.single, *found.tables]):
        save_columns(file, {**_in_place(table, columns), **uncertainty})
    _report(config, found.missing, found.effective_samples)
    return 0


def _read(config: ImputeConfig, run: Run) -> Any:
    name = config.new or run.recipe.data.dataset
    stored = read_path(name, Preparation())
    if not is_table(stored):
        raise InputError(f"new: {name} is no table; give a .csv, .tsv or .parquet file")
    return stored


def _in_place(table: Any, columns: Columns) -> Columns:
    """Return the columns of the file in their order, those that the run does not know as they are."""
    return {
        name: columns[name] if name in columns else np.array(table.column(name).to_pylist(), object)
        for name in table.column_names
    }


def _report(config: ImputeConfig, missing: int, effective: np.ndarray) -> None:
    print(f"{missing:,} missing values in {len(effective):,} rows are filled in {config.out}")
    if config.further:
        print(f"draws in {config.further[0]} to {config.further[-1].name}")
    if rough := int((effective < FEW).sum()):
        print(f"{rough:,} rows rest on fewer than {FEW} effective samples; more --num-samples make them more exact")

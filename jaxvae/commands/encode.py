"""Encode a data set: write the codes of its examples, with labels and attributes, to a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np

from jaxvae.data import Split
from jaxvae.data.places import exists
from jaxvae.errors import InputError
from jaxvae.options import Compute
from jaxvae.options.checks import check_output
from jaxvae.options.groups import Select
from jaxvae.report.columns import WRITERS, joined, save_columns
from jaxvae.report.h5ad import check_obsm, save_obsm
from jaxvae.runs import Run, load_run
from jaxvae.runs.codes import columns_about, encode_split
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data

H5AD = ".h5ad"
SplitName = Literal["train", "validation", "test"]


@dataclasses.dataclass(frozen=True)
class EncodeConfig:
    """Write the code of each example to a file: mean and standard deviation of q(z|x), labels and attributes."""

    run_dir: Path
    """Run directory of a training."""
    out: Path
    """File to write: .npz, .csv or .parquet; or .h5ad, a copy of the run's .h5ad file with the codes in obsm."""
    split: tuple[SplitName, ...] | None = None
    """Splits to encode; all if not given."""
    new: str | None = None
    """New examples to encode in place of the run's set: path of a file or of a folder of images, or name of a set."""
    condition: str | None = None
    """Condition of all new examples, of a conditional run: a class by name or number, or NAME=NUMBER,..."""
    key: str = "X_vae"
    """Name of the codes in obsm of an .h5ad file; standard deviations have _std behind it."""
    overwrite: bool = False
    """Replace the file if it exists."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_output("out", self.out, [*WRITERS, H5AD], overwrite=self.overwrite)
        if self.new is not None and (self.split is not None or self.dataset is not None):
            raise InputError("new: new examples have no splits and are no set of the run; leave --split, --dataset out")
        if self.condition is not None and self.new is None:
            raise InputError("condition: the examples of the run's set have their own; leave it out, or give --new")
        if self.split is not None and self.out.suffix.lower() == H5AD:
            raise InputError("split: an .h5ad file holds all its cells; leave it out, or write .npz or .parquet")


def main(config: EncodeConfig) -> int:
    """Load the run, encode the examples and write the file."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    cells = _cells(config, run) if config.out.suffix.lower() == H5AD else None
    splits, classes = _splits(config, run)
    about = joined([columns_about(name, split, classes) for name, split in splits.items()])
    codes = joined([encode_split(run, split).columns() for split in splits.values()])
    if cells is None:
        save_columns(config.out, {**about, **codes})
    else:
        save_obsm(cells, config.out, _in_obsm(config.key, codes, about["row"]))
    num, size = next(iter(codes.values())).shape
    print(f"{num:,} codes of {size} dimensions in {config.out}")
    return 0


def _splits(config: EncodeConfig, run: Run) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Return the splits to encode by name, and the names of their classes."""
    if config.new is not None:
        return {"new": run.as_split(config.new, config.condition)}, ()
    data = load_data(run, config.data_dir, config.dataset, stream=True)
    there = {"train": data.train, "validation": data.validation, "test": data.test}
    if config.split and not all(there[name] for name in config.split):
        raise InputError(f"split: {data.name} has no validation split; name another")
    return {name: split for name, split in there.items() if split and name in (config.split or there)}, data.classes


def _cells(config: EncodeConfig, run: Run) -> Path:
    """Return the `.h5ad` file of the examples, which is checked before the long part."""
    name = config.new or config.dataset or run.recipe.data.dataset
    source = exists(name)
    if source is None or source.suffix.lower() != H5AD:
        raise InputError(f"out: the examples of {name} lie in no .h5ad file; write .npz, .csv or .parquet")
    check_obsm(source, list(_names(config.key).values()))
    return source


def _names(key: str) -> dict[str, str]:
    """Return the names in obsm by those of the columns.

    >>> _names("X_vae")
    {'mean': 'X_vae', 'code': 'X_vae', 'std': 'X_vae_std'}
    """
    return {"mean": key, "code": key, "std": f"{key}_std"}


def _in_obsm(key: str, codes: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return codes by their names in obsm, in the order of the cells."""
    order = np.argsort(rows)
    return {_names(key)[name]: values[order] for name, values in codes.items()}

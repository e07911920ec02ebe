"""Decompress examples that `jaxvae compress` wrote."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxvae.errors import InputError
from jaxvae.options import Compute
from jaxvae.options.checks import check_output
from jaxvae.report.columns import WRITERS, save_columns
from jaxvae.report.files import whole_file
from jaxvae.runs import Run
from jaxvae.runs.compressing import open_file
from jaxvae.runs.compute import set_up
from jaxvae.runs.progress import named_bar

TEXT, ARRAYS = ".txt", ".npz"


@dataclasses.dataclass(frozen=True)
class DecompressConfig:
    """Write the examples of a compressed file, bit for bit, where it was written, or anywhere if it is portable."""

    file: Path
    """File that jaxvae compress wrote."""
    out: Path
    """File to write: .npz, of arrays as the run reads them; .csv or .parquet of a table; .txt of sentences."""
    run_dir: Path | None = None
    """Run directory of the model, if it has changed since the file was written."""
    overwrite: bool = False
    """Replace the file of --out if it exists."""

    def check(self) -> None:
        """Refuse values that are invalid for every file."""
        check_output("out", self.out, [*WRITERS, TEXT], overwrite=self.overwrite)


def main(config: DecompressConfig) -> int:
    """Open the file, decode its blocks one after another and write them."""
    set_up(Compute(num_processes=1))
    opened = open_file(config.file, config.run_dir)
    _check_kind(config.out, opened.run)
    blocks = [*named_bar("decompressing")(opened.examples())]
    if not blocks:
        raise InputError(f"file: {config.file} holds no examples")
    stored = jax.tree.map(lambda *parts: np.concatenate(parts), *blocks)
    _save(config.out, opened.run, stored)
    print(f"{len(jax.tree.leaves(stored)[0]):,} examples in {config.out}")
    return 0


def _check_kind(path: Path, run: Run) -> None:
    """Refuse a file that cannot hold the run's examples, before they are decoded."""
    if path.suffix.lower() == ARRAYS:
        return
    wanted, kind = ("sentences", list) if path.suffix.lower() == TEXT else ("tables", dict)
    if not isinstance(run.present(run.space.zeros(1)), kind):
        raise InputError(f"out: {path} is for {wanted}, and these are {run.space.kind}; write {ARRAYS}")


def _save(path: Path, run: Run, stored: Any) -> None:
    if path.suffix.lower() == ARRAYS:
        save_columns(path, stored if isinstance(stored, dict) else {"x": stored})
        return
    shown = run.present(run.space.read(None, stored))
    if path.suffix.lower() == TEXT:
        with whole_file(path) as part:
            part.write_text("".join(f"{line}\n" for line in shown), encoding="utf-8")
    else:
        save_columns(path, shown)

"""Judge synthetic rows: `python experiments/synthetic.py --run-dir DIR` samples a model of a table and compares.

The rows are judged by the marginals and pairs of their columns, by a prediction that is learned from them and tested on
real rows, by a classifier that tells them from real rows, and by their distance to the training rows. Beside them stand
rows of independent columns, of a Gaussian copula, and the real training rows.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from figures.synthetic import save_marginals, save_pairs
from jaxvae.data import Split
from jaxvae.data.rows import gather
from jaxvae.errors import InputError, did_you_mean
from jaxvae.judges.copula import gaussian_copula, independent
from jaxvae.judges.synthetic import Columns, Rows, closeness, detection, marginals, pairs, usefulness
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_folder, check_seed
from jaxvae.options.groups import Select
from jaxvae.report import write_json
from jaxvae.report.columns import save_columns
from jaxvae.report.gallery import Gallery
from jaxvae.report.tables import markdown_table
from jaxvae.runs import Run, load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_unconditional, load_data, used
from jaxvae.runs.progress import announce, say
from jaxvae.runs.rows import as_columns, check_table, sample_rows

MOST_ROWS = 50_000
"""Most rows that are sampled where no number is given."""
REAL, OURS = "real training rows", "VAE"
COLUMNS = {
    "marginals": ("columns alike", ".3f"),
    "pairs": ("pairs alike", ".3f"),
    "useful": ("prediction", ".3f"),
    "ratio": ("of real", ".3f"),
    "detected": ("detection AUC", ".3f"),
    "nearer": ("nearer to training", ".3f"),
    "distance": ("median distance", ".3f"),
    "copies": ("copies", ".2%"),
}


@dataclasses.dataclass(frozen=True)
class SyntheticConfig:
    """Sample a model of a table, and judge the rows."""

    run_dir: Path
    """Run directory of a training on a table."""
    target: str | None = None
    """Column that is predicted from the others; the last one if not given."""
    num: int | None = None
    """Number of synthetic rows; as many as training rows, at most 50,000, if not given."""
    seed: int = 0
    """Seed of all randomness."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """Folder for rows, table and pictures; DIR/synthetic if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_at_least(10, "num", self.num)
        check_seed("seed", self.seed)
        check_folder("out", self.out)


def main(config: SyntheticConfig) -> int:
    """Sample the model and its rivals, judge all, and write a table and pictures."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select=config.select)
    check_table(run)
    check_unconditional(run)
    data = used(run, load_data(run, dataset=config.dataset))
    train, test = (rows_of(run, split) for split in (data.train, data.test))
    columns = Columns.of(train)
    target = target_of(config, columns)
    num = config.num or min(MOST_ROWS, data.train.num_examples)

    made = {
        OURS: with_holes(sample_rows(run, num, seed=config.seed), train, seed=config.seed),
        "Gaussian copula": gaussian_copula(train, num, seed=config.seed),
        "independent columns": independent(train, num, seed=config.seed),
    }
    table = {}
    for name, rows in {REAL: train, **made}.items():
        announce(f"judging {name}")
        table[name] = judged(columns, train, test, rows, target, seed=config.seed)
    for row in table.values():
        row["ratio"] = row["useful"] / table[REAL]["useful"]

    folder = config.out or config.run_dir / "synthetic"
    folder.mkdir(parents=True, exist_ok=True)
    measure = "AUC" if target in columns.words else "R^2"
    titles = {**COLUMNS, "useful": (f"{target}, {measure}", ".3f")}
    print(text := markdown_table(table, titles))
    (folder / "synthetic.md").write_text(text + "\n")
    facts = {"step": run.step, "seed": config.seed, "num": num, "target": target, "measure": measure}
    write_json(folder / "synthetic.json", {**facts, "rows": table})
    save_columns(folder / "rows.csv", made[OURS])
    gallery = Gallery(folder)
    with gallery.figure("marginals.png") as path:
        save_marginals(path, columns, {"real": test, "synthetic": made[OURS]}, marginals(columns, test, made[OURS]))
    with gallery.figure("pairs.png") as path:
        save_pairs(path, columns, {name: pairs(columns, test, rows) for name, rows in made.items()})
    say(f"rows, table and pictures in {folder}")
    return 1 if gallery.missing else 0


def rows_of(run: Run, split: Split) -> Rows:
    """Return the rows of a split as columns by name, in the data's own units."""
    return as_columns(run, split.read(gather(split.x, slice(None)), None)[0], generated=False)


def target_of(config: SyntheticConfig, columns: Columns) -> str:
    """Return the column to predict.

    Raises:
        InputError: there is no such column, or no other from which to predict it.
    """
    if len(columns.names) < 2:
        raise InputError("run-dir: its table has one column, from which nothing can be predicted; name another run")
    target = config.target or columns.names[-1]
    if target not in columns.names:
        raise InputError(f"target: the run has no column {target!r}{did_you_mean(target, columns.names)}")
    return target


def with_holes(rows: Rows, real: Rows, *, seed: int) -> Rows:
    """Leave out the cells that are missing in randomly chosen real rows, which a model of complete rows does not."""
    num, whole = (len(next(iter(one.values()))) for one in (rows, real))
    chosen = np.random.default_rng(seed).integers(whole, size=num)
    return {name: _without(column, real[name][chosen]) for name, column in rows.items()}


def _without(column: np.ndarray, real: np.ndarray) -> np.ndarray:
    if column.dtype.kind == "U":
        return np.where(real == "", "", column)
    missing = np.isnan(np.asarray(real, np.float64))
    return np.where(missing, np.nan, column) if missing.any() else column


def judged(columns: Columns, train: Rows, test: Rows, rows: Rows, target: str, *, seed: int) -> dict[str, float]:
    """Return the numbers of one row of the table."""
    off, is_real = ~np.eye(len(columns.names), dtype=bool), rows is train
    close = closeness(columns, train, test, rows, seed=seed)
    return {
        "marginals": float(np.mean([*marginals(columns, test, rows).values()])),
        "pairs": float(pairs(columns, test, rows)[off].mean()),
        "useful": usefulness(columns, rows, test, target, seed=seed),
        "detected": float("nan") if is_real else detection(columns, train, rows, seed=seed),
        # Training rows are their own nearest neighbours: the line of the real ones has the distances of held-out rows.
        "nearer": float("nan") if is_real else close.nearer_to_training,
        "distance": close.held_out_distance if is_real else close.distance,
        "copies": close.held_out_copies if is_real else close.copies,
    }


if __name__ == "__main__":
    run_script(main, SyntheticConfig)

"""Missing values of a table by a trained model, in the form of its data; and rows in which some columns are given."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.data import Split
from jaxvae.data.rows import gather
from jaxvae.data.scaling import Scaling
from jaxvae.data.spaces import Table
from jaxvae.data.spaces.table import OBSERVED, X
from jaxvae.errors import InputError, did_you_mean
from jaxvae.evaluation import Imputation, impute
from jaxvae.packages import needed_by
from jaxvae.runs.rows import as_columns, check_table
from jaxvae.runs.run import Run
from jaxvae.types import Bar

LEAST_DRAWS = 100
"""Least number of draws from which uncertainties, and the likeliest categories, are taken."""
GIVEN_SAMPLES, PRIOR_SHARE = 20_000, 0.5
"""Samples for rows in which columns are given, and the share of them from the prior."""
Columns = dict[str, np.ndarray]


class Completed(NamedTuple):
    """Table whose missing values are filled."""

    single: Columns
    """Columns with expected numbers and the likeliest categories."""
    tables: list[Columns]
    """Columns of each draw, for multiple imputation: they differ by as much as is not known."""
    uncertainty: Columns
    """Columns of deviations and chances, for each column with holes: `NAME_deviation` of numbers, in the data's units,
    and `NAME_chance` of another category than the likeliest; 0 where a value was observed."""
    log_px: np.ndarray
    """log p(x_observed) of each row with holes, in nats, in the units of the model."""
    effective_samples: np.ndarray
    """Effective number of samples of each row with holes."""
    missing: int
    """Number of cells that were missing."""


def complete(
    run: Run,
    x: Any,
    *,
    num_samples: int = 1000,
    num_tables: int = 0,
    prior_share: float = 0.0,
    seed: int = 0,
    condition: Any = None,
    progress: Bar = iter,
) -> Completed:
    """Fill the missing values of rows.

    Args:
        run: trained model of a table.
        x: rows in any form that `run.encode` takes, such as a DataFrame or the path of a .csv file.
        num_samples: number of samples of z for each row.
        num_tables: number of tables of draws.
        prior_share: share of the samples from the prior, see `evaluation.impute`.
        seed: seed of all noise.
        condition: condition of each row, or one for all.
        progress: wrapper of the loop over blocks of rows.

    Raises:
        InputError: the run learned no table, or the rows are none of its data.
    """
    check_table(run)
    if not isinstance(run.space, Table):
        raise InputError(
            "run-dir: its rows have no missing values and its networks read none; train on a table that has"
        )
    split = run.as_split(x, condition)
    rows = gather(split.x, slice(None))
    holed = np.flatnonzero(~rows[OBSERVED].all(axis=1))
    whole = _own_units(run, rows[X])
    tables = [whole.copy() for _ in range(1 + num_tables)]
    if not len(holed):
        return Completed(*_columns(run, tables), {}, np.zeros(0), np.zeros(0), 0)
    found = _impute(run, split.take(holed), seed, num_samples, max(num_tables, LEAST_DRAWS), prior_share, progress)
    drawn = _own_units(run, found.draws, generated=True)
    for table, values in zip(tables, [_expected(run, found, drawn), *drawn]):
        table[holed] = np.where(rows[OBSERVED][holed], table[holed], values)
    uncertainty = _uncertainty(run, rows[OBSERVED], holed, drawn)
    missing = int((~rows[OBSERVED]).sum())
    return Completed(*_columns(run, tables), uncertainty, found.log_px, found.effective_samples, missing)


def _columns(run: Run, tables: list[np.ndarray]) -> tuple[Columns, list[Columns]]:
    # What is missing may lie outside the range of what was observed: the highest incomes are not told.
    first, *others = [as_columns(run, _row(values), own_units=True, clip=False) for values in tables]
    return first, others


def given_rows(run: Run, given: str, num: int, *, seed: int = 0, condition: Any = None) -> Columns:
    """Return `num` rows drawn from p(x | given columns), such as "cut=Ideal,carat=1.5", as columns by name.

    Raises:
        InputError: the run learned no table, or a column or a value is none of its data.
    """
    check_table(run)
    if not isinstance(run.space, Table):
        raise InputError("given: the run's columns are numbers without gaps, which it reads together; leave it out")
    pyarrow = needed_by("given", "pyarrow")
    names = run.facts["names"]
    asked = dict(_parse(part, names["columns"]) for part in given.split(","))
    table = pyarrow.table({name: [_cell(name, asked.get(name), names)] for name in names["columns"]})
    split = run.as_split(table, condition)
    found = _impute(run, split, seed, GIVEN_SAMPLES, num, PRIOR_SHARE, iter)
    drawn = found.draws[:, 0]
    known = gather(split.x, slice(None))[OBSERVED]
    values = np.where(known, _own_units(run, drawn), _own_units(run, drawn, generated=True))
    return as_columns(run, _row(values), own_units=True)


def _impute(
    run: Run, split: Split, seed: int, num_samples: int, num_draws: int, prior_share: float, progress: Bar
) -> Imputation:
    read, condition = split.read(gather(split.x, slice(None)), split.condition)
    rows = jax.tree.map(np.asarray, read)
    options: dict[str, Any] = {"num_samples": num_samples, "num_draws": num_draws, "prior_share": prior_share}
    key = rng.root(seed)
    return impute(run.params, key, rows, model=run.model, condition=condition, progress=progress, **options)


def _row(values: np.ndarray) -> dict[str, np.ndarray]:
    return {X: values, OBSERVED: np.ones(values.shape, bool)}


def _own_units(run: Run, values: np.ndarray, *, generated: bool = False) -> np.ndarray:
    own: np.ndarray = run.in_own_units(_row(values), generated=generated)[X]
    return own


def _expected(run: Run, found: Imputation, drawn: np.ndarray) -> np.ndarray:
    """Return expected numbers in the data's units, and the likeliest numbers of categories."""
    space: Any = run.space
    scaling = run.facts.get("scaling")
    curved = Scaling.from_json(scaling).knots if scaling else {}
    values = _own_units(run, found.mean)
    for column, size in enumerate(space.columns):
        if size:
            values[:, column] = _counts(drawn[..., column], size).argmax(0)
        elif column in curved:  # the mean of a curve is not the curve of the mean
            values[:, column] = drawn[..., column].mean(0)
    return values


def _counts(drawn: np.ndarray, size: int) -> np.ndarray:
    """Return `[C, N]` numbers of draws `[M, N]` of each category."""
    return np.stack([(drawn == category).sum(0) for category in range(size)])


def _uncertainty(run: Run, observed: np.ndarray, holed: np.ndarray, drawn: np.ndarray) -> Columns:
    space: Any = run.space
    found: Columns = {}
    for column, (name, size) in enumerate(zip(run.facts["names"]["columns"], space.columns)):
        if observed[:, column].all():
            continue
        of_holed = drawn[..., column]
        chance = 1 - _counts(of_holed, size).max(0) / len(drawn) if size else of_holed.std(0)
        values = np.zeros(len(observed))
        values[holed] = np.where(observed[holed, column], 0.0, chance)
        found[f"{name}_chance" if size else f"{name}_deviation"] = values
    return found


def _parse(part: str, columns: list[str]) -> tuple[str, str]:
    name, equals, value = (one.strip() for one in part.partition("="))
    if not (name and equals and value):
        raise InputError(f"given: {part!r} gives nothing; write NAME=VALUE,NAME=VALUE")
    if name not in columns:
        raise InputError(f"given: the run has no column {name!r}{did_you_mean(name, columns)}")
    return name, value


def _cell(name: str, value: str | None, names: dict[str, Any]) -> Any:
    """Return a word for a column of categories and a number for one of numbers; None where nothing is given."""
    if value is None or name in names["categories"]:
        return value
    try:
        return float(value)
    except ValueError as error:
        raise InputError(f"given: column {name!r} holds numbers, got {value!r}; give a number") from error

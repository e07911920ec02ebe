"""Reproduction of a finished run from its directory, with a report of the differences."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxvae import hosts, stores
from jaxvae.data.places import is_function
from jaxvae.errors import InputError
from jaxvae.options import earlier
from jaxvae.options.given import preset
from jaxvae.options.groups import Compute, Train
from jaxvae.options.identity import flat
from jaxvae.options.recipe import Recipe
from jaxvae.report import read_metrics
from jaxvae.report.manifest import differences
from jaxvae.runs.compute import set_up
from jaxvae.runs.directory import load_run
from jaxvae.runs.experiment import Experiment
from jaxvae.runs.progress import say
from jaxvae.runs.training import Draw, train_run

OWN_DATA = frozenset({"data_dir"})
OWN: Mapping[str, frozenset[str] | None] = {
    "data": OWN_DATA,
    "output": frozenset({"run_dir", "reproduce"}),
    "compute": None,
}
"""Options, by part, that may differ from those of the reproduced run."""
INCIDENTAL = ("command", "config")
"""Fields of the manifest that are not compared: the command may differ, and the options are the same."""
CLOCKED = ("examples_per_second", "first_run_at")
EQUAL, DIFFERENT = 0, 1


def reproduce(recipe: Recipe, *, draw: Draw | None = None) -> int:
    """Train the run in `output.reproduce` again, and report what is equal and what differs.

    Returns:
        The exit code: 0 where the numbers are equal, 1 where they differ, or that of a run that did not finish.

    Raises:
        InputError: there is no finished run, the new directory holds a run already, or other options are given.
    """
    with stores.reading(Path(str(recipe.output.reproduce))) as there:
        return _reproduce(recipe, there, draw)


def _reproduce(recipe: Recipe, there: Path, draw: Draw | None) -> int:
    one = _recipe(recipe, there)
    set_up(one.compute)
    here = one.run_dir

    def announce(experiment: Experiment) -> None:
        say(f"reproducing {there} in {here}")
        for line in describe(_read(there, "manifest.json"), _read(here, "manifest.json"), leave_out=INCIDENTAL):
            say(line)

    if exit_code := train_run(one, draw=draw, announce=announce):
        return exit_code
    hosts.wait_for_all("reproduced")
    wanted, found = (_numbers(_read(run_dir, "summary.json")) for run_dir in (there, here))
    for line in describe(wanted, found):
        say(line)
    if not differences(wanted, found):
        say(f"equal: {here} has the numbers of {there}")
        return EQUAL
    say(f"different: {'; '.join(_how_far(one.train, there, here))}")
    return DIFFERENT


def _recipe(recipe: Recipe, there: Path) -> Recipe:
    """Return the recipe of the run there, with a new directory."""
    named = recipe.data.dataset if is_function(recipe.data.dataset) else None
    left_out = OWN if named is None else {**OWN, "data": OWN_DATA | {"dataset"}}
    defaults = flat(preset("auto"), left_out)
    if others := [name for name, value in flat(recipe, left_out).items() if value != defaults.get(name)]:
        raise InputError(f"reproduce: all options are those of {there}; leave --{others[0].replace('_', '-')} away")
    if not (there / "summary.json").exists():
        raise InputError(f"reproduce: {there} holds no finished run; name a folder with a summary.json")
    beside = there.parent if stores.address(recipe.output.reproduce) is None else Path("runs")
    here = recipe.output.run_dir or beside / f"{there.name}-reproduced"
    if (place := stores.address(here)) is not None:
        raise InputError(f"run-dir: {place} is in a store, and runs are compared on this machine; name a local folder")
    if here.resolve() == there.resolve() or (here / "summary.json").exists():
        raise InputError(f"run-dir: {here} holds a finished run; name another --run-dir, or move it away")
    theirs = earlier.read(_read(there, "manifest.json").get("config") or _read(there, "config.json"))
    if is_function(theirs.data.dataset) and theirs.data.dataset != named:
        raise InputError(
            f"reproduce: {there} names a function, {theirs.data.dataset}, and no file makes code run; if you trust it, "
            f"give --dataset {theirs.data.dataset} too"
        )
    return dataclasses.replace(
        theirs,
        output=dataclasses.replace(theirs.output, run_dir=here, reproduce=None),
        data=dataclasses.replace(theirs.data, data_dir=recipe.data.data_dir or theirs.data.data_dir),
        compute=_safe(theirs.compute) if recipe.compute == Compute() else recipe.compute,
    )


def _safe(theirs: Compute) -> Compute:
    """Return the choices of dispatch; compiled programs and other processes are never those that a file names."""
    kept = {name: getattr(theirs, name) for name in ("devices", "dispatch", "input", "deterministic")}
    return Compute(**kept, num_processes=1 if theirs.num_processes == 1 else None)


def describe(there: dict[str, Any], here: dict[str, Any], leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    """Return lines that name equal entries, and show the different ones."""
    there, here = ({name: value for name, value in side.items() if name not in leave_out} for side in (there, here))
    different = differences(there, here)
    equal = [name for name in there if not any(other.split(".")[0] == name for other in different)]
    if equal:
        yield f"  equal      {', '.join(equal)}"
    width = max(map(len, different), default=0)
    for name, (value, other) in different.items():
        if isinstance(value, list) and isinstance(other, list) and name.startswith("test_"):
            yield f"  different  {name:{width}}  by {relative_difference({name: value}, {name: other}):.1e}, relatively"
        else:
            yield f"  different  {name:{width}}  {_short(value)} there, {_short(other)} here"


def _short(value: Any) -> str:
    """Shorten a digest to its beginning; other values stay whole."""
    return f"{value[:12]}..." if isinstance(value, str) and len(value) in (40, 64) else str(value)


def _how_far(train: Train, there: Path, here: Path) -> Iterator[str]:
    """Yield the largest differences of parameters and metrics, and the first line of metrics that differs."""
    folders = ["."] if train.seeds == 1 else [f"seed-{train.seed + number}" for number in range(train.seeds)]
    pairs = [[load_run(run_dir / folder).params for run_dir in (there, here)] for folder in folders]
    leaves = [zip(*map(jax.tree.leaves, pair)) for pair in pairs]
    distances = [float(np.max(np.abs(np.subtract(a, b)))) for pair in leaves for a, b in pair]
    yield f"parameters by {max(distances):.1e} at most"
    records = [
        {(record["step"], record["split"]): _numbers(record) for record in read_metrics(run_dir / "metrics.jsonl")}
        for run_dir in (there, here)
    ]
    distances, first = [], None
    for line in (line for line in records[0] if line in records[1]):
        distances.append(relative_difference(records[0][line], records[1][line]))
        first = first or (line if distances[-1] else None)
    yield f"metrics by {max(distances, default=0.0):.1e}, relatively, at most"
    if first:
        yield f"the first line of metrics that differs is that of step {first[0]} ({first[1]})"


def relative_difference(there: dict[str, Any], here: dict[str, Any]) -> float:
    """Compute the largest relative difference of two records' numbers, infinite if a number is missing in one.

    >>> relative_difference({"loss": 2.0, "kl": [1.0, 2.0]}, {"loss": 2.0, "kl": [1.0, 4.0]})
    0.5
    """
    if there.keys() != here.keys():
        return math.inf

    def difference(value: Any, other: Any) -> float:
        if isinstance(value, str):
            return 0.0 if value == other else math.inf
        a, b = np.asarray(value, float), np.asarray(other, float)
        if a.shape != b.shape:
            return math.inf
        largest = np.maximum(np.abs(a), np.abs(b))
        equal = (a == b) | (np.isnan(a) & np.isnan(b))  # JSON has null instead of NaN
        distance = np.where(equal, 0.0, np.abs(a - b) / np.where(largest == 0, 1.0, largest))
        return math.inf if np.isnan(distance).any() else float(np.max(distance, initial=0.0))

    return max((difference(there[name], here[name]) for name in there), default=0.0)


def _numbers(record: dict[str, Any]) -> dict[str, Any]:
    """Return all values that do not depend on the clock."""
    return {name: value for name, value in record.items() if name.removesuffix("_std") not in CLOCKED}


def _read(run_dir: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((run_dir / name).read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f"reproduce: cannot read {run_dir / name} ({error}); name the run directory of a training"
        ) from None

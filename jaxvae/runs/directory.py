"""Run directory: opened for training, and loaded with no other argument."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax

from jaxvae import disk, hosts, stores
from jaxvae.checkpoint import Checkpoints
from jaxvae.data import Dataset, conditions, spaces
from jaxvae.data.spaces import Pixels, Real, of_facts
from jaxvae.errors import InputError, first_line
from jaxvae.options import earlier
from jaxvae.options.groups import Select
from jaxvae.options.identity import identity, model_identity, plain_flat
from jaxvae.options.own import Own
from jaxvae.options.recipe import Recipe
from jaxvae.options.stored import to_json
from jaxvae.report import write_json
from jaxvae.report.manifest import write_manifest
from jaxvae.runs import lock
from jaxvae.runs.parts import Parts, build_parts, initial_state
from jaxvae.runs.progress import announced
from jaxvae.runs.run import Run
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import Params

ROOM, RIGHT = "make room", "make it writable"
REMEDIES = {errno.ENOSPC: ROOM, errno.EDQUOT: ROOM, errno.EROFS: RIGHT, errno.EACCES: RIGHT, errno.EPERM: RIGHT}
T = TypeVar("T")
logger = logging.getLogger(__name__)


@contextlib.contextmanager
def open_run_dir(recipe: Recipe, data: Dataset) -> Iterator[Path]:
    """Make the run directory, or check that the one there belongs to the same run; write config and manifest.

    Until the block ends no other process trains there, and an error of writing is reported in one line.

    Raises:
        InputError: the path is a file, another process trains there, or it holds a run with other options or data.
        OSError: it cannot be written to.
    """
    run_dir = recipe.run_dir
    if run_dir.exists() and not run_dir.is_dir():
        raise InputError(f"run-dir: {run_dir} is a file; name a folder")
    with announced(f"reading {data.name} to its end, for its fingerprint"):
        facts = facts_of(data)  # finds a damaged set before the folder is made
    with _refusals_explained(run_dir):
        if hosts.is_main():
            disk.make_folder(run_dir)
        with lock.hold(run_dir):
            _describe(run_dir, recipe, facts)
            yield run_dir


@contextlib.contextmanager
def _refusals_explained(run_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        raise OSError(
            f"run-dir: {run_dir} cannot be written to: {error.strerror}; {REMEDIES[error.errno]} and run the same "
            "command again, which goes on from the newest checkpoint"
        ) from error


def facts_of(data: Dataset) -> dict[str, Any]:
    """Return the facts by which a run identifies its data set, independent of its path."""
    return {
        "name": data.name,
        "shape": list(data.shape),
        "pixels": data.pixels,
        "train": data.train.num_examples,
        "validation": data.validation.num_examples if data.validation else 0,
        "test": data.test.num_examples,
        "fingerprint": data.fingerprint(),
        **({"classes": list(data.classes)} if data.classes else {}),
        **({"preparation": dict(data.preparation)} if data.preparation else {}),
        **({"scaling": data.scaling.to_json()} if data.scaling else {}),
        **({"condition": data.condition.to_json()} if data.condition else {}),
        **({"space": spaces.to_json(data.space)} if not isinstance(data.space, Pixels | Real) else {}),
        **({"names": dict(data.facts)} if data.facts else {}),
    }


def _describe(run_dir: Path, recipe: Recipe, facts: dict[str, Any]) -> None:
    if (run_dir / "config.json").exists() or Checkpoints(run_dir / "checkpoints").steps():
        there = read_config(run_dir, recipe.classes)
        _check_same(identity(there), identity(recipe), f"run-dir: {run_dir} holds a run with other")
        # Classes are newer than the first versions; the fingerprint counts other names.
        compared = {name: fact for name, fact in facts.items() if name not in ("classes", "names")}
        _check_same(read_facts(run_dir), compared, f"dataset: {run_dir} was trained on other data:")
    hosts.wait_for_all("run directory checked")  # no process may read files that the main process is about to write
    if hosts.is_main():
        # The config last: its existence means that all files are complete.
        write_manifest(run_dir / "manifest.json", config=to_json(recipe), data=facts)
        write_json(run_dir / "config.json", to_json(recipe))
    hosts.wait_for_all("run directory written")


def _check_same(there: dict[str, Any], wanted: dict[str, Any], message: str) -> None:
    there, wanted = json.loads(json.dumps(there)), json.loads(json.dumps(wanted))
    differing = [
        f"{name} {there.get(name)} there, {wanted[name]} here" for name in wanted if there.get(name) != wanted[name]
    ]
    if differing:
        raise InputError(f"{message} {'; '.join(differing)}. Name another --run-dir, or give the same options")


def read_config(run_dir: Path, classes: Iterable[type] = ()) -> Recipe:
    """Read the options of a run; options classes of one's own are looked up among `classes`."""

    def read(values: Mapping[str, Any]) -> Recipe:
        return earlier.read(values, classes)

    return _recall(run_dir, "config.json", read, lambda about: read(about["config"]))


def read_options(run_dir: Path) -> dict[str, Any]:
    """Read the options of a run by name, without those of output and compute; classes of one's own are not needed."""

    def read(values: Mapping[str, Any]) -> dict[str, Any]:
        current = values if "format" in values else to_json(earlier.read(values))
        return plain_flat(current, {"output": None, "compute": None, "format": None})

    return _recall(run_dir, "config.json", read, lambda about: read(about["config"]))


def read_facts(run_dir: Path) -> dict[str, Any]:
    """Read the name, sizes, fingerprint and scaling of a run's data set."""
    return _recall(run_dir, "manifest.json", _data, _data)


def _data(known: dict[str, Any]) -> dict[str, Any]:
    return dict(known["data"])


def read_summary(run_dir: Path) -> dict[str, Any]:
    """Read the numbers of a finished run; empty where it is not finished."""
    try:
        return dict(json.loads((run_dir / "summary.json").read_text()))
    except (OSError, ValueError):
        return {}


def about(run_dir: Path, classes: Iterable[type] = ()) -> dict[str, Any]:
    """Return the parts of the run directory that each checkpoint repeats, in case a file is damaged."""
    return {"config": to_json(read_config(run_dir, classes)), "data": read_facts(run_dir)}


def _recall(run_dir: Path, name: str, in_file: Callable[[Any], T], in_checkpoint: Callable[[dict[str, Any]], T]) -> T:
    """Read a value from a file or, if that is damaged or missing, from the newest intact checkpoint."""
    path = run_dir / name
    try:
        return in_file(json.loads(path.read_text()))
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        repeated = Checkpoints(run_dir / "checkpoints").about()
        if repeated is None:
            raise InputError(f"run-dir: cannot read {path} ({error}); name the run directory of a training") from None
        logger.warning("%s cannot be read (%s): taken from the newest checkpoint", path, first_line(error))
        return in_checkpoint(repeated)


def load_run(
    run_dir: str | Path,
    *,
    select: Select | None = None,
    classes: Iterable[type] = (),
    model: Any = None,
    params: Params | None = None,
) -> Run:
    """Load a trained model from a run directory, with the parameters of an intact checkpoint.

    Args:
        run_dir: run directory of a training.
        select: last, the newest checkpoint; best, the one with the best ELBO on validation data; None, the one that
            the run reports.
        classes: options classes of one's own, in no table, with which the run was trained.
        model: model of a run of one's own model.
        params: parameters of the same shapes, where that model is no `VAE`.

    Raises:
        InputError: the folder holds no run, or several seeds' runs, or no checkpoint of it is intact; or best is asked
            for, and the run has no validation data.
    """
    with stores.reading(Path(run_dir)) as folder:
        return _load(folder, select, classes, model, params)


def _load(run_dir: Path, select: Select | None, classes: Iterable[type], model: Any, params: Params | None) -> Run:
    recipe = read_config(run_dir, (Own, *classes))
    if isinstance(recipe.networks, Own):
        recipe = dataclasses.replace(recipe, networks=dataclasses.replace(recipe.networks, model=model, params=params))
    if recipe.train.seeds > 1:
        raise InputError(f"run-dir: {run_dir} holds {recipe.train.seeds} seeds; name one of its folders seed-N")
    facts, checkpoints = read_facts(run_dir), Checkpoints(run_dir / "checkpoints")
    if select == "best" and not facts["validation"]:
        raise InputError(f"select: {run_dir} has no validation data to choose the best checkpoint by; give last")
    condition = conditions.of_facts(facts)
    given = {"condition_space": condition and condition.space, "num_examples": facts["train"]}
    parts = build_parts(recipe, of_facts(facts), **given)
    like = jax.eval_shape(lambda params: initial_state(recipe, parts, params=params), parts.shapes)
    # A run that was interrupted early has no evaluation yet.
    reports_best = recipe.output.select == "best" and bool(checkpoints.scores())
    restored = checkpoints.restore(like, best=reports_best if select is None else select == "best")
    if restored is None:
        raise InputError(f"run-dir: {run_dir} has no checkpoint yet; train it first")
    trained, step = evaluation_params(restored.state), int(restored.state.step)
    return Run(recipe, parts.model, trained, step, facts, parts.reports_elbo, run_dir, read_summary(run_dir))


def starting_params(recipe: Recipe, parts: Parts) -> Params:
    """Load the parameters of the run in `train.init_from`, all or those of `train.init_parts`, as initial parameters.

    Raises:
        InputError: there is no run, one of the models has no such part, or the networks differ.
    """
    there = Path(str(recipe.train.init_from))
    try:
        run = load_run(there)
    except InputError as error:
        raise InputError(f"init-from: {str(error).removeprefix('run-dir: ')}") from None
    given, fresh = run.params, parts.shapes
    if names := recipe.train.init_parts:
        given, fresh = _named(given, names, f"{there} has"), _named(fresh, names, "this model has")
    theirs, ours = _networks(run.recipe), _networks(recipe)
    if _shapes(given) != _shapes(fresh) or theirs.get("activation") != ours.get("activation"):
        others = [name for name in {**ours, **theirs} if theirs.get(name) != ours.get(name)]
        named = ", ".join(
            f"{name.replace('_', '-')} {theirs.get(name)} there, {ours.get(name)} here" for name in others
        )
        raise InputError(f"init-from: the networks of {there} are others ({named}); give the same")
    return given


def _named(params: Params, names: Iterable[str], owner: str) -> Params:
    """Return the parameters of these parts."""
    if unknown := [name for name in names if name not in params]:
        raise InputError(
            f"init-parts: {owner} no {unknown[0]!r}, it has {', '.join(sorted(params))}; name some of these"
        )
    return {name: params[name] for name in names}


def _networks(recipe: Recipe) -> dict[str, Any]:
    return {"dataset": recipe.data.dataset, **model_identity(recipe)}


def _shapes(params: Params) -> Any:
    return jax.tree_util.tree_structure(params), [leaf.shape for leaf in jax.tree.leaves(params)]

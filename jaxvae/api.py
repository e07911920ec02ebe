"""The library from Python: `train` a recipe, `load` a run, `fit` a model of one's own."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jaxvae import hosts
from jaxvae.data import Dataset, open_data
from jaxvae.data.conditions import conditioned, fit_condition
from jaxvae.data.places import MEMORY
from jaxvae.errors import InputError, first_line
from jaxvae.export import hub
from jaxvae.export.hub import is_hub_folder
from jaxvae.objectives import elbo_loss
from jaxvae.options.from_signature import options_of
from jaxvae.options.given import given
from jaxvae.options.groups import Select
from jaxvae.options.own import latent_dim, own
from jaxvae.options.recipe import Recipe
from jaxvae.packages import missing_named
from jaxvae.runs import directory, drawing, seeds
from jaxvae.runs.compute import set_up
from jaxvae.runs.experiment import Experiment, prepare
from jaxvae.runs.run import Run
from jaxvae.runs.training import Callback, train_to_the_end
from jaxvae.training.loop import steps_taken
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import TrainState


def preset(name: str = "auto", **options: Any) -> Recipe:
    """Return the recipe of a preset, with options by their names on the command line.

    >>> preset("vae", latent_dim=2, prior="vamp", **{"prior.num_inputs": 50}).prior
    Vamp(num_inputs=50)

    Args:
        name: name of a preset.
        options: options, such as `steps=1000`; a name with a dot is given as `**{"prior.num_inputs": 50}`.

    Raises:
        InputError: there is no such preset or option, or an option is invalid.
    """
    chosen = given(preset=name, **options)
    chosen.check()
    return chosen


@missing_named()
def train(
    recipe: Recipe | None = None,
    data: Any = None,
    *,
    label: Any = None,
    attributes: Any = None,
    run_dir: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    draw: bool = False,
) -> Run:
    """Train a recipe, as train.py does, and return the trained model.

    The same call resumes an interrupted run, and returns at once what is trained already. With `seeds=3` it is the run
    of the first seed, which has those of the next seeds as `run.others`.

    Args:
        recipe: all options; the preset `auto` if not given.
        data: data set: an array, a table, sentences, counts, a name or a path, see `jaxvae.data.open_data`; that of the
            recipe if not given.
        label: `[N]` classes of an array's examples.
        attributes: `[N]` numbers of each of an array's examples, by name.
        run_dir: folder for all output; that of the recipe, or one under runs/ named after options and data if not.
        callbacks: functions of the step, the metrics by name and a copy of the state, called every `log_every` steps;
            one that returns True ends the training.
        draw: draw the figures at the end into the run directory.

    Raises:
        InputError: the options contradict each other, the data or the run directory.
        NonFiniteError: a step was not finite.
    """
    recipe = preset() if recipe is None else recipe
    if run_dir is not None:
        recipe = dataclasses.replace(recipe, output=dataclasses.replace(recipe.output, run_dir=Path(run_dir)))
    recipe.check()
    opened = None if data is None else _open(recipe, data, label, attributes)
    return _train(recipe if opened is None else _of_data(recipe, opened, data), opened, callbacks, draw=draw)


@missing_named()
def fit(
    model: Any,
    data: Any,
    *,
    params: Any = None,
    objective: Callable[..., Any] = elbo_loss,
    label: Any = None,
    attributes: Any = None,
    run_dir: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    **options: Any,
) -> Run:
    """Train networks and a loss of one's own with everything that train.py has.

    Args:
        model: a `VAE`, or any object with `encode(params, x)`, `decode(params, z)` and `prior(params)`.
        data: see `train`.
        params: initial parameters, a tree of arrays, which stay as they are; a `VAE` makes its own.
        objective: loss `(params, key, x, *, model, condition=None, weights=None, ...) -> (loss, aux)`.
        label: see `train`.
        attributes: see `train`.
        run_dir: folder for checkpoints, metrics and summary, from which the same call resumes; nothing is kept if not
            given.
        callbacks: see `train`.
        options: options of the objective, and those of data, training, output and compute that train.py has, such as
            `steps=5000`.

    Raises:
        InputError: model, parameters, data and options do not fit each other.
        NonFiniteError: a step was not finite.
    """
    chosen = given(Recipe(objective=options_of(objective)(), preset="own"), **options)
    opened = _open(chosen, data, label, attributes)
    chosen = _of_data(chosen, opened, data)
    with _folder(run_dir) as folder:
        output = dataclasses.replace(chosen.output, run_dir=folder, figures=False)
        networks, size = _own(model, params, opened, chosen.condition)
        train = dataclasses.replace(chosen.train, output_bias=False)
        chosen = dataclasses.replace(chosen, networks=networks, latent_dim=size, output=output, train=train)
        chosen.check()
        run = _train(chosen, opened, callbacks)
        return run if run_dir is not None else _unkept(run)


@missing_named()
def load(
    run_dir: str | Path,
    *,
    select: Select | None = None,
    model: Any = None,
    params: Any = None,
    classes: Iterable[type] = (),
) -> Run:
    """Load a trained model from its run directory.

    Args:
        run_dir: run directory; or a model of the Hugging Face hub, `hf://owner/name`, or a local folder of one.
        select: `last` or `best` checkpoint; the one that the run reports if not given.
        model: the model of a run of `fit`.
        params: parameters of the same shapes, where the model is no `VAE`.
        classes: options classes of one's own, in no table, with which the run was trained.

    Raises:
        InputError: there is no run, it is damaged, or it needs a model.
    """
    if is_hub_folder(run_dir):
        return hub.load(run_dir, classes)
    return directory.load_run(run_dir, select=select, classes=classes, model=model, params=params)


def _open(recipe: Recipe, data: Any, label: Any, attributes: Any) -> Dataset:
    options: dict[str, Any] = {"label": label, "attributes": attributes, "preparation": recipe.preparation}
    return open_data(data, recipe.data.data_dir, **options)


def _of_data(recipe: Recipe, opened: Dataset, data: Any) -> Recipe:
    """Return the recipe with the name of the data: a path as it is, or a name with a digest of what lies in memory."""
    is_name = isinstance(data, str | Path)  # whose data need not be read to their end for a digest
    name = str(data) if is_name else f"{MEMORY}{opened.name}-{opened.fingerprint()[:8]}"
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, dataset=name))


def _train(recipe: Recipe, data: Dataset | None, callbacks: Sequence[Callback], *, draw: bool = False) -> Run:
    compute = recipe.compute
    # A program that uses JAX already can join no cluster; one that wants it calls `jax.distributed.initialize` first.
    set_up(compute if compute.coordinator is not None else dataclasses.replace(compute, num_processes=1))
    with prepare(recipe, data) as experiment:
        end = train_to_the_end(experiment, draw=drawing.draw if draw else None, callbacks=callbacks)
        first, *others = (_run(experiment, *member) for member in seeds.members(experiment.recipe, end.state))
        return dataclasses.replace(first, others=tuple(others))


def _run(experiment: Experiment, recipe: Recipe, state: TrainState) -> Run:
    """Return the run of one seed, with the facts of the folder of all."""
    parts, folder = experiment.parts, recipe.run_dir
    facts, summary = directory.read_facts(experiment.run_dir), directory.read_summary(folder)
    params, step = evaluation_params(hosts.local(state)), steps_taken(state)
    return Run(recipe, parts.model, params, step, facts, parts.reports_elbo, folder, summary, experiment.data)


def _unkept(run: Run) -> Run:
    """Return a run whose folder will be removed, and so will those of its other seeds."""
    return dataclasses.replace(run, folder=None, others=tuple(_unkept(other) for other in run.others))


@contextlib.contextmanager
def _folder(run_dir: str | Path | None) -> Iterator[Path]:
    if run_dir is not None:
        yield Path(run_dir)
        return
    with tempfile.TemporaryDirectory(prefix="jaxvae-") as folder:
        yield Path(folder) / "run"


def _own(model: Any, params: Any, data: Dataset, condition: str) -> tuple[Any, int]:
    """Return the options of a model of one's own, and the number of dimensions of its codes."""
    for name in ("encode", "decode", "prior"):
        if not hasattr(model, name):
            raise InputError(f"model: has no {name}; give a VAE, or Functions(encode, decode, prior)")
    one = None if condition == "none" else conditioned(data, fit_condition(condition, data)).train.condition_space
    blank = data.space.zeros(1), None if one is None else one.zeros(1)
    try:
        networks = own(model, params, *blank)
        return networks, latent_dim(networks, *blank)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        shape = f"{data.space.shape}" if one is None else f"{data.space.shape} and conditions of {one.shape}"
        raise InputError(f"model: it does not encode examples of shape {shape}: {first_line(error)}") from error

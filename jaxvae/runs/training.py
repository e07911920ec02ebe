"""Training of a run: started or resumed, to its last step or until early stopping."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxvae import disk, hosts
from jaxvae.checkpoint import Restored
from jaxvae.options.groups import Output, settled
from jaxvae.options.own import Own
from jaxvae.options.recipe import Recipe
from jaxvae.report.gallery import Gallery
from jaxvae.runs import directory, nonfinite, seeds
from jaxvae.runs.experiment import Experiment, prepare
from jaxvae.runs.inference import InferencePhase
from jaxvae.runs.kinds import kinds_of_columns
from jaxvae.runs.parts import examples_to_begin_with, initial_state, pretrained_parts
from jaxvae.runs.recorder import Recorder
from jaxvae.runs.selection import Patience
from jaxvae.runs.summary import summarize
from jaxvae.trackers.tracking import Tracking
from jaxvae.training import Hook, Interrupt, NonFiniteError, Progress, train
from jaxvae.training.loop import steps_taken
from jaxvae.training.nonfinite import check_state
from jaxvae.types import Chunk, TrainState

Draw: TypeAlias = Callable[[Experiment, TrainState, Path], None]
"""Function that draws the figures of a run in a state into a folder."""
Callback: TypeAlias = Callable[[int, dict[str, Any], TrainState], bool | None]
"""Function of the step, the averages of its metrics since the last call, and the state; True ends the training."""
Watch: TypeAlias = Callable[[int, dict[str, Any]], None]
"""Function of the step and the numbers of an evaluation, after its checkpoint; an error that it raises ends the run."""


def train_run(
    recipe: Recipe,
    *,
    draw: Draw | None = None,
    announce: Callable[[Experiment], None] | None = None,
    options: Collection[str] | None = None,
) -> int:
    """Train a run to its last step, from its newest checkpoint if there is one, and write its summary.

    Args:
        recipe: its options; `run_dir` and others that are not given are filled in.
        draw: function that draws the figures of a finished run.
        announce: function called with the run before the training.
        options: names of the caller's options, which advice may mention; None for those of `jaxvae train`.

    Returns:
        The exit code: 0, that of the signal that stopped the run early, or 3 at a step that was not finite.

    Raises:
        InputError: the options contradict each other, the data or the run directory.
        OSError: the run directory cannot be written to.
    """
    with prepare(recipe) as experiment:
        if announce is not None:
            announce(experiment)
        try:
            return train_to_the_end(experiment, draw=draw, options=options).exit_code
        except NonFiniteError as fault:
            return nonfinite.report(experiment.recipe, experiment.engine, experiment.checkpoints.steps(), fault)


class End(NamedTuple):
    """End of a training."""

    exit_code: int
    """0, or that of the signal that stopped it early."""
    state: TrainState
    """State that the run reports; the last one where it was stopped early."""


def train_to_the_end(
    experiment: Experiment,
    *,
    draw: Draw | None = None,
    options: Collection[str] | None = None,
    callbacks: Sequence[Callback] = (),
    watch: Watch | None = None,
    interrupt: Interrupt | None = None,
) -> End:
    """Train a prepared run to its last step, write its summary and draw its figures; see `train_run`.

    Signals are noted by `interrupt`, by one of its own if not given.

    Raises:
        NonFiniteError: a step was not finite.
    """
    recipe, run_dir = experiment.recipe, experiment.run_dir
    output, num_steps = recipe.output, recipe.train.steps
    for line in kinds_of_columns(experiment.data):
        experiment.say(line)
    restored = restore_or_init(experiment)
    state, summary = restored.state, run_dir / "summary.json"
    patience = Patience(settled(output.patience), restored.about.get("patience"))
    if (steps_taken(state) >= num_steps or patience.is_over) and _reports(run_dir, output):
        option = "--patience" if patience.is_over else "--steps"
        experiment.say(f"{run_dir} is at step {steps_taken(state)} already: raise {option} to continue it")
        selected = experiment.selected(state)
        if draw is not None and output.figures and not (run_dir / "figures").exists():  # interrupted while drawing
            draw_figures(experiment, selected, draw)
        return End(0, selected)
    hosts.wait_for_all("read the summary")
    if hosts.is_main():
        summary.unlink(missing_ok=True)  # it belongs to an earlier last step
        (run_dir / nonfinite.FILE).unlink(missing_ok=True)
    with experiment.tracked(steps_taken(state)) as tracking:
        with Interrupt() if interrupt is None else contextlib.nullcontext(interrupt) as interrupt:
            state, progress = fit(experiment, restored, patience, interrupt, tracking, callbacks, watch)
        if hosts.any_process(bool(interrupt)):
            experiment.say(
                f"stopped at step {steps_taken(state)}, saved in {run_dir}: run the same command again to go on"
            )
            return End(interrupt.exit_code or 143, state)  # another process was told to stop
        selected = experiment.selected(state)
        summarize(experiment, state, selected, progress, options)  # first, so that a failed figure costs no summary
        if draw is not None and output.figures:
            draw_figures(experiment, selected, draw)
        if tracking is not None:
            tracking.finish(directory.read_summary(run_dir), run_dir / "figures")
    return End(0, selected)


def draw_figures(experiment: Experiment, state: TrainState, draw: Draw) -> None:
    """Draw all figures of a state or, if the process is interrupted, none."""
    if not hosts.is_main():
        return
    folder, part = experiment.run_dir / "figures", experiment.run_dir / "figures.part"
    shutil.rmtree(part, ignore_errors=True)
    with Gallery(experiment.run_dir).figure("figures"):
        draw(experiment, state, part)
        shutil.rmtree(folder, ignore_errors=True)
        disk.put(part, folder)
        experiment.say(f"figures in {folder}")


def _reports(run_dir: Path, output: Output) -> bool:
    """Return True if there is a summary of the checkpoint that is asked for."""
    summary = directory.read_summary(run_dir)
    return bool(summary) and summary.get("select", "last") == output.select


def restore_or_init(experiment: Experiment) -> Restored[TrainState]:
    """Restore the newest checkpoint's state, or initialise one without notes."""
    recipe, data, parts, _, run_dir, checkpoints = experiment
    mean = jax.tree.map(jnp.asarray, data.train.mean()) if recipe.train.output_bias else None
    params = recipe.networks.initial_params() if isinstance(recipe.networks, Own) else None
    beginning: dict[str, Any] = {"mean": mean, "examples": examples_to_begin_with(parts.model, data.train)}
    state = initial_state(recipe, parts, **beginning, params=params)
    if hosts.is_main():
        checkpoints.remove_parts()
    restored = checkpoints.restore(state)
    if restored is not None:
        experiment.say(f"resuming {run_dir} from step {steps_taken(restored.state)}")
        return restored
    if (run_dir / "metrics.jsonl").exists():
        experiment.say(f"{run_dir} has no checkpoint yet: beginning again with step 1")
    if pretrained := pretrained_parts(parts.model):
        beginning["pretrained"] = pretrained
        state = initial_state(recipe, parts, **beginning, params=params)
    if recipe.train.init_from is not None:
        params = directory.starting_params(recipe, parts)
        state = initial_state(recipe, parts, params=params, **beginning)
        named = ", ".join(recipe.train.init_parts) or "parameters"
        experiment.say(f"beginning with the {named} of {recipe.train.init_from}")
    return Restored(state, {})


def fit(
    experiment: Experiment,
    restored: Restored[TrainState],
    patience: Patience,
    interrupt: Interrupt,
    tracking: Tracking | None = None,
    callbacks: Sequence[Callback] = (),
    watch: Watch | None = None,
) -> tuple[TrainState, Progress]:
    """Train to the last step, early stopping, or an interruption, with logs and checkpoints."""
    recipe, data, parts, engine, run_dir, checkpoints = experiment
    output, num_steps = recipe.output, recipe.train.steps
    state, known = restored
    about, first_step = directory.about(run_dir, recipe.classes), steps_taken(state)
    phase = InferencePhase(experiment, known)

    with Recorder(experiment, tracking, first_step=first_step, lines=known.get("lines")) as recorder:

        def evaluate_and_save(state: TrainState, progress: Progress) -> bool:
            name, split = ("validation", data.validation) if data.validation else ("test", data.test)
            state = hosts.local(state)
            estimate = seeds.together(seeds.evaluate(recipe, parts, state, split))
            score = estimate.get("elbo", estimate["log_likelihood"])
            recorder.write(name, steps_taken(state), {"loss": -score, **estimate, **phase.evaluate(state)})
            if data.validation:
                patience.see(score)
            save(state, progress, score if data.validation else None)  # the test split must not select
            if watch is not None:
                watch(steps_taken(state), estimate)
            return patience.is_over

        def save(state: TrainState, progress: Progress, score: float | None) -> None:
            # With these sums the next line of metrics equals that of an uninterrupted run.
            check_state(state)
            recorder.sync()
            to_go_on = {"pending": progress.pending(), "lines": recorder.lines, "patience": patience.to_json()}
            checkpoints.save(steps_taken(state), state, {**about, **to_go_on, **phase.notes()}, score)

        def log(state: TrainState, progress: Progress) -> bool:
            values = recorder.log(state, progress)
            # Copies, because the next step donates the state.
            wishes = [
                callback(steps_taken(state), values, jax.tree.map(jnp.copy, hosts.local(state)))
                for callback in callbacks
            ]
            return any(wishes)

        def compile(state: TrainState, chunk: Chunk) -> None:
            engine.dispatch.compile(state, chunk)
            hosts.wait_for_all("steps compiled")
            hosts.any_process(False)  # compiles the check after every chunk

        state, progress = train(
            engine.dispatch.place_state(state),
            lambda state, chunk: engine.dispatch.run(phase.write(state), chunk),
            () if patience.is_over else engine.chunks(first_step),
            num_steps=num_steps,
            hooks=(Hook(output.log_every, log), Hook(settled(output.checkpoint_every), evaluate_and_save)),
            should_stop=lambda: hosts.any_process(bool(interrupt)),
            pending=known.get("pending"),
            compile=compile,
            note=recorder.note,
            clock=engine.dispatch.clock,
        )
        state = hosts.local(state)
        if steps_taken(state) < num_steps and not patience.is_over:
            save(state, progress, score=None)
    return state, progress

"""Training of a run: to its last step or until it gets no better, from wherever its directory says that it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np

from jaxvae import hosts
from jaxvae.checkpoint import Restored
from jaxvae.report import MetricsWriter
from jaxvae.report.gallery import Gallery
from jaxvae.runs import directory, nonfinite, pieces, seeds
from jaxvae.runs.config import TrainConfig, settled
from jaxvae.runs.experiment import Experiment, prepare, say
from jaxvae.runs.selection import Patience
from jaxvae.runs.summary import summarize
from jaxvae.training import Hook, Interrupt, NonFiniteError, Progress, train
from jaxvae.training.loop import steps_taken
from jaxvae.training.nonfinite import check_state
from jaxvae.types import Chunk, TrainState

Draw: TypeAlias = Callable[[Experiment, TrainState, Path], None]
"""Draws the figures of a run in a state into a folder."""


def train_run(
    config: TrainConfig,
    *,
    draw: Draw | None = None,
    announce: Callable[[Experiment], None] | None = None,
    options: Collection[str] | None = None,
) -> int:
    """Train a run to its last step, from where its directory says that it is, and write its summary.

    Args:
        config: its options; `run_dir` and all else that is not given is filled in.
        draw: draws the figures of a run that has ended.
        announce: is told what is about to be trained.
        options: names of the caller's options, so that advice names no other; None for those of train.py.

    Returns:
        The exit code: 0, what the signal says that stopped the run before its end, or 3 at a step that was not finite.

    Raises:
        InputError: the options contradict each other, the data or what is in the run directory.
        OSError: the run directory cannot be written to.
    """
    with prepare(config) as experiment:
        if announce is not None:
            announce(experiment)
        return _train_to_the_end(experiment, draw, options)


def _train_to_the_end(
    experiment: Experiment,
    draw: Draw | None,
    options: Collection[str] | None,
) -> int:
    config, run_dir = experiment.config, experiment.run_dir
    restored = restore_or_init(experiment)
    state, summary = restored.state, run_dir / "summary.json"
    patience = Patience(settled(config.patience), restored.about.get("patience"))
    if (steps_taken(state) >= config.steps or patience.is_over) and _reports(summary, config):
        option = "--patience" if patience.is_over else "--steps"
        say(f"{run_dir} is at step {steps_taken(state)} already: raise {option} to continue it")
        _draw_figures(experiment, state, draw, again=False)
        return 0
    hosts.wait_for_all("read the summary")
    if hosts.is_main():
        summary.unlink(missing_ok=True)  # it speaks of a last step that is the last no more
        (run_dir / nonfinite.FILE).unlink(missing_ok=True)
    with Interrupt() as interrupt:
        try:
            state, progress = fit(experiment, restored, patience, interrupt)
        except NonFiniteError as fault:
            return nonfinite.report(config, experiment.engine, experiment.checkpoints.steps(), fault)
    ended = steps_taken(state) >= config.steps or patience.is_over
    if not ended or hosts.any_process(bool(interrupt)):
        say(f"stopped at step {steps_taken(state)}, saved in {run_dir}: run the same command again to go on")
        return interrupt.exit_code or 143  # of several processes, another was told to stop
    if hosts.is_main():
        summarize(experiment, state, progress, options)  # first: no figure is worth a summary
    _draw_figures(experiment, state, draw, again=True)
    return 0


def _draw_figures(experiment: Experiment, last: TrainState, draw: Draw | None, *, again: bool) -> None:
    """Draw the figures of the reported state, again or only where an interruption left none; all or none are there."""
    folder = experiment.run_dir / "figures"
    if draw is None or not experiment.config.figures or not hosts.is_main() or (folder.exists() and not again):
        return
    part = folder.with_name("figures.part")
    shutil.rmtree(part, ignore_errors=True)
    with Gallery(experiment.run_dir).figure("figures"):
        draw(experiment, experiment.selected(last), part)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        print(f"figures in {folder}")


def _reports(summary: Path, config: TrainConfig) -> bool:
    """Whether a summary is there, of the checkpoint that is asked for."""
    try:
        return json.loads(summary.read_text()).get("select", "last") == config.select
    except (OSError, ValueError, AttributeError):
        return False


def restore_or_init(experiment: Experiment) -> Restored[TrainState]:
    """The newest checkpoint's state, or a fresh one of which nothing is known."""
    config, data, model, _, run_dir, checkpoints = experiment
    mean = jnp.asarray(data.train.mean()) if config.output_bias else None
    state = pieces.initial_state(config, model, data.shape, mean)
    if hosts.is_main():
        checkpoints.remove_parts()
    restored = checkpoints.restore(state)
    if restored is not None:
        say(f"resuming {run_dir} from step {steps_taken(restored.state)}")
        return restored
    if (run_dir / "metrics.jsonl").exists():
        say(f"{run_dir} has no checkpoint yet: beginning again with step 1")
    if config.init_from is not None:
        params = directory.starting_params(config, model, data.shape)
        state = pieces.initial_state(config, model, data.shape, params=params)
        say(f"beginning with the parameters of {config.init_from}")
    return Restored(state, {})


def fit(
    experiment: Experiment, restored: Restored[TrainState], patience: Patience, interrupt: Interrupt
) -> tuple[TrainState, Progress]:
    """Train to the last step, until patience is over, or to where the run is told to stop; log and save on the way."""
    config, data, model, engine, run_dir, checkpoints = experiment
    state, known = restored
    about, first_step, writes = directory.about(run_dir), steps_taken(state), hosts.is_main()
    learning_rate = pieces.build_learning_rate(config)
    from tqdm import tqdm

    with tqdm(total=config.steps, initial=first_step, unit="step", disable=not writes) as bar:
        writer = None
        if writes:
            writer = MetricsWriter(
                run_dir, first_step=first_step, tensorboard=config.tensorboard, expected=known.get("lines")
            )

        def log(state: TrainState, progress: Progress) -> None:
            step = steps_taken(state)
            rows = zip(seeds.per_seed(config, progress.take_metrics()), nonfinite.skipped_steps(config, state))
            values = seeds.together([{**row, **skipped} for row, skipped in rows])
            # Of steps that were all left out there is no average.
            values = {name: value for name, value in values.items() if np.isfinite(value).all()}
            if config.posterior == "delta":  # to be a point has no finite KL, and nobody needs the prior's pull on it
                values = {name: value for name, value in values.items() if not name.startswith("kl")}
            speed = progress.examples_per_second
            rates = {
                "learning_rate": float(learning_rate(step - 1)) * nonfinite.learning_rate_factor(config, state),
                **({} if speed is None else {"examples_per_second": speed}),
            }
            if writer:
                writer.write("train", step, {**values, **rates})
            shown = {name: f"{values[key]:.2f}" for name, key in (("loss", "loss"), ("KL", "kl")) if key in values}
            bar.set_postfix({**shown, "images/s": "-" if speed is None else f"{speed:,.0f}"})

        def note(step: int) -> None:
            if step == first_step:
                bar.unpause()  # compiling is over: it took no time of a step
            bar.update(step - bar.n)

        def compile(state: TrainState, chunk: Chunk) -> None:
            engine.dispatch.compile(state, chunk)
            hosts.wait_for_all("steps compiled")
            hosts.any_process(False)  # compiles what asks them after every chunk

        def evaluate_and_save(state: TrainState, progress: Progress) -> bool:
            name, split = ("validation", data.validation) if data.validation else ("test", data.test)
            state = hosts.local(state)
            estimate = seeds.evaluate(config, model, state, split)
            score = estimate.get("elbo", estimate["log_likelihood"])
            if writer:
                writer.write(name, steps_taken(state), {"loss": -score, **estimate})
            if data.validation:
                patience.see(score)
            save(state, progress, score if data.validation else None)  # the test split chooses nothing
            return patience.is_over

        def save(state: TrainState, progress: Progress, score: float | None) -> None:
            # With what the next line of metrics is averaged over, it will be the line of a run that never stopped.
            check_state(state)
            to_go_on = {
                "pending": progress.pending(),
                "lines": writer.lines if writer else 0,
                "patience": patience.to_json(),
            }
            checkpoints.save(steps_taken(state), state, {**about, **to_go_on}, score)

        state, progress = train(
            engine.dispatch.place_state(state),
            engine.dispatch.run,
            () if patience.is_over else engine.chunks(first_step),
            num_steps=config.steps,
            hooks=(Hook(config.log_every, log), Hook(settled(config.checkpoint_every), evaluate_and_save)),
            should_stop=lambda: hosts.any_process(bool(interrupt)),
            pending=known.get("pending"),
            compile=compile,
            note=note,
        )
        state = hosts.local(state)
        if steps_taken(state) < config.steps and not patience.is_over:
            save(state, progress, score=None)
    return state, progress

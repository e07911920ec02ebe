"""A whole run: what it is made of, training it to its last step or going on with it, and its summary."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxvae import hosts
from jaxvae.checkpoint import Checkpoints, Restored, digest
from jaxvae.data import Dataset, load
from jaxvae.model import VAE
from jaxvae.report import MetricsWriter, write_json
from jaxvae.report.gallery import Gallery
from jaxvae.runs import collapse, directory, nonfinite, pieces, seeds
from jaxvae.runs.config import TrainConfig
from jaxvae.runs.engine import Engine, build_engine, is_resident
from jaxvae.training import Hook, Interrupt, NonFiniteError, Progress, train
from jaxvae.training.loop import steps_taken
from jaxvae.training.nonfinite import check_state
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import InputError, TrainState


class Experiment(NamedTuple):
    """What stays the same while a run trains."""

    config: TrainConfig
    data: Dataset
    model: VAE
    engine: Engine
    run_dir: Path
    checkpoints: Checkpoints


def train_run(
    config: TrainConfig,
    *,
    draw: Callable[[Experiment, TrainState], None] | None = None,
    announce: Callable[[Experiment], None] | None = None,
) -> int:
    """Train a run to its last step, from where its directory says that it is, and write its summary.

    Args:
        config: its options; `run_dir` and all else that is not given is filled in.
        draw: draws the figures of a run that has ended.
        announce: is told what is about to be trained.

    Returns:
        The exit code: 0, what the signal says that stopped the run before its end, or 3 at a step that was not finite.

    Raises:
        InputError: the options contradict each other, the data or what is in the run directory.
        OSError: the run directory cannot be written to.
    """
    with prepare(config) as experiment:
        if announce is not None:
            announce(experiment)
        return _train_to_the_end(experiment, draw)


def _train_to_the_end(experiment: Experiment, draw: Callable[[Experiment, TrainState], None] | None) -> int:
    config, run_dir = experiment.config, experiment.run_dir
    restored = restore_or_init(experiment)
    state, summary = restored.state, run_dir / "summary.json"
    if steps_taken(state) >= config.steps and _is_json(summary):
        say(f"{run_dir} is at step {steps_taken(state)} already: raise --steps to continue it")
        return 0
    hosts.wait_for_all("read the summary")
    if hosts.is_main():
        summary.unlink(missing_ok=True)  # it speaks of a last step that is the last no more
        (run_dir / nonfinite.FILE).unlink(missing_ok=True)
    with Interrupt() as interrupt:
        try:
            state, progress = fit(experiment, restored, interrupt)
        except NonFiniteError as fault:
            return nonfinite.report(config, experiment.engine, experiment.checkpoints.steps(), fault)
    if steps_taken(state) < config.steps or hosts.any_process(bool(interrupt)):
        say(f"stopped at step {steps_taken(state)}, saved in {run_dir}: run the same command again to go on")
        return interrupt.exit_code or 143  # of several processes, another was told to stop
    if hosts.is_main():
        summarize(experiment, state, progress)  # first: no figure is worth a summary
        if draw is not None and config.figures:
            with Gallery(run_dir).figure("figures"):
                draw(experiment, state)
    return 0


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text()), dict)
    except (OSError, ValueError):
        return False


def say(line: str) -> None:
    """Print a line, once for all processes."""
    if hosts.is_main():
        print(line)


@contextlib.contextmanager
def prepare(config: TrainConfig) -> Iterator[Experiment]:
    """Load the data, settle the options, lay out the training, and only then open the run directory."""
    data = load(config.dataset, config.data_dir, stream=True)
    if config.train_examples is not None:
        data = _fewer(data, config.train_examples)
    if is_resident(config.compute, data.train.image):
        data = data.in_memory()
    config = pieces.resolve(config, data)
    model = pieces.build_model(config, data.shape)
    engine = build_engine(config, model, data.train)
    checkpoints = Checkpoints(Path(str(config.run_dir)) / "checkpoints")
    if config.init_from is not None and not checkpoints.steps():
        directory.starting_params(config, model, data.shape)  # read to refuse it before a folder is made
    with directory.open_run_dir(config, data) as run_dir:
        yield Experiment(config, data, model, engine, run_dir, checkpoints)


def _fewer(data: Dataset, num: int) -> Dataset:
    if num > data.train.num_examples:
        raise InputError(f"train-examples: {num} asked for, {data.name} has {data.train.num_examples}; ask for fewer")
    return data._replace(train=data.train.take(np.arange(num)))


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


def fit(experiment: Experiment, restored: Restored[TrainState], interrupt: Interrupt) -> tuple[TrainState, Progress]:
    """Train to the last step, or to where the run is told to stop, logging and saving on the way."""
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
            rates = {
                "learning_rate": float(learning_rate(step - 1)) * nonfinite.learning_rate_factor(config, state),
                "examples_per_second": progress.examples_per_second,
            }
            if writer:
                writer.write("train", step, {**values, **rates})
            shown = {name: f"{values[key]:.2f}" for name, key in (("loss", "loss"), ("KL", "kl")) if key in values}
            bar.set_postfix({**shown, "images/s": f"{progress.examples_per_second:,.0f}"}, refresh=False)
            bar.update(step - bar.n)

        def evaluate_and_save(state: TrainState, progress: Progress) -> None:
            name, split = ("validation", data.validation) if data.validation else ("test", data.test)
            state = hosts.local(state)
            estimate = seeds.evaluate(config, model, state, split)
            score = estimate.get("elbo", estimate["log_likelihood"])
            if writer:
                writer.write(name, steps_taken(state), {"loss": -score, **estimate})
            save(state, progress, score)

        def save(state: TrainState, progress: Progress, score: float | None) -> None:
            # With what the next line of metrics is averaged over, it will be the line of a run that never stopped.
            check_state(state)
            to_go_on = {"pending": progress.pending(), "lines": writer.lines if writer else 0}
            checkpoints.save(steps_taken(state), state, {**about, **to_go_on}, score)

        state, progress = train(
            engine.dispatch.place_state(state),
            engine.dispatch.run,
            engine.chunks(first_step),
            num_steps=config.steps,
            hooks=(Hook(config.log_every, log), Hook(config.checkpoint_every, evaluate_and_save)),
            should_stop=lambda: hosts.any_process(bool(interrupt)),
            pending=known.get("pending"),
        )
        state = hosts.local(state)
        if steps_taken(state) < config.steps:
            save(state, progress, score=None)
    return state, progress


def summarize(experiment: Experiment, state: TrainState, progress: Progress) -> None:
    """Evaluate the last step on the test split and write summary.json, each seed its own where there are several."""
    config, data, model, _, run_dir, _ = experiment
    summaries = []
    for (one, member), skipped in zip(seeds.members(config, state), nonfinite.skipped_steps(config, state)):
        test = pieces.evaluate_split(one, model, evaluation_params(member), data.test)
        summaries.append(
            {
                **{f"test_{name}": value for name, value in test.items()},
                "steps": steps_taken(state),
                "examples_per_second": progress.examples_per_second,
                "first_run_at": progress.first_run_at,
                "params_sha256": digest(evaluation_params(member)),
                **skipped,
            }
        )
        if config.seeds > 1:
            seeds.save_alone(one, data, member, score=test.get("elbo", test["log_likelihood"]))
            write_json(Path(str(one.run_dir)) / "summary.json", summaries[-1])
    summary = seeds.together(summaries)
    write_json(run_dir / "summary.json", summary)
    print(_headline(config, summary))
    if warning := collapse.warning(config, summaries):
        print(warning)


def _headline(config: TrainConfig, summary: dict[str, Any]) -> str:
    if config.posterior == "delta":
        value = summary["test_log_likelihood"]
        return f"test log-likelihood {value:.2f} nats per image; of a code that is a point there is no ELBO"
    if config.seeds > 1:
        return f"test ELBO {summary['test_elbo']:.2f}, over {config.seeds} seeds ± {summary['test_elbo_std']:.2f} nats"
    return f"test ELBO {summary['test_elbo']:.2f} ± {summary['test_elbo_standard_error']:.2f} nats per image"

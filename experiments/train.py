"""Train a VAE: `python experiments/train.py --help` lists the options, and with none it learns small digits.

A run directory holds config.json, manifest.json, metrics.jsonl, summary.json, figures/, tensorboard/, checkpoints/.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
from tqdm import tqdm

from jaxvae import rng
from jaxvae.checkpoint import Checkpoints, digest
from jaxvae.data import Dataset, load
from jaxvae.data.batches import training_batches
from jaxvae.latent import manifold_grid
from jaxvae.model import VAE
from jaxvae.report import MetricsWriter, figures, read_metrics, write_json
from jaxvae.runs import directory, pieces
from jaxvae.runs.command_line import run_script
from jaxvae.runs.config import TrainConfig
from jaxvae.training import Dispatch, Hook, Interrupt, Progress, make_train_step, train
from jaxvae.training.step import Metrics
from jaxvae.types import Array, TrainState


class Experiment(NamedTuple):
    """What stays the same while a run trains."""

    config: TrainConfig
    data: Dataset
    model: VAE
    run_dir: Path
    checkpoints: Checkpoints


def main(config: TrainConfig) -> int:
    """Run one experiment from its options to its figures; returns the exit code."""
    experiment = prepare(config)
    config, run_dir = experiment.config, experiment.run_dir
    state = restore_or_init(experiment)
    summary = run_dir / "summary.json"
    if int(state.step) >= config.steps and summary.exists():
        print(f"{run_dir} is at step {int(state.step)} already: raise --steps to continue it")
        return 0
    summary.unlink(missing_ok=True)  # it speaks of a last step that is the last no more
    with Interrupt() as interrupt:
        state, progress = fit(experiment, state, interrupt)
    experiment.checkpoints.close()
    if int(state.step) < config.steps:
        print(f"stopped at step {int(state.step)}, saved in {run_dir}: run the same command again to go on")
        return interrupt.exit_code
    summarize(experiment, state, progress)
    draw(experiment, state)
    return 0


def prepare(config: TrainConfig) -> Experiment:
    """Load the data, settle the options, open the run directory."""
    data = load(config.dataset, config.data_dir)
    config = pieces.resolve(config, data)
    model = pieces.build_model(config, data.shape)
    run_dir = directory.open_run_dir(config, data)
    return Experiment(config, data, model, run_dir, Checkpoints(run_dir / "checkpoints"))


def restore_or_init(experiment: Experiment) -> TrainState:
    """The newest checkpoint's state, or a fresh one."""
    config, data, model, run_dir, checkpoints = experiment
    mean = jnp.asarray(data.train.mean()) if config.output_bias else None
    state = pieces.initial_state(config, model, data.shape, mean)
    restored = checkpoints.restore(state)
    if restored is None:
        return state
    print(f"resuming {run_dir} from step {int(restored.step)}")
    return restored


def fit(experiment: Experiment, state: TrainState, interrupt: Interrupt) -> tuple[TrainState, Progress]:
    """Train to the last step, or to where the run is told to stop, logging and saving on the way."""
    config, data, model, run_dir, checkpoints = experiment
    first_step = int(state.step)
    with (
        MetricsWriter(run_dir, first_step=first_step, tensorboard=config.tensorboard) as writer,
        tqdm(total=config.steps, initial=first_step, unit="step") as bar,
    ):

        def log(state: TrainState, progress: Progress) -> None:
            step, values = int(state.step), progress.take_metrics()
            writer.write("train", step, {**values, "examples_per_second": progress.examples_per_second})
            shown = {"loss": f"{values['loss']:.2f}", "KL": f"{values['kl']:.2f}"}
            bar.set_postfix({**shown, "images/s": f"{progress.examples_per_second:,.0f}"}, refresh=False)
            bar.update(step - bar.n)

        def evaluate_and_save(state: TrainState, progress: Progress) -> None:
            name, split = ("validation", data.validation) if data.validation else ("test", data.test)
            estimate = pieces.evaluate_split(config, model, state.params, split)
            writer.write(name, int(state.step), {"loss": -estimate.elbo, **estimate._asdict()})
            checkpoints.save(int(state.step), state, config.to_json(), score=estimate.elbo)

        return train(
            state,
            make_dispatch(config, model, jnp.asarray(data.train.image)),
            training_batches(rng.root(config.seed), data.train.num_examples, config.batch_size, first_step),
            num_steps=config.steps,
            hooks=(Hook(config.log_every, log), Hook(config.checkpoint_every, evaluate_and_save)),
            should_stop=lambda: bool(interrupt),
        )


def make_dispatch(config: TrainConfig, model: VAE, images: Array) -> Dispatch:
    """`(state, ids, weights) -> (state, metrics)`, compiled: gather the batch on the device and take one step."""
    train_step = make_train_step(pieces.build_loss(config, model), pieces.build_optimizer(config))

    @functools.partial(jax.jit, donate_argnums=0)
    def dispatch(state: TrainState, images: Array, ids: Array, weights: Array) -> tuple[TrainState, Metrics]:
        return train_step(state, pieces.training_batch(config, images, state, ids, weights))

    return lambda state, ids, weights: dispatch(state, images, ids, weights)


def summarize(experiment: Experiment, state: TrainState, progress: Progress) -> None:
    """Evaluate the last step on the test split and write summary.json."""
    config, data, model, run_dir, _ = experiment
    test = pieces.evaluate_split(config, model, state.params, data.test)
    summary = {
        "test_elbo": test.elbo,
        "test_log_likelihood": test.log_likelihood,
        "test_kl": test.kl,
        "test_elbo_standard_error": test.elbo_standard_error,
        "test_examples": test.num_examples,
        "steps": int(state.step),
        "examples_per_second": progress.examples_per_second,
        "params_sha256": digest(state.params),
    }
    write_json(run_dir / "summary.json", summary)
    print(f"test ELBO {test.elbo:.2f} ± {test.elbo_standard_error:.2f} nats per image")


def draw(experiment: Experiment, state: TrainState) -> None:
    """Write the figures."""
    config, data, model, run_dir, _ = experiment
    folder, params = run_dir / "figures", state.params
    originals = jnp.asarray(data.test.first(64))
    figures.save_reconstructions(folder / "reconstructions.png", originals, model.reconstruct(params, originals))
    samples = model.sample(params, rng.stream(rng.root(config.seed), "figures"), 64)
    figures.save_grid(folder / "samples.png", samples, columns=16, title="decoded samples of the prior")
    figures.save_loss_curve(folder / "loss.png", read_metrics(run_dir / "metrics.jsonl"))
    if config.latent_dim == 2:
        examples = jnp.asarray(data.test.first(5000))
        labels = None if data.test.label is None else data.test.label[: len(examples)]
        figures.save_latent_scatter(folder / "latent.png", model.encode(params, examples).mean, labels)
        figures.save_manifold(folder / "manifold.png", model.decode(params, manifold_grid(20)).mean)
    print(f"figures in {folder}")


if __name__ == "__main__":
    run_script(main, TrainConfig)

"""Train a VAE: `python experiments/train.py --help` lists the options, and with none it learns small digits.

A run directory holds config.json, manifest.json, metrics.jsonl, summary.json, figures/, tensorboard/, checkpoints/.
"""

from __future__ import annotations

import functools
from pathlib import Path

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


def main(config: TrainConfig) -> int:
    """Run one experiment from its options to its figures; returns the exit code."""
    data = load(config.dataset, config.data_dir)
    config = pieces.resolve(config, data)
    run_dir = directory.open_run_dir(config, data)
    model = pieces.build_model(config, data.shape)
    state, checkpoints = restore_or_init(config, model, data, run_dir)
    if int(state.step) >= config.steps:
        print(f"{run_dir} is at step {int(state.step)} already: raise --steps to continue it")
        return 0
    with Interrupt() as interrupt:
        state, progress = fit(config, model, data, state, checkpoints, run_dir, interrupt)
    checkpoints.close()
    if int(state.step) < config.steps:
        print(f"stopped at step {int(state.step)}, saved in {run_dir}: run the same command again to go on")
        return interrupt.exit_code
    summarize(config, model, data, state, progress, run_dir)
    draw(config, model, data, state, run_dir)
    return 0


def restore_or_init(config: TrainConfig, model: VAE, data: Dataset, run_dir: Path) -> tuple[TrainState, Checkpoints]:
    """The newest checkpoint's state, or a fresh one."""
    mean = jnp.asarray(data.train.mean()) if config.output_bias else None
    state = pieces.initial_state(config, model, data.shape, mean)
    checkpoints = Checkpoints(run_dir / "checkpoints")
    restored = checkpoints.restore(state)
    if restored is not None:
        print(f"resuming {run_dir} from step {int(restored.step)}")
    return (state if restored is None else restored), checkpoints


def fit(
    config: TrainConfig,
    model: VAE,
    data: Dataset,
    state: TrainState,
    checkpoints: Checkpoints,
    run_dir: Path,
    interrupt: Interrupt,
) -> tuple[TrainState, Progress]:
    """Train to the last step, or to where the run is told to stop, logging and saving on the way."""
    first_step = int(state.step)
    batches = training_batches(rng.root(config.seed), data.train.num_examples, config.batch_size, first_step)
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
            batches,
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


def summarize(
    config: TrainConfig, model: VAE, data: Dataset, state: TrainState, progress: Progress, run_dir: Path
) -> None:
    """Evaluate the last step on the test split and write summary.json."""
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


def draw(config: TrainConfig, model: VAE, data: Dataset, state: TrainState, run_dir: Path) -> None:
    """Write the figures."""
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

"""Train a VAE: `python experiments/train.py --help` lists the options, and with none it learns small digits.

A run directory holds config.json, manifest.json, metrics.jsonl, summary.json, figures/, tensorboard/, checkpoints/, and
a run directory seed-N/ for each seed where several were trained at once.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.evaluation import in_blocks
from jaxvae.latent import manifold_grid
from jaxvae.objectives import CORRUPTIONS
from jaxvae.report import figures, read_metrics
from jaxvae.report.history_figures import save_kl_history
from jaxvae.runs import TrainConfig, seeds
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.reproduce import reproduce
from jaxvae.runs.training import Experiment, train_run
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import Array, TrainState


def main(config: TrainConfig) -> int:
    """Run one experiment from its options to its figures; returns the exit code."""
    if config.reproduce is not None:
        return reproduce(config, draw=draw)
    set_up(config.compute)
    return train_run(config, draw=draw)


def draw(experiment: Experiment, state: TrainState) -> None:
    """Write the figures; of several seeds the first has its picture taken."""
    config, data, model, _, run_dir, _ = experiment
    config, state = seeds.members(config, state)[0]
    folder, params = run_dir / "figures", evaluation_params(state)
    originals = data.test.first(64)
    reconstructions = in_blocks(lambda x: model.reconstruct(params, x), originals)
    figures.save_reconstructions(folder / "reconstructions.png", originals, reconstructions)
    if config.corruption != "none":
        spoilt = spoil(config, originals)
        repaired = in_blocks(lambda x: model.reconstruct(params, x), spoilt)
        before, after = (np.sqrt(np.mean((x - originals) ** 2)) for x in (spoilt, repaired))
        title = f"test images, what was done to them (RMS error {before:.2f}), what the model makes of it ({after:.2f})"
        figures.save_reconstructions(folder / "denoised.png", originals, spoilt, repaired, title=title)
    keys = rng.sample_keys(rng.stream(rng.root(config.seed), "figures"), 64)
    samples = in_blocks(lambda keys: model.sample_each(params, keys), keys)
    figures.save_grid(folder / "samples.png", samples, columns=16, title="decoded samples of the prior")
    records = read_metrics(run_dir / "metrics.jsonl")
    figures.save_loss_curve(folder / "loss.png", records)
    if any("kl_per_dimension" in record for record in records):  # to be a point has no finite KL
        save_kl_history(folder / "kl_history.png", records)
    if config.latent_dim == 2:
        examples = data.test.first(5000)
        labels = None if data.test.label is None else data.test.label[: len(examples)]
        means = in_blocks(lambda x: model.encode(params, x).mean, examples)
        figures.save_latent_scatter(folder / "latent.png", means, labels)
        manifold = in_blocks(lambda z: model.decode(params, z).mean, manifold_grid(20))
        figures.save_manifold(folder / "manifold.png", manifold)
    print(f"figures in {folder}")


def spoil(config: TrainConfig, x: np.ndarray) -> Array:
    """Examples as a denoising model's encoder sees them in training."""
    keys = rng.sample_keys(rng.stream(rng.root(config.seed), "spoilt figures"), len(x))
    corrupt = CORRUPTIONS[str(config.corruption)]
    return jax.vmap(lambda key, x: corrupt(key, x, config.corruption_level))(keys, jnp.asarray(x))


if __name__ == "__main__":
    run_script(main, TrainConfig)

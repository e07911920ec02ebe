"""Train a VAE: `python experiments/train.py --help` lists the options; without any it trains on small digits.

A run directory holds config.json, manifest.json, metrics.jsonl, summary.json, figures/, tensorboard/, checkpoints/, and
a run directory seed-N/ for each seed where several were trained together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.evaluation import in_blocks
from jaxvae.latent import manifold_grid
from jaxvae.objectives import elbo_loss
from jaxvae.options import Recipe
from jaxvae.report import figures, read_metrics
from jaxvae.report.display import value_limits
from jaxvae.report.gallery import Gallery
from jaxvae.report.history_figures import save_kl_history, save_loss_curve
from jaxvae.runs import seeds
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.reproduce import reproduce
from jaxvae.runs.samples import sample_grid
from jaxvae.runs.training import Experiment, train_run
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import Array, TrainState


def main(recipe: Recipe) -> int:
    """Run one experiment from its options to its figures; returns the exit code."""
    if recipe.output.reproduce is not None:
        return reproduce(recipe, draw=draw)
    set_up(recipe.compute)
    return train_run(recipe, draw=draw)


def draw(experiment: Experiment, state: TrainState, folder: Path) -> None:
    """Write the figures into a folder, with several seeds those of the first; one that fails gives a warning."""
    recipe, data, parts, _, run_dir, _ = experiment
    recipe, state = seeds.members(recipe, state)[0]
    gallery, params, model = Gallery(folder), evaluation_params(state), parts.model
    originals = data.test.first(64)
    own, limits = data.test.take(np.arange(len(originals))).conditions(), value_limits(originals)

    def repair(x: Array | np.ndarray) -> np.ndarray:
        return in_blocks(lambda x, own: model.reconstruct(params, x, own), x, own)

    with gallery.figure("reconstructions.png") as path:
        figures.save_reconstructions(path, originals, repair(originals))
    if hasattr(recipe.corruption, "level"):
        with gallery.figure("denoised.png") as path:
            save_denoised(path, recipe, originals, repair)
    with gallery.figure("samples.png") as path:
        key = rng.stream(rng.root(recipe.train.seed), "figures")
        sample_grid(model, params, key, split=data.test, condition=data.condition).save(path, limits)
    records = read_metrics(run_dir / "metrics.jsonl")
    with gallery.figure("loss.png") as path:
        save_loss_curve(path, records, objective_is_bound=objective_is_bound(experiment))
    # A delta posterior has no finite KL, and that of a flow is no sum over dimensions: evaluations leave it out.
    if any("kl_per_dimension" in record for record in records if record["split"] != "train"):
        with gallery.figure("kl_history.png") as path:
            save_kl_history(path, records)
    if recipe.latent_dim == 2:
        shown = data.test.take(np.arange(min(5000, data.test.num_examples)))
        with gallery.figure("latent.png") as path:
            means = in_blocks(lambda *rows: model.encode(params, *shown.read(*rows)).mean, shown.x, shown.condition)
            figures.save_latent_scatter(path, means, shown.label, names=data.classes)
    if recipe.latent_dim == 2 and own is None:  # with conditions there is a plane for each
        with gallery.figure("manifold.png") as path:
            manifold = in_blocks(lambda z: model.decode(params, z).mean, manifold_grid(20))
            figures.save_manifold(path, manifold, limits=limits)


def save_denoised(path: Path, recipe: Recipe, originals: np.ndarray, repair: Callable[[Array], np.ndarray]) -> None:
    """Draw test images, their corruptions, and the reconstructions from these."""
    corrupted = corrupt_images(recipe, originals)
    repaired = repair(corrupted)
    before, after = (np.sqrt(np.mean((x - originals) ** 2)) for x in (corrupted, repaired))
    title = f"test images, what was done to them (RMS error {before:.2f}), what the model makes of it ({after:.2f})"
    figures.save_reconstructions(path, originals, corrupted, repaired, title=title)


def objective_is_bound(experiment: Experiment) -> bool:
    """Return True if the objective is what evaluations report: the ELBO, or a delta posterior's log-likelihood."""
    objective, corrupted = experiment.recipe.objective, hasattr(experiment.recipe.corruption, "level")
    if objective.function is not elbo_loss or objective.free_bits or corrupted:
        return False
    return bool(objective.beta == (1 if experiment.parts.reports_elbo else 0))


def corrupt_images(recipe: Recipe, x: np.ndarray) -> Array:
    """Corrupt examples as for a denoising model's encoder in training."""
    keys = rng.sample_keys(rng.stream(rng.root(recipe.train.seed), "spoilt figures"), len(x))
    corruption = recipe.corruption
    return jax.vmap(lambda key, x: corruption.function(key, x, corruption.level))(keys, jnp.asarray(x))


if __name__ == "__main__":
    run_script(main, Recipe)

"""Train a VAE: `python experiments/train.py --help` lists the options; without any it trains on small digits.

A run directory holds config.json, manifest.json, metrics.jsonl, summary.json, figures/, tensorboard/, checkpoints/, and
a run directory seed-N/ for each seed where several were trained together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from figures.history import save_kl_history, save_loss_curve
from jaxvae import rng
from jaxvae.data import Dataset
from jaxvae.data.rows import num_rows
from jaxvae.data.spaces.shown import Curves, Pictures
from jaxvae.distributions.sampling import point
from jaxvae.evaluation import in_blocks
from jaxvae.latent import manifold_grid
from jaxvae.objectives import elbo_loss
from jaxvae.options import Recipe
from jaxvae.report import figures, read_metrics
from jaxvae.report.display import value_limits
from jaxvae.report.gallery import Gallery
from jaxvae.runs import seeds
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.reproduce import reproduce
from jaxvae.runs.samples import end_of_files, sample_grid, save_stages
from jaxvae.runs.trained import code, code_shape, has_dimensions
from jaxvae.runs.training import Experiment, train_run
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import Space, TrainState


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
    some = data.test.take(np.arange(min(64, data.test.num_examples)))
    originals, own = some.first(64), some.conditions()
    pictures, end = isinstance(data.show(originals), Pictures), end_of_files(data)

    def repair(x: Any) -> Any:
        return in_blocks(lambda x, own: model.reconstruct(params, x, own), x, own)

    with gallery.figure(f"reconstructions{end}") as path:
        title = f"test {data.noun}, and their reconstructions" + " below them" * pictures
        save_stages(path, data, {"test": originals, "reconstruction": repair(originals)}, title)
    if hasattr(recipe.corruption, "level"):
        with gallery.figure(f"denoised{end}") as path:
            save_denoised(path, recipe, data, originals, repair)
    with gallery.figure(f"samples{end}") as path:
        key = rng.stream(rng.root(recipe.train.seed), "figures")
        sample_grid(model, params, key, split=data.test, condition=data.condition).save(path, data)
    records = read_metrics(run_dir / "metrics.jsonl")
    with gallery.figure("loss.png") as path:
        save_loss_curve(path, records, objective_is_bound=objective_is_bound(experiment))
    # A delta posterior has no finite KL, and that of a flow is no sum over dimensions: evaluations leave it out.
    if any("kl_per_dimension" in record for record in records if record["split"] != "train"):
        with gallery.figure("kl_history.png") as path:
            save_kl_history(path, records)
    if code_shape(model, params, data.test) == (2,) and has_dimensions(model, params, data.test):
        shown = data.test.take(np.arange(min(5000, data.test.num_examples)))
        with gallery.figure("latent.png") as path:
            codes = in_blocks(lambda *rows: code(model, params, *shown.read(*rows)), shown.x, shown.condition)
            figures.save_latent_scatter(path, codes, shown.label, names=data.classes)
        if own is None and pictures:  # with conditions there is a plane for each
            with gallery.figure("manifold.png") as path:
                manifold = in_blocks(lambda z: point(model.decode(params, z)), manifold_grid(20))
                figures.save_manifold(path, manifold, limits=value_limits(originals))


def save_denoised(path: Path, recipe: Recipe, data: Dataset, originals: Any, repair: Callable[[Any], Any]) -> None:
    """Write test examples, their corruptions, and the reconstructions from these."""
    corrupted = corrupt(recipe, data.space, originals)
    repaired = repair(corrupted)
    errors = ["", ""]
    if isinstance(data.show(originals), Pictures | Curves):
        errors = [f" (RMS error {np.sqrt(np.mean((x - originals) ** 2)):.2f})" for x in (corrupted, repaired)]
    title = "test {}, what was done to them{}, what the model makes of it{}".format(data.noun, *errors)
    save_stages(path, data, {"test": originals, "corrupted": corrupted, "reconstruction": repaired}, title)


def objective_is_bound(experiment: Experiment) -> bool:
    """Return True if the objective is what evaluations report: the ELBO, or a delta posterior's log-likelihood."""
    objective, corrupted = experiment.recipe.objective, hasattr(experiment.recipe.corruption, "level")
    if objective.function is not elbo_loss or objective.free_bits or corrupted:
        return False
    return bool(objective.beta == (1 if experiment.parts.reports_elbo else 0))


def corrupt(recipe: Recipe, space: Space, x: Any) -> Any:
    """Corrupt examples as for a denoising model's encoder in training."""
    keys = rng.sample_keys(rng.stream(rng.root(recipe.train.seed), "spoilt figures"), num_rows(x))
    function, level = recipe.corruption.function, recipe.corruption.level
    return jax.vmap(lambda key, x: space.corrupt(key, x, function, level))(keys, jax.tree.map(jnp.asarray, x))


if __name__ == "__main__":
    run_script(main, Recipe)

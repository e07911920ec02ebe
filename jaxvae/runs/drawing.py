"""Figures of a finished training: each is a function of the model, its parameters and the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Dataset
from jaxvae.data.rows import num_rows
from jaxvae.data.spaces.shown import Curves, Pictures
from jaxvae.distributions.sampling import point
from jaxvae.evaluation import in_blocks
from jaxvae.latent import manifold_grid
from jaxvae.model import VAE
from jaxvae.objectives import elbo_loss
from jaxvae.options.recipe import Recipe
from jaxvae.report import figures, read_metrics
from jaxvae.report.display import value_limits
from jaxvae.report.gallery import Gallery
from jaxvae.report.history import save_kl_history, save_loss_curve
from jaxvae.runs import seeds
from jaxvae.runs.experiment import Experiment
from jaxvae.runs.samples import are_pictures, end_of_files, sample_grid, save_stages
from jaxvae.runs.trained import code, code_shape, has_dimensions
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import Params, TrainState

SHOWN, ON_THE_PLANE = 64, 5000
"""Maximum number of test examples with their reconstructions, and of codes on a plane."""


def draw(experiment: Experiment, state: TrainState, folder: Path) -> None:
    """Write the figures into a folder, with several seeds those of the first; one that fails gives a warning."""
    recipe, data, parts, _, run_dir, _ = experiment
    recipe, state = seeds.members(recipe, state)[0]
    gallery, end, seed = Gallery(folder), end_of_files(data), recipe.train.seed
    trained = parts.model, evaluation_params(state), data
    with gallery.figure(f"reconstructions{end}") as path:
        save_reconstructions(path, *trained)
    if hasattr(recipe.corruption, "level"):
        with gallery.figure(f"denoised{end}") as path:
            save_denoised(path, *trained, corruption=recipe.corruption, seed=seed)
    with gallery.figure(f"samples{end}") as path:
        save_samples(path, *trained, seed=seed)
    draw_history(gallery, run_dir, objective_is_bound=objective_is_bound(recipe, parts.reports_elbo))
    if has_plane(*trained):
        with gallery.figure("latent.png") as path:
            save_latent_plane(path, *trained)
        if not data.test.is_conditional and are_pictures(data):  # with conditions there is a plane for each
            with gallery.figure("manifold.png") as path:
                save_manifold(path, *trained)


def draw_history(gallery: Gallery, run_dir: Path, *, objective_is_bound: bool) -> None:
    """Draw the curves of a run over its steps."""
    records = read_metrics(run_dir / "metrics.jsonl")
    with gallery.figure("loss.png") as path:
        save_loss_curve(path, records, objective_is_bound=objective_is_bound)
    # A delta posterior has no finite KL, and that of a flow is no sum over dimensions: evaluations leave it out.
    if any("kl_per_dimension" in record for record in records if record["split"] != "train"):
        with gallery.figure("kl_history.png") as path:
            save_kl_history(path, records)


def save_reconstructions(path: Path, model: VAE, params: Params, data: Dataset, *, num: int = SHOWN) -> None:
    """Write test examples and their reconstructions."""
    some = data.test.head(num)
    title = f"test {data.noun}, and their reconstructions" + " below them" * are_pictures(data)
    originals = some.first(num)
    repaired = reconstruct(model, params, originals, some.conditions())
    save_stages(path, data, {"test": originals, "reconstruction": repaired}, title)


def save_denoised(
    path: Path, model: VAE, params: Params, data: Dataset, *, corruption: Any, seed: int, num: int = SHOWN
) -> None:
    """Write test examples, their corruptions as in training, and the reconstructions from these."""
    some = data.test.head(num)
    originals = some.first(num)
    keys = rng.sample_keys(rng.stream(rng.root(seed), "spoilt figures"), num_rows(originals))
    corrupt = jax.vmap(lambda key, x: data.space.corrupt(key, x, corruption.function, corruption.level))
    corrupted = corrupt(keys, jax.tree.map(jnp.asarray, originals))
    repaired = reconstruct(model, params, corrupted, some.conditions())
    errors = ["", ""]
    if isinstance(data.show(originals), Pictures | Curves):
        errors = [f" (RMS error {np.sqrt(np.mean((x - originals) ** 2)):.2f})" for x in (corrupted, repaired)]
    title = "test {}, what was done to them{}, what the model makes of it{}".format(data.noun, *errors)
    save_stages(path, data, {"test": originals, "corrupted": corrupted, "reconstruction": repaired}, title)


def save_samples(path: Path, model: VAE, params: Params, data: Dataset, *, seed: int, num: int | None = None) -> None:
    """Write decoded samples of the prior; a conditional model's under each condition in turn."""
    key = rng.stream(rng.root(seed), "figures")
    sample_grid(model, params, key, num, split=data.test, condition=data.condition).save(path, data)


def save_latent_plane(path: Path, model: VAE, params: Params, data: Dataset, *, num: int = ON_THE_PLANE) -> None:
    """Plot the codes of test examples, of two dimensions, by class."""
    some = data.test.head(num)
    codes = in_blocks(lambda *rows: code(model, params, *some.read(*rows)), some.x, some.condition)
    figures.save_latent_scatter(path, codes, some.label, names=data.classes)


def save_manifold(path: Path, model: VAE, params: Params, data: Dataset, *, side: int = 20) -> None:
    """Draw images decoded over a grid of two latent dimensions."""
    images = in_blocks(lambda z: point(model.decode(params, z)), manifold_grid(side))
    figures.save_manifold(path, images, limits=value_limits(data.test.first(SHOWN)))


def has_plane(model: VAE, params: Params, data: Dataset) -> bool:
    """Return True if a code is two real numbers."""
    return code_shape(model, params, data.test) == (2,) and has_dimensions(model, params, data.test)


def reconstruct(model: VAE, params: Params, x: Any, conditions: Any) -> Any:
    """Return the reconstructions of examples, each under its own condition."""
    return in_blocks(lambda x, given: model.reconstruct(params, x, given), x, conditions)


def objective_is_bound(recipe: Recipe, reports_elbo: bool) -> bool:
    """Return True if the objective is what evaluations report: the ELBO, or a delta posterior's log-likelihood."""
    objective, corrupted = recipe.objective, hasattr(recipe.corruption, "level")
    if objective.function is not elbo_loss or objective.free_bits or corrupted:
        return False
    return bool(objective.beta == (1 if reports_elbo else 0))

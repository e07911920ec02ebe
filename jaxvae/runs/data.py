"""The data of a run that was trained, loaded again, and what its codes must be."""

from __future__ import annotations

from pathlib import Path

import jax

from jaxvae.data import Dataset, load
from jaxvae.data.scaling import Scaling, scaled
from jaxvae.runs.directory import Run
from jaxvae.types import InputError


def load_data(run: Run, data_dir: Path | None = None, *, stream: bool = False) -> Dataset:
    """Load what a run was trained on.

    Args:
        run: a trained model.
        data_dir: where TFDS keeps its sets, if not where the run found them.
        stream: leave images where they are.

    Raises:
        InputError: the set is gone, or its images are of another shape now.
    """
    folder, preparation = data_dir or run.config.data_dir, run.config.preparation
    data = load(run.config.dataset, folder, stream=stream, preparation=preparation)
    if known := run.facts.get("scaling"):
        data = scaled(data, Scaling.from_json(known))
    if data.shape != (shape := _decoded_shape(run)):
        raise InputError(
            f"dataset: images of {run.config.dataset} are {data.shape}, the run learned {shape}; put the set back"
        )
    return data


def check_one_layer(run: Run) -> None:
    """Refuse a model of several stochastic layers, whose codes are no points of one space."""
    if run.config.upper_latent_dims:
        layers = [run.config.latent_dim, *run.config.upper_latent_dims]
        raise InputError(
            f"run-dir: its codes are tuples of {layers} numbers, here they must be points; name another run"
        )


def _decoded_shape(run: Run) -> tuple[int, ...]:
    z = jax.tree.map(lambda mean: mean[None], run.model.prior(run.params).mean)
    return jax.eval_shape(lambda: run.model.decode(run.params, z).mean).shape[1:]

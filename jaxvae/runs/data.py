"""Data set of a trained run, and requirements of its labels and codes."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from jaxvae.data import Dataset, is_place, load
from jaxvae.data.conditions import conditioned
from jaxvae.data.labels import hide_labels, only_classes
from jaxvae.data.places import exists, is_function, joined
from jaxvae.data.scaling import Scaling, scaled
from jaxvae.data.sources.own import was_named
from jaxvae.errors import InputError
from jaxvae.runs.directory import Run
from jaxvae.runs.progress import announced
from jaxvae.runs.settle import settle_space

logger = logging.getLogger(__name__)


def load_data(run: Run, data_dir: Path | None = None, dataset: str | None = None, *, stream: bool = False) -> Dataset:
    """Load the data set of a run.

    Args:
        run: a trained model.
        data_dir: folder in which TFDS keeps its sets, if it has changed since training.
        dataset: path of the set, if it has changed since training; or a function, `module:function`.
        stream: leave images on disk.

    Raises:
        InputError: the set is missing, or differs, or the run alone names a function that returns it.
    """
    where, folder = dataset or run.recipe.data.dataset, data_dir or run.recipe.data.data_dir
    if dataset is None and is_function(where) and not was_named(where):
        raise InputError(
            f"dataset: the run names a function, {where}, and no file makes code run; if you trust it, give "
            f"--dataset {where}, or call jaxvae.data.load({where!r}) first"
        )
    try:
        with announced(f"reading {where}"):
            data = load(where, folder, stream=stream, preparation=run.recipe.preparation)
    except InputError as error:
        moved = dataset is None and is_place(where) and not all(map(exists, joined(where)))
        raise InputError(f"{error}; if it moved, name its place with --dataset") if moved else error from None
    data = only_classes(data, run.recipe.data.only)
    if data.shape != (shape := run.space.shape):
        raise InputError(f"dataset: {data.noun} of {where} are {data.shape}, the run learned {shape}; put the set back")
    if known := run.facts.get("scaling"):
        data = scaled(data, Scaling.from_json(known))
    data = settle_space(run.recipe.data.binarize, data)
    if run.condition is not None:
        data = conditioned(data, run.condition)
    # A streamed set at its known path need not be read through.
    if (dataset is None and stream) or _is_same(run, data):
        return data
    if dataset is not None:
        raise InputError(
            f"dataset: {dataset} is another set than {run.recipe.data.dataset}, which the run was trained on: their "
            "fingerprints differ; name that one"
        )
    logger.warning("dataset: %s is no longer as it was when the run was trained on it", where)
    return data


def _is_same(run: Run, data: Dataset) -> bool:
    """Compare fingerprints; the run's covers the training examples that it used."""
    known, source = run.facts.get("fingerprint"), run.recipe.data
    return known is None or known == hide_labels(used(run, data), source.labelled, source.labelled_seed).fingerprint()


def used(run: Run, data: Dataset) -> Dataset:
    """Return the data set with the training examples that the run used."""
    num = run.recipe.data.train_examples
    return data if num is None else data._replace(train=data.train.head(num))


def training_labels(data: Dataset, dataset: str, purpose: str) -> np.ndarray:
    """Return labels of the training images; a set without labels is refused, and one of a single class."""
    if data.train.label is None or data.test.label is None:
        raise InputError(f"dataset: {dataset} has no labels {purpose}; name one that has")
    if unknown := data.train.num_examples - data.train.num_labelled:
        raise InputError(f"dataset: {unknown} training images of {dataset} are of unknown class; label all of them")
    if len(np.unique(data.train.label)) < 2:
        raise InputError(f"dataset: the images of {dataset} are of one class; name a set of two or more")
    return data.train.label


def check_images(data: Dataset) -> None:
    """Refuse tokens, counts and tables, for what is shown as images."""
    if data.space.kind in ("tokens", "counts", "table"):
        raise InputError(
            f"run-dir: the examples of {data.name} are {data.space.kind}, here they must be images; use jaxvae sample"
        )


def latent_dims(run: Run) -> list[int]:
    """Return the number of latent dimensions of each stochastic layer, from the lowest up."""
    return [run.recipe.latent_dim, *getattr(run.recipe.posterior, "upper_latent_dims", ())]


def check_one_layer(run: Run) -> None:
    """Refuse a model of several stochastic layers, whose codes are not in one space."""
    if len(layers := latent_dims(run)) > 1:
        raise InputError(
            f"run-dir: its codes are tuples of {layers} numbers, here they must be points; name another run"
        )


def check_unconditional(run: Run) -> None:
    """Refuse a conditional model, for computations that decode the same codes for all images."""
    if run.condition is not None:
        raise InputError(
            "run-dir: this run decodes each image under its own condition, here all share their codes; name another"
        )

"""Compare an autoencoder and a VAE between their codes, with one latent dimension and a few memorised images.

`python experiments/one_dimensional.py` trains both with the same networks. Each reconstructs every image, but only the
VAE's objective constrains the positions of the codes and the images between them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from figures.latent import Line, save_lines
from jaxvae.data import Dataset, load
from jaxvae.data.places import stem
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.judges.decoded import recognise
from jaxvae.judges.probes import Probe, fit_probe
from jaxvae.latent import nearest, prior_quantiles
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_folder
from jaxvae.report import write_json
from jaxvae.report.display import value_limits
from jaxvae.report.gallery import Gallery
from jaxvae.report.tables import markdown_table
from jaxvae.runs import Run, load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import training_labels
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce
from jaxvae.runs.settle import settle, settle_scale

VARIANTS: dict[str, str] = {"autoencoder": "autoencoder", "vae": "VAE"}
PROBED, POINTS = 20_000, 1000
"""Maximum number of images for the classifier, and numbers of points on the line and under the prior."""
VARIANCE = 0.1
"""Variance of the VAE's pixels: |x - mean|^2 / 2 + VARIANCE KL is minus a normal likelihood's bound, times VARIANCE."""
COLUMNS = {
    **{f"{place}_distance": (f"distance: {place}", ".3f") for place in ("codes", "halfway", "line", "prior")},
    **{f"{place}_near": (f"near: {place}", ".2f") for place in ("codes", "halfway", "line", "prior")},
    **{f"{place}_sure": (f"sure: {place}", ".2f") for place in ("codes", "halfway", "line", "prior")},
    "line_classes": ("classes: line", ".1f"),
    "prior_classes": ("classes: prior", ".1f"),
}
NOTES = """
Decoded images at the training images' codes, halfway between each code and the next, at equal steps from the first code
to the last (line), and at equal shares of the prior's mass (prior).

- distance: the root mean square over pixels from the nearest training image, on average
- near: the share whose distance is below half the mean distance of a training image from the nearest other one
- sure: the share that an independent classifier is sure of; classes: the effective number of classes among these
- reference: the training images themselves; halfway, each blended with the next one on the VAE's line
"""


@dataclasses.dataclass(frozen=True)
class OneDimensionalConfig:
    """Train an autoencoder and a VAE with one latent dimension on a few images, and compare images between codes."""

    dataset: str = "digits"
    """Labelled data set: digits, mnist, fashion_mnist, or an .npz or array_record file of images with labels."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    num: int = 32
    """Number of training images, the first of the split."""
    seed: int = 0
    """Seed of all randomness."""
    steps: int = 4000
    """Number of training steps of each model."""
    hidden: tuple[int, ...] = (256, 256, 256, 256)
    """Widths of the hidden layers, from the data inwards."""
    out: Path | None = None
    """Folder for runs, figure and table; runs/one_dimensional-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        if self.num < 2:
            raise InputError(f"num: there is nothing between fewer than 2 codes, got {self.num}")
        check_folder("out", self.out)
        given(steps=self.steps, hidden=self.hidden, seed=self.seed).check()


def main(config: OneDimensionalConfig) -> int:
    """Train, measure and draw; returns the exit code."""
    set_up(Compute(num_processes=1))
    _, data = settle_scale(None, load(config.dataset, config.data_dir))
    known = training_labels(data, config.dataset, "to tell images by")
    if config.num > data.train.num_examples:
        raise InputError(f"num: {config.num} asked for, {data.name} has {data.train.num_examples}; ask for fewer")
    folder = config.out or Path("runs") / f"one_dimensional-{stem(config.dataset)}"
    recipes = {name: recipe_of(config, data, folder, name) for name in VARIANTS}
    if exit_code := train_all({VARIANTS[name]: one for name, one in recipes.items()}, OneDimensionalConfig):
        return exit_code
    images, labels = data.train.first(config.num), known[: config.num]
    walks = {VARIANTS[name]: walk(load_run(one.run_dir), images) for name, one in recipes.items()}
    announce(f"an independent classifier learns from {min(PROBED, data.train.num_examples):,} images")
    probe = fit_probe(data.train.first(PROBED), known[:PROBED])
    ordered = images[walks["VAE"].order]
    itself = {"codes": images, "halfway": (ordered[1:] + ordered[:-1]) / 2}
    rows = {name: measure(one.decoded, images, probe) for name, one in walks.items()}
    rows["reference"] = measure(itself, images, probe)
    text = markdown_table(rows, COLUMNS) + "\n" + NOTES
    (folder / "one_dimensional.md").write_text(text)
    write_json(folder / "one_dimensional.json", rows)
    lines = [Line(name, one.codes, labels[one.order], one.decoded) for name, one in walks.items()]
    gallery = Gallery(folder)
    with gallery.figure("one_dimensional.png") as path:
        save_lines(path, lines, limits=value_limits(images))
    print(f"{text}\nfigure and table in {folder}")
    return 1 if gallery.missing else 0


def recipe_of(config: OneDimensionalConfig, data: Dataset, folder: Path, preset: str) -> Recipe:
    """Return one run's options; its folder is named after them, so that other options give another run."""
    one = given(
        preset=preset,
        dataset=config.dataset,
        data_dir=config.data_dir,
        train_examples=config.num,
        batch_size=config.num,
        seed=config.seed,
        steps=config.steps,
        hidden=config.hidden,
        latent_dim=1,
        likelihood="mse",
        beta=None if preset == "autoencoder" else VARIANCE,
        learning_rate=2e-3,
        decay="cosine",
        select="last",
        checkpoint_every=config.steps,
        tensorboard=False,
        figures=False,
        num_processes=1,
        devices=1,
    )
    few = data._replace(train=data.train._replace(x=data.train.x[: config.num]))
    name = settle(one, few).run_dir.name
    return given(one, run_dir=folder / name)


class Walk(NamedTuple):
    """Codes and decoded images along a model's line, from the first code to the last."""

    codes: np.ndarray
    """`[N]` means of q(z|x), in ascending order."""
    order: np.ndarray
    """`[N]` indices of the images in this order."""
    decoded: dict[str, np.ndarray]
    """Images `[M, ...]` by the positions from which they are decoded."""


def walk(run: Run, images: np.ndarray) -> Walk:
    """Encode images, and decode at and between their codes and under the prior."""
    means = in_blocks(lambda x: run.model.encode(run.params, x).mean, images)[:, 0]
    order = np.argsort(means)
    codes = means[order]
    places = {
        "codes": codes,
        "halfway": (codes[1:] + codes[:-1]) / 2,
        "line": np.linspace(codes[0], codes[-1], POINTS),
        "prior": np.asarray(prior_quantiles(POINTS)),
    }
    decoded = {
        place: in_blocks(lambda z: run.model.decode(run.params, z).mean, z[:, None]) for place, z in places.items()
    }
    return Walk(codes, order, decoded)


def measure(decoded: Mapping[str, np.ndarray], images: np.ndarray, probe: Probe) -> dict[str, float]:
    """Compute one row of the table: distances from the training images, and the recognition by a probe."""
    apart = distances(images, images, 2)[:, 1].mean()
    row: dict[str, float] = {}
    for place, shown in decoded.items():
        distance, seen = distances(shown, images, 1), recognise(probe, shown)
        row |= {f"{place}_distance": float(distance.mean()), f"{place}_near": float((distance < apart / 2).mean())}
        row |= {f"{place}_sure": seen.share, f"{place}_classes": seen.classes}
    return row


def distances(images: np.ndarray, others: np.ndarray, k: int) -> np.ndarray:
    """Return `[N, k]` distances to the nearest others, root mean squares over pixels."""
    found = nearest(jnp.asarray(images), jnp.asarray(others), k).distances
    return np.asarray(found) / np.prod(images.shape[1:]) ** 0.5


if __name__ == "__main__":
    run_script(main, OneDimensionalConfig)

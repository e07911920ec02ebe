"""Show the effect of each term of the bound on a two-dimensional latent space, with figures and measures.

`python experiments/latent_space.py` trains reconstruction only, KL only, both, and a denoising autoencoder, with the
same networks, likelihood, steps and seeds, and writes figures and a table. A second call reuses the trained runs.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import entr

from figures.latent import Panel, save_panels
from jaxvae import rng
from jaxvae.data import Dataset, Split, load
from jaxvae.data.batches import sequential_batches
from jaxvae.data.places import stem
from jaxvae.data.spaces import INK
from jaxvae.errors import InputError
from jaxvae.evaluation import evaluate_elbo, in_blocks
from jaxvae.judges.aggregate import knn_kl, squared_mmd
from jaxvae.judges.decoded import recognise, unevenness
from jaxvae.judges.probes import Probe, fit_probe, nearest_neighbour_accuracy
from jaxvae.latent import halfway, interpolate, manifold_grid
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_folder, check_seed
from jaxvae.priors import StandardNormal
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
from jaxvae.runs.seeds import together
from jaxvae.runs.settle import settle, settle_scale, settle_space
from jaxvae.types import Array, Batch

VARIANTS: dict[str, str] = {
    "autoencoder": "reconstruction only",
    "kl_only": "KL only",
    "vae": "both",
    "denoising_autoencoder": "denoising",
}
"""Variants: the three usual ones, and a denoising autoencoder."""
TRAIN, TEST, PAIRS, CELLS, STEPS = 20_000, 5000, 500, 50, 32
"""Maximum numbers of training and test images, pairs of test images, cells of the prior per side, steps of a path."""
NEIGHBOURS = 5
"""Number of neighbours that classify a test code, and rank of the neighbour for the entropy."""
DOTS, PATHS, COLUMN = 2000, 2, 10
"""Numbers of codes and interpolations in the figure, and of images side by side."""
PRIOR = StandardNormal(2)
SHORTEST = 0.1
"""Length below which a path counts as constant: a tenth of one pixel's full scale."""
KL_TOLERANCE, BOUND_TOLERANCE = 0.01, 0.1
"""Tolerances, in nats, of the exact values of KL only."""
COLUMNS = {
    "log_likelihood": ("log p(x given z)", ".2f"),
    "kl": ("KL", ".3f"),
    "elbo": ("ELBO", ".2f"),
    "neighbour_accuracy": ("neighbours agree", ".3f"),
    "squared_mmd": ("MMD²", ".4f"),
    "kl_to_prior": ("KL to prior", ".2f"),
    "code_share": ("codes: sure", ".3f"),
    "prior_share": ("prior: sure", ".3f"),
    "prior_classes": ("classes", ".1f"),
    "midpoint_share": ("halfway: sure", ".3f"),
    "midpoint_classes": ("classes", ".1f"),
    "unevenness": ("unevenness", ".2f"),
}
NOTES = f"""
Nats per test image; mean ± standard deviation over seeds. A code that is a point has no density, so no KL and no bound.

- neighbours agree: a test code (mean of q(z|x)) has the commonest label among its {NEIGHBOURS} nearest training codes
- MMD², KL to prior: from draws of q(z|x), one for each test image, to N(0, I); inverse multiquadric kernel with c = 4,
  unbiased; entropy by {NEIGHBOURS} nearest neighbours
- sure: the share of decoded images that an independent classifier is sure of, and the effective number of classes among
  these; of the codes of test images, of {CELLS}x{CELLS} cells of equal prior mass, and halfway between two codes
- unevenness: the largest of {STEPS} steps from the one image to the other over their mean, among pixels; 1 is even
- reference: draws of the prior, test images as they are, and two of them blended; a blend's way is even
"""


@dataclasses.dataclass(frozen=True)
class LatentSpaceConfig:
    """Train the variants, plot their latent spaces, and measure them."""

    dataset: str = "digits"
    """Labelled data set: digits, mnist, fashion_mnist, or an .npz or array_record file of images with labels."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    seeds: tuple[int, ...] = (0,)
    """Seeds; each variant is trained once with each, and figures show the first."""
    steps: int = 2000
    """Number of training steps of each run."""
    epochs: float | None = None
    """Passes over the training set, instead of --steps."""
    hidden: tuple[int, ...] = (512, 256)
    """Widths of the hidden layers, from the data inwards."""
    out: Path | None = None
    """Folder for runs, figures and table; runs/latent_space-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise InputError(f"seeds: must be one or more different numbers, got {list(self.seeds)}")
        for seed in self.seeds:
            check_seed("seeds", seed)
        check_folder("out", self.out)
        given(steps=self.steps, epochs=self.epochs, hidden=self.hidden).check()


def main(config: LatentSpaceConfig) -> int:
    """Train, measure and draw; returns the exit code."""
    set_up(Compute(num_processes=1))
    _, data = settle_scale(None, load(config.dataset, config.data_dir))
    labels = training_labels(data, config.dataset, "to colour codes by")
    if (least := min(data.train.num_examples, data.test.num_examples)) <= NEIGHBOURS:
        raise InputError(f"dataset: {config.dataset} has a split of {least}; name one with more than {NEIGHBOURS}")
    folder = config.out or Path("runs") / f"latent_space-{stem(config.dataset)}"
    recipes = {name: [recipe_of(config, data, folder, name, seed) for seed in config.seeds] for name in VARIANTS}
    runs = {f"{name}, seed {one.train.seed}": one for name, several in recipes.items() for one in several}
    if exit_code := train_all(runs, LatentSpaceConfig):
        return exit_code
    spaces = {name: [read_space(one, data) for one in several] for name, several in recipes.items()}
    announce(f"an independent classifier learns from {min(TRAIN, data.train.num_examples):,} images")
    probe = fit_probe(data.train.first(TRAIN), labels[:TRAIN])
    announce("measuring")
    rows = {VARIANTS[name]: together([measure(space, probe) for space in several]) for name, several in spaces.items()}
    checks = [check_kl_only(space.run, data.train) for space in spaces["kl_only"]] if data.pixels in INK else []
    write_report(folder, {**rows, "reference": reference(data, probe)}, checks)
    panels = [panel(VARIANTS[name], space) for name, (space, *_) in spaces.items()]
    gallery, limits = Gallery(folder), value_limits(data.test.first(TEST))
    for name, some in {"latent_space.png": panels[:3], "latent_space_denoising.png": panels}.items():
        with gallery.figure(name) as path:
            save_panels(path, some, limits=limits, names=data.classes)
    print(f"figures and table in {folder}")
    return 1 if gallery.missing else 0


def recipe_of(config: LatentSpaceConfig, data: Dataset, folder: Path, preset: str, seed: int) -> Recipe:
    """Return one run's options; its folder is named after them, so that other options give another run."""
    one = given(
        preset=preset,
        dataset=config.dataset,
        data_dir=config.data_dir,
        seed=seed,
        steps=config.steps,
        epochs=config.epochs,
        hidden=config.hidden,
        latent_dim=2,
        likelihood="bernoulli" if data.pixels in INK else "normal_shared",
        decay="cosine",  # constant steps leave noise, and KL only would miss its exact values
        select="last",
        tensorboard=False,
        figures=False,
        num_processes=1,
    )
    name = settle(one, data).run_dir.name
    return given(one, run_dir=folder / name)


class Space(NamedTuple):
    """Trained model, and its codes of images."""

    run: Run
    train_means: np.ndarray
    train_labels: np.ndarray
    means: np.ndarray
    """`[N, 2]` means of q(z|x), for test images."""
    draws: np.ndarray
    """`[N, 2]` samples of q(z|x), one for each image; for a delta posterior its point."""
    labels: np.ndarray

    def decode(self, z: Array) -> np.ndarray:
        """Decode codes `[N, 2]` to images `[N, ...]`."""
        return in_blocks(lambda z: self.run.model.decode(self.run.params, z).mean, z)


def read_space(recipe: Recipe, data: Dataset) -> Space:
    """Load a run and encode images."""
    run = load_run(recipe.run_dir)
    data = settle_space(run.recipe.data.binarize, data)
    train_means, _ = encode(run, data.train, TRAIN)
    labels = (np.asarray(split.label)[:num] for split, num in ((data.train, TRAIN), (data.test, TEST)))
    return Space(run, train_means, next(labels), *encode(run, data.test, TEST), next(labels))


def encode(run: Run, split: Split, num: int) -> tuple[np.ndarray, np.ndarray]:
    """Return means and samples of q(z|x) `[N, 2]` of a split's first images, binarized where the run binarizes."""
    key = rng.stream(rng.root(0), "latent space")

    @jax.jit
    def codes(batch: Batch) -> tuple[Array, Array]:
        posterior = run.model.encode(run.params, batch.x)
        return posterior.mean, posterior.sample(rng.example_keys(rng.stream(key, "draw"), batch.ids))

    images = split.x[:num]
    batches = sequential_batches(images, key, batch_size=min(1000, len(images)), space=split.space)
    means, draws = zip(*(codes(batch) for batch in batches))
    return np.concatenate(means)[: len(images)], np.concatenate(draws)[: len(images)]


def pairs(num_examples: int) -> Array:
    """Return `[2, PAIRS]` indices of test images, the same in every run."""
    return jax.random.randint(rng.stream(rng.root(0), "pairs"), (2, PAIRS), 0, num_examples)


def prior_draws(num: int) -> Array:
    """Sample `[num, 2]` codes from the prior."""
    return jax.random.normal(rng.stream(rng.root(0), "prior"), (num, 2))


def measure(space: Space, probe: Probe) -> dict[str, float]:
    """Compute one run's row of the table."""
    summary = json.loads((space.run.recipe.run_dir / "summary.json").read_text())
    starts, ends = jnp.asarray(space.means)[pairs(len(space.means))]
    paths = space.decode(interpolate(starts, ends, STEPS + 1).swapaxes(0, 1).reshape(-1, 2))
    prior = recognise(probe, space.decode(manifold_grid(CELLS)))
    middle = recognise(probe, space.decode(halfway(starts, ends)))
    even = unevenness(paths.reshape(PAIRS, STEPS + 1, -1), shortest=SHORTEST)
    return {
        **{name: summary[f"test_{name}"] for name in ("log_likelihood", "kl", "elbo") if f"test_{name}" in summary},
        "neighbour_accuracy": nearest_neighbour_accuracy(
            space.train_means, space.train_labels, space.means, space.labels, k=NEIGHBOURS
        ),
        "squared_mmd": squared_mmd(space.draws, prior_draws(len(space.draws))),
        "kl_to_prior": knn_kl(space.draws, PRIOR(None), k=NEIGHBOURS),
        "code_share": recognise(probe, space.decode(jnp.asarray(space.means))).share,
        "prior_share": prior.share,
        "prior_classes": prior.classes,
        "midpoint_share": middle.share,
        "midpoint_classes": middle.classes,
        **({"unevenness": float(np.nanmean(even))} if np.isfinite(even).mean() > 0.5 else {}),
    }


def reference(data: Dataset, probe: Probe) -> dict[str, float]:
    """Compute the columns for the prior, for test images, and for blends of test images instead of codes."""
    images = data.test.first(TEST)
    draws, others = np.split(np.asarray(prior_draws(2 * len(images))), 2)
    starts, ends = images[np.asarray(pairs(len(images)))]
    real, blended = recognise(probe, images), recognise(probe, (starts + ends) / 2)
    return {
        "squared_mmd": squared_mmd(draws, others),
        "kl_to_prior": knn_kl(draws, PRIOR(None), k=NEIGHBOURS),
        "code_share": real.share,
        "midpoint_share": blended.share,
        "midpoint_classes": blended.classes,
        "unevenness": 1.0,
    }


def check_kl_only(run: Run, split: Split) -> dict[str, Any]:
    """Compare KL only with its exact solution: every posterior is the prior, and the decoder gives the mean image.

    The bound is then minus the sum of the mean image's pixel entropies. Such codes do not depend on an image's
    binarization, so its grey values give the expected score over binarizations.
    """
    mean = split.mean()
    key = rng.stream(rng.root(0), "check")
    batches = sequential_batches(split.x, key, batch_size=min(1000, split.num_examples))
    estimate = evaluate_elbo(run.params, key, batches, model=run.model)
    entropy = float((entr(mean) + entr(1 - mean)).sum())
    return {
        "run": str(run.recipe.run_dir),
        "kl": estimate.kl,
        "bound": estimate.elbo,
        "minus_entropy": -entropy,
        "holds": bool(estimate.kl < KL_TOLERANCE and abs(estimate.elbo + entropy) < BOUND_TOLERANCE),
    }


def write_report(folder: Path, rows: dict[str, dict[str, Any]], checks: Sequence[dict[str, Any]]) -> None:
    """Write latent_space.md and latent_space.json, and print the table."""
    lines = [
        f"- KL only, on training images: KL {check['kl']:.1e} (below {KL_TOLERANCE}), bound {check['bound']:.3f}, "
        f"minus the mean image's pixel entropies {check['minus_entropy']:.3f} (within {BOUND_TOLERANCE}): "
        + ("holds" if check["holds"] else "DOES NOT HOLD, train longer")
        for check in checks
    ]
    text = "\n".join([markdown_table(rows, COLUMNS), NOTES, *lines])
    (folder / "latent_space.md").write_text(text + "\n")
    write_json(folder / "latent_space.json", {"rows": rows, "kl_only": checks})
    print(text)


def panel(title: str, space: Space) -> Panel:
    """Return the panel of a run."""
    starts, ends = (jnp.asarray(space.means)[row[:PATHS]] for row in pairs(len(space.means)))
    return Panel(
        title,
        codes=space.draws[:DOTS],
        labels=space.labels[:DOTS],
        grid=space.decode(manifold_grid(COLUMN)),
        samples=space.decode(prior_draws(2 * COLUMN)),
        paths=space.decode(interpolate(starts, ends, COLUMN).swapaxes(0, 1).reshape(-1, 2)),
    )


if __name__ == "__main__":
    run_script(main, LatentSpaceConfig)

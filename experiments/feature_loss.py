"""Compare a pixel VAE with a deep feature consistent one: `python experiments/feature_loss.py --dataset faces.npz`.

Both have the same networks and see the same images. One is scored by pixels, the other by the layers of a fixed network
(Hou et al. 2017, https://arxiv.org/abs/1610.00291): `--features` names its file, a classifier is trained without. No
number comes from the network of the loss: codes are probed, edits are judged by a classifier of pixels, and samples are
compared in the features of another network. A second call goes on where the first ended.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Dataset, Split, load, named_attributes
from jaxvae.data.places import stem
from jaxvae.evaluation import in_blocks
from jaxvae.features import layers, read_features, write_features
from jaxvae.judges.classifiers import fit_classifier
from jaxvae.judges.probes import fit_probe
from jaxvae.latent import attribute_direction, attribute_threshold, edit
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_seed
from jaxvae.report import figures, write_json
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data
from jaxvae.runs.directory import Run
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce, bar
from jaxvae.runs.quality import MOST, Features, check_pictures, distances, sample
from jaxvae.runs.samples import save_stages
from jaxvae.runs.trained import Trained

Rows: TypeAlias = dict[str, dict[str, float | None]]
"""Numbers by name, of each model and of real images."""
NETWORK_STEPS = 2000
"""Training steps of each classifier."""
WEIGHT, LOOKED_AT = 10.0, 500
"""Weight of features of variance 1, and number of training images from which their variance is measured."""
PIXELS, FEATURES = "pixels", "features"
"""Names of the two models."""
SHOWN, EDITED = 12, 6
"""Reconstructions and samples of each model in a picture, and edits of each kind."""
QUALITY = ("frechet_distance", "precision", "recall")
"""Numbers of samples, see `evaluate.py --quality`."""
COLUMNS = {
    "told": ("attribute told from codes", ".3f"),
    "frechet_distance": ("Frechet distance", ".2f"),
    "precision": ("precision", ".3f"),
    "recall": ("recall", ".3f"),
    "without": ("seen where it is not", ".3f"),
    "added": ("once added", ".3f"),
    "with": ("seen where it is", ".3f"),
    "removed": ("once removed", ".3f"),
    "step": ("ms a step", ".0f"),
}


@dataclasses.dataclass(frozen=True)
class FeatureLossConfig:
    """Train a pixel VAE and a deep feature consistent VAE on the same images, and put them side by side."""

    dataset: str
    """Data set of images with an attribute or classes, as in train.py."""
    attribute: str = "smile"
    """Attribute of the data set, or a class by name or number, that codes are asked for and that is edited."""
    features: Path | None = None
    """File of the network of the loss, as in --likelihood.features; a classifier that is trained here if not given."""
    weight: float | None = None
    """Weight of the features' distance; 10 over their variance among training images, summed over layers, if not
    given, because the values of some networks vary far more than those of others."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets; TFDS_DATA_DIR if not given."""
    steps: int = 3000
    """Number of training steps of each model."""
    batch_size: int = 64
    """Examples in a batch."""
    channels: tuple[int, ...] | None = None
    """Channels of the convolutions of both models, from the image inwards; chosen by the image's size if not given."""
    latent_dim: int = 64
    """Number of dimensions of z."""
    strength: float = 2.0
    """Strength of the edits; 1 leads from the mean code without the attribute to that with it."""
    seed: int = 0
    """Seed of both models; the classifiers have other ones."""
    out: Path | None = None
    """Folder for runs, table and pictures; runs/feature_loss-DATASET if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every data set."""
        for name in ("steps", "batch_size", "latent_dim"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(0, "strength", self.strength)
        check_seed("seed", self.seed, 3)

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"feature_loss-{stem(self.dataset)}"


def main(config: FeatureLossConfig) -> int:
    """Train both models, score them, and write the table and the pictures."""
    set_up(Compute(num_processes=1))
    data = load(config.dataset, config.data_dir)
    check_pictures(data)
    train, test = (has_attribute(data, split, config.attribute) for split in (data.train, data.test))
    # Loss and judge are two networks, of which neither is the classifier that judges edits.
    file = config.features or classifier(config, data, train, "loss", config.seed + 1)
    judge = Features(*read_features(classifier(config, data, train, "judge", config.seed + 2)))
    weight = weight_for(file, data.train) if config.weight is None else config.weight
    loss = {"likelihood": "perceptual", "likelihood.features": str(file), "likelihood.weight": weight}
    recipes = {PIXELS: recipe(config, PIXELS), FEATURES: recipe(config, FEATURES, **loss)}
    if exit_code := train_all(recipes, FeatureLossConfig):
        return exit_code

    announce(f"judge of {config.attribute}: learning from {data.train.num_examples:,} training images")
    sees = fit_probe(data.train.first(data.train.num_examples), train, seed=config.seed).predict
    models = {name: trained_of(config, name) for name in recipes}
    made = {name: edits(model, train, test, config.strength) for name, model in models.items()}
    rows: Rows = {}
    for name, model in models.items():
        seen = {what: float(sees(x).mean()) for what, x in made[name].items()}
        of_samples = compared(judge, data, model.run)
        speed = model.run.summary["examples_per_second"]  # None where a run was resumed with no step left
        step = 1000 * config.batch_size / speed if speed else float("nan")
        quality = {column: of_samples[column] for column in QUALITY}
        rows[name] = {"told": told(model, train, test, config.seed), **quality, **seen, "step": step}
    images = data.test.first(data.test.num_examples)
    of_real = {what: float(sees(images[part]).mean()) for what, part in {"without": ~test, "with": test}.items()}
    rows["real images"] = {**{column: of_samples[f"training_{column}"] for column in QUALITY}, **of_real}
    report(config, rows, num=len(images))
    draw(config, models, made)
    print(f"table and pictures in {config.folder}")
    return 0


def has_attribute(data: Dataset, split: Split, attribute: str) -> np.ndarray:
    """Return `[N]` booleans, True where an image of a split has the attribute."""
    known, values = (
        named_attributes(part, data.pixels, [attribute], data.classes).popitem()[1] for part in (data.train, split)
    )
    return values > attribute_threshold(known)


def classifier(config: FeatureLossConfig, data: Dataset, truth: np.ndarray, name: str, seed: int) -> Path:
    """Return the file of a classifier of the classes, or else of the attribute, which is trained the first time."""
    path, train = config.folder / f"{name}.npz", data.train
    if not path.exists():
        labelled = train.label is not None and train.num_labelled == train.num_examples
        kinds = train.label if labelled else truth.astype(np.int32)
        with_bar = functools.partial(bar, desc=f"classifier for the {name}", unit="step")
        images = train.first(train.num_examples)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_features(path, *fit_classifier(images, kinds, steps=NETWORK_STEPS, seed=seed, bar=with_bar))
    return path


def recipe(config: FeatureLossConfig, name: str, **options: Any) -> Recipe:
    """Return a recipe with the options that both models share."""
    return given(
        preset="conv_vae",
        dataset=config.dataset,
        data_dir=config.data_dir,
        run_dir=config.folder / name,
        steps=config.steps,
        batch_size=config.batch_size,
        channels=config.channels,
        latent_dim=config.latent_dim,
        seed=config.seed,
        figures=False,
        tensorboard=False,
        **options,
    )


def weight_for(file: Path, train: Split) -> float:
    """Return the weight with which an image is as far from the mean as in pixels of a tenth of their variance."""
    network, params = read_features(file)
    found = in_blocks(lambda x: layers(network, params, x, network.defaults), train.first(LOOKED_AT), block_size=50)
    return WEIGHT / sum(float(values.var(axis=0).mean()) for values in found.values())


def trained_of(config: FeatureLossConfig, name: str) -> Trained:
    """Return a trained model with its data."""
    run = load_run(config.folder / name)
    return Trained(run, load_data(run, config.data_dir), config.folder / name)


def told(trained: Trained, train: np.ndarray, test: np.ndarray, seed: int) -> float:
    """Return the share of test images whose attribute a probe tells from their codes, as much with it as without."""
    from sklearn.metrics import balanced_accuracy_score

    probe = fit_probe(trained.encode(trained.data.train), train, seed=seed)
    return float(balanced_accuracy_score(test, probe.predict(trained.encode(trained.data.test))))


def compared(judge: Features, data: Dataset, run: Run) -> dict[str, float]:
    """Compare samples with test images by a network's features."""
    samples = sample(run, data.test.head(min(MOST, data.train.num_examples)))
    return {line.name: line.value for line in distances(judge, data, np.clip(samples, 0, 1))}


def report(config: FeatureLossConfig, rows: Rows, num: int) -> None:
    """Print and write the table."""
    print(f"Frechet distance in the features of a classifier of seed {config.seed + 2}, N = {min(MOST, num):,}\n")
    print(table := markdown_table(rows, COLUMNS))
    (config.folder / "feature_loss.md").write_text(table + "\n")
    write_json(config.folder / "feature_loss.json", {"rows": rows, "steps": config.steps, "seed": config.seed})


def edits(trained: Trained, train: np.ndarray, test: np.ndarray, strength: float) -> dict[str, np.ndarray]:
    """Decode test images without the attribute, and once it is added; those with it, and once it is removed."""
    direction = attribute_direction(jnp.asarray(trained.encode(trained.data.train)), train)
    codes = jnp.asarray(trained.encode(trained.data.test))
    z = {
        "without": codes[~test],
        "added": edit(codes[~test], direction, strength),
        "with": codes[test],
        "removed": edit(codes[test], direction, -strength),
    }
    return {what: np.clip(trained.decode(each), 0, 1) for what, each in z.items()}


def draw(config: FeatureLossConfig, models: dict[str, Trained], made: dict[str, dict[str, np.ndarray]]) -> None:
    """Draw reconstructions, samples and edits of both models, one above the other."""
    first = models[PIXELS]
    images, limits = first.data.test.first(SHOWN), first.limits()
    stages = {
        "test": images,
        **{name: model.decode(model.encode(model.test_split(SHOWN))) for name, model in models.items()},
    }
    title = f"test images, and below each its reconstructions by {PIXELS} and by {FEATURES}"
    save_stages(config.folder / "reconstructions.png", first.data, stages, title)
    keys = rng.sample_keys(rng.stream(rng.root(config.seed), "samples"), 2 * SHOWN)
    rows = [
        in_blocks(lambda keys, run=model.run: run.model.sample_each(run.params, keys), keys)
        for model in models.values()
    ]
    save(config.folder / "samples.png", rows, SHOWN, [name for name in models for _ in range(2)], "samples", limits)
    rows, names = [], []
    for name, edited in made.items():
        pairs = (("without", "added"), ("with", "removed"))
        rows += [np.concatenate([edited[pair[place]][:EDITED] for pair in pairs]) for place in (0, 1)]
        names += [name, "edited"]
    title = f"{config.attribute} added on the left, removed on the right, with strength {config.strength:g}"
    save(config.folder / "edits.png", rows, len(rows[0]), names, title, limits)


def save(path: Path, rows: list[np.ndarray], columns: int, names: list[str], title: str, limits: Any) -> None:
    """Write images row by row."""
    figures.save_grid(path, np.concatenate(rows), columns=columns, row_labels=names, title=title, limits=limits)


if __name__ == "__main__":
    run_script(main, FeatureLossConfig)

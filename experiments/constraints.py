"""Generate what one asks for with an unconditional model: `python experiments/constraints.py --run-dir DIR`.

A critic and an actor learn where the codes of each class lie; the model stays as it is. Beside the actor stand other
ways: a mixture of normals fitted to the codes of each class, the best of many samples of the prior, and samples of the
prior moved by the critic's gradients. All are judged by a classifier that has seen neither the model nor the images
that the critic learned from.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.data import Dataset, Split, named_attributes
from jaxvae.data.attributes import sequence_attributes
from jaxvae.errors import InputError
from jaxvae.judges.classifiers import fit_classifier, probabilities
from jaxvae.judges.decoded import spread
from jaxvae.judges.probes import SURE
from jaxvae.latent import Constraints, attribute_threshold, fit_constraints
from jaxvae.latent.constraints import far
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_folder, check_seed
from jaxvae.options.groups import Select
from jaxvae.report import write_json
from jaxvae.report.gallery import Gallery
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.codes import encode_split
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_one_layer, check_unconditional, load_data, used
from jaxvae.runs.progress import announce, bar, say
from jaxvae.runs.samples import Grid, are_pictures, end_of_files, save_stages
from jaxvae.runs.trained import Trained
from jaxvae.types import Array

COMPONENTS = 5
"""Normals in the mixture of each class."""
JUDGE_STEPS = 2000
"""Training steps of the judge of images."""
TRIES = 50
"""Samples of the prior for each that is wanted, of which the critic chooses the best."""
COLUMNS = {
    "accuracy": ("of the class asked for", ".3f"),
    "sure": ("sure of a class", ".3f"),
    "spread": ("spread / real", ".2f"),
    "moved": ("moved", ".2f"),
}


@dataclasses.dataclass(frozen=True)
class ConstraintsConfig:
    """Train a critic and an actor on a trained model's codes, and judge what they generate."""

    run_dir: Path
    """Run directory of a training without conditions."""
    attribute: str = "label"
    """Kinds to ask for: label for all classes; or one class by name or number, an attribute of the data set, the length
    of texts or a measure of melodies, such as "note density", for two kinds, without and with it."""
    steps: int = 5000
    """Number of steps of the actor; the critic takes three for each."""
    distance: float = 0.1
    """Weight of the distance that the actor moves a sample of the prior."""
    num: int = 100
    """Number of examples to generate for each class."""
    rows: int = 10
    """Number of examples of each class in the pictures."""
    seed: int = 0
    """Seed of all randomness."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """Folder for table and pictures; DIR/constraints if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("steps", "num", "rows"):
            check_at_least(1, name, getattr(self, name))
        check_at_least(0, "distance", self.distance)
        check_seed("seed", self.seed)
        check_folder("out", self.out)


class Judge(NamedTuple):
    """Judge of decoded examples: their kinds, and where it is sure."""

    kinds: Callable[[np.ndarray], np.ndarray]
    """Function from `[N, ...]` examples to `[N]` kinds."""
    sure: Callable[[np.ndarray], np.ndarray]
    """Function from `[N, ...]` examples to `[N]` booleans."""


def main(config: ConstraintsConfig) -> int:
    """Fit the constraints, generate by all ways, and write a table and pictures."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select=config.select)
    check_one_layer(run)
    check_unconditional(run)
    data = used(run, load_data(run, config.data_dir, config.dataset))
    trained = Trained(run, data, config.out or config.run_dir / "constraints")
    gallery, key = Gallery(trained.folder), rng.root(config.seed)

    names, kinds = kinds_of(data, data.train, config.attribute)
    # The judge learns from the other half.
    order = np.random.default_rng(config.seed).permutation(len(kinds))
    ours, theirs = np.sort(order[::2]), np.sort(order[1::2])
    codes = encode_split(run, data.train.take(ours))
    if codes.std is None:
        raise InputError("run-dir: its posterior is no normal, whose samples the critic needs; name another run")
    judge = judge_of(trained, data.train.take(theirs), kinds[theirs], config)
    one_hot = np.eye(len(names), dtype=np.float32)
    constraints = fit_constraints(
        key,
        codes.point,
        2 * np.log(codes.std),
        one_hot[kinds[ours]],
        steps=config.steps,
        distance=config.distance,
        bar=functools.partial(bar, desc="critic and actor", unit="step"),
    )

    wanted = np.arange(len(names)).repeat(config.num)
    made = ways(key, constraints, codes.point, kinds[ours], wanted, one_hot)
    decoded = {name: trained.decode(np.asarray(z)) for name, z in made.items()}
    real = data.test.head(2000)
    table = rows_of(judge, decoded, made, constraints, wanted, real, kinds_of(data, real, config.attribute)[1])
    print(text := markdown_table(table, COLUMNS))
    trained.folder.mkdir(parents=True, exist_ok=True)
    (trained.folder / "constraints.md").write_text(text + "\n")
    write_json(trained.folder / "constraints.json", {"step": run.step, "seed": config.seed, "rows": table})
    draw(trained, gallery, names, decoded, constraints, config)
    say(f"table and pictures in {trained.folder}")
    return 1 if gallery.missing else 0


def kinds_of(data: Dataset, split: Split, attribute: str) -> tuple[list[str], np.ndarray]:
    """Return the names of the kinds that can be asked for, and the kind `[N]` of each example.

    Raises:
        InputError: the data set has no such attribute.
    """
    if attribute == "label":
        if split.label is None:
            raise InputError("attribute: the data set has no labels; give one of its attributes")
        num = int(data.train.label.max()) + 1 if data.train.label is not None else 0
        return [*(data.classes or map(str, range(num)))], np.asarray(split.label)
    known, values = (values_of(data, part, attribute) for part in (data.train, split))
    return [f"without {attribute}", f"with {attribute}"], (values > threshold_of(known)).astype(np.int64)


def values_of(data: Dataset, split: Split, attribute: str) -> np.ndarray:
    """Return `[N]` values of an attribute of a split.

    Raises:
        InputError: the data set has no such attribute.
    """
    if data.space.kind == "tokens":
        known = sequence_attributes(data, split.first(split.num_examples))
        if attribute in known:
            return known[attribute]
        if split.label is None and not split.attributes:
            raise InputError(f"attribute: {attribute!r} is none of these rows; give one of {', '.join(known)}")
    return named_attributes(split, data.pixels, [attribute], data.classes).popitem()[1]


def threshold_of(values: np.ndarray) -> float:
    """Return the value that examples with the attribute exceed; those that have none are left out."""
    return attribute_threshold(values[np.isfinite(values)])


def judge_of(trained: Trained, train: Split, kinds: np.ndarray, config: ConstraintsConfig) -> Judge | None:
    """Return a judge: a classifier of images, a measure of texts and melodies, None of anything else."""
    data = trained.data
    if are_pictures(data):
        announce(f"judge: learning from {train.num_examples:,} training images")
        network, params = fit_classifier(train.first(train.num_examples), kinds, steps=JUDGE_STEPS, seed=config.seed)
        ask = functools.partial(probabilities, network, params)
        return Judge(lambda images: ask(images).argmax(1), lambda images: ask(images).max(1) >= SURE)
    train_rows = data.train.first(data.train.num_examples)
    if config.attribute in (known := sequence_attributes(data, train_rows)):
        threshold = threshold_of(known[config.attribute])
        return Judge(
            lambda rows: (sequence_attributes(data, rows)[config.attribute] > threshold).astype(np.int64),
            lambda rows: np.ones(len(rows), bool),
        )
    return None


def ways(
    key: Array, constraints: Constraints, codes: np.ndarray, kinds: np.ndarray, wanted: np.ndarray, one_hot: np.ndarray
) -> dict[str, np.ndarray]:
    """Return codes `[N, D]` for the kinds `[N]` that are wanted, by each way."""
    labels = one_hot[wanted]
    z = np.asarray(jax.random.normal(rng.stream(key, "prior samples"), (len(wanted), codes.shape[1])))
    return {
        "prior": z,
        "actor": np.asarray(constraints.move(z, labels)),
        "gradients": np.asarray(constraints.edit(z, labels)),
        "best of the prior": best_of_prior(key, constraints, labels),
        "mixture per class": mixtures(codes, kinds, wanted),
    }


def best_of_prior(key: Array, constraints: Constraints, labels: np.ndarray) -> np.ndarray:
    """Return, for each label, the sample of the prior that the critic likes best among several."""
    shape = len(labels), TRIES, len(constraints.scale)
    z = np.asarray(jax.random.normal(rng.stream(key, "tries"), shape))
    liked = constraints.realism(z.reshape(-1, shape[-1]), labels.repeat(TRIES, axis=0)).reshape(shape[:2])
    return np.take_along_axis(z, np.asarray(liked).argmax(1)[:, None, None], axis=1)[:, 0]


def mixtures(codes: np.ndarray, kinds: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return samples of a mixture of normals, fitted to the mean codes of each kind."""
    from sklearn.mixture import GaussianMixture

    codes = codes.astype(np.float64)  # the mixture's weights must sum to one
    made = np.zeros((len(wanted), codes.shape[1]), np.float32)
    for kind in np.unique(wanted):
        own, places = codes[kinds == kind], np.flatnonzero(wanted == kind)
        mixture = GaussianMixture(min(COMPONENTS, len(np.unique(own, axis=0))), reg_covar=1e-3, random_state=0).fit(own)
        made[places] = mixture.sample(len(places))[0]
    return made


def rows_of(
    judge: Judge | None,
    decoded: Mapping[str, np.ndarray],
    made: Mapping[str, np.ndarray],
    constraints: Constraints,
    wanted: np.ndarray,
    real: Split,
    real_kinds: np.ndarray,
) -> dict[str, dict[str, float]]:
    """Judge all ways, and real test examples, by name."""
    images = real.first(real.num_examples)
    each = spread(images, real_kinds)
    rows: dict[str, dict[str, float]] = {}
    for name, x in {"test examples": images, **decoded}.items():
        asked = real_kinds if name == "test examples" else wanted
        row = {"spread": spread(x, asked) / each}
        if judge is not None:
            row |= {"accuracy": float(np.mean(judge.kinds(x) == asked)), "sure": float(judge.sure(x).mean())}
        if name in ("actor", "gradients"):
            row["moved"] = float(far(jnp.asarray(made["prior"]), jnp.asarray(made[name]), constraints.scale).mean())
        rows[name] = row
    return rows


def draw(
    trained: Trained,
    gallery: Gallery,
    names: list[str],
    decoded: Mapping[str, np.ndarray],
    constraints: Constraints,
    config: ConstraintsConfig,
) -> None:
    """Draw what each way generates, and test examples that are edited to be of every kind."""
    data, count, end = trained.data, min(config.rows, config.num), end_of_files(trained.data)
    chosen = (np.arange(len(names))[:, None] * config.num + np.arange(count)).ravel()
    for name, x in decoded.items():
        with gallery.figure(f"{name.replace(' ', '-')}{end}") as path:
            Grid(x[chosen], count, tuple(names), f"{name}: of each class that is asked for").save(path, data)
    originals, codes, _ = trained.test_images(range(min(config.rows, data.test.num_examples)))
    one_hot = np.eye(len(names), dtype=np.float32)
    stages = {"test example": originals}
    for kind, name in enumerate(names):
        stages[name] = trained.decode(np.asarray(constraints.edit(codes, one_hot[[kind]].repeat(len(codes), axis=0))))
    with gallery.figure(f"edits{end}") as path:
        save_stages(path, data, stages, f"test examples, and below each edited to be {', '.join(names)}")


if __name__ == "__main__":
    run_script(main, ConstraintsConfig)

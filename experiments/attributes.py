"""Measure attribute arithmetic: `python experiments/attributes.py --run-dir DIR` edits images and has them judged.

A direction in latent space is found from training images with and without an attribute, and test images are moved along
it. The result is judged by a classifier of images trained without the model or, for slant and width, by measurement.
Does the attribute change, and does everything else stay?
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np

from jaxvae.data import Dataset, Split, named_attributes
from jaxvae.data.attributes import MEASURES, class_labels, usable_attributes
from jaxvae.distributions.sampling import point
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.judges.probes import fit_probe
from jaxvae.latent import attribute_direction, attribute_threshold, edit, orthogonalize
from jaxvae.latent.attributes import Method
from jaxvae.options import Compute
from jaxvae.options.checks import check_at_least, check_folder, check_seed
from jaxvae.options.groups import Select
from jaxvae.report import figures, write_json
from jaxvae.report.gallery import Gallery
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_images, check_one_layer, load_data
from jaxvae.runs.progress import announce, say
from jaxvae.runs.trained import Trained
from jaxvae.types import Array

Judge: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Function from images `[N, ...]` in [0, 1] to `[N]` class numbers, or booleans for an attribute."""
Rows: TypeAlias = dict[tuple[str, float], dict[str, float]]
"""Shares of images by name, for each attribute and strength."""


@dataclasses.dataclass(frozen=True)
class AttributesConfig:
    """Edit attributes of test images in latent space, and measure what changes."""

    run_dir: Path
    """Run directory of train.py."""
    attribute: tuple[str, ...] = ()
    """Classes by name or number, attributes of the data set, slant or width; all if not given."""
    strengths: tuple[float, ...] = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    """Strengths of the edits; 1 is the distance from the mean code without the attribute to the mean code with it."""
    method: Method = "mean"
    """Method to find the direction: difference of class means, or logistic regression."""
    orthogonal: bool = False
    """Use directions that do not change the other attributes."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    num: int = 1000
    """Number of test images to edit."""
    num_train: int = 10_000
    """Number of training images for directions and judges."""
    rows: int = 8
    """Number of images in each figure."""
    seed: int = 0
    """Seed of the judges."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """Folder for table and figures; DIR/attributes if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("num", "num_train", "rows"):
            check_at_least(2, name, getattr(self, name))
        check_seed("seed", self.seed)
        check_folder("out", self.out)
        if not self.strengths or not np.isfinite(self.strengths).all():
            raise InputError(f"strengths: {self.strengths}; give finite numbers, such as -1 0 1")


def main(config: AttributesConfig) -> int:
    """Find the directions, edit along them, and write a table and a picture for each."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    check_one_layer(run)
    data = load_data(run, config.data_dir, config.dataset)
    check_images(data)
    train, test = part_of(data.train, config.num_train), part_of(data.test, config.num)
    folder = config.out or config.run_dir / "attributes"

    labels = class_labels(data.train, data.classes)
    known, test_values = find_values(data, train, test, labels, config.attribute)
    thresholds = {name: attribute_threshold(values) for name, values in known.items()}
    judges = appoint(train, known, thresholds, labels, seed=config.seed)
    truth = {name: values > thresholds[name] for name, values in test_values.items()}
    report_judges(judges, test, truth)

    def decode(z: Array, condition: Array | None) -> Array:
        return jnp.clip(point(run.model.decode(run.params, z, condition)), 0, 1)

    trained, own = Trained(run, data, folder), test.conditions()
    codes, z = (jnp.asarray(trained.encode(split)) for split in (train, test))
    directions = find_directions(codes, known, config)
    pictures = functools.partial(in_blocks, decode)
    rows = measure(lambda z: pictures(z, own), z, directions, judges, labels, truth, config.strengths)
    gallery, numbers = Gallery(folder), part_numbers(data.test, config.num)
    for name, direction in directions.items():
        chosen = examples(truth[name], config.rows)
        edited = edit(z[chosen][:, None], direction, jnp.array(config.strengths))
        given = None if own is None else own[chosen].repeat(len(config.strengths), axis=0)
        with gallery.figure(re.sub(r"[^\w-]+", "-", name) + ".png") as path:
            originals, shows = test.take(chosen).first(len(chosen)), trained.shows(numbers[chosen])
            draw(path, name, originals, pictures(flat(edited), given), config.strengths, shows)

    columns = {name: (name.replace("_", " "), ".3f") for shares in rows.values() for name in shares}
    table = markdown_table({f"{name} {strength:+g}": shares for (name, strength), shares in rows.items()}, columns)
    print(table)
    plain = [{"attribute": name, "strength": strength, **shares} for (name, strength), shares in rows.items()]
    write_json(folder / "attributes.json", {"options": options(config), "step": run.step, "rows": plain})
    (folder / "attributes.md").write_text(table + "\n")
    say(f"table and pictures in {folder}")
    return 1 if gallery.missing else 0


def find_values(
    data: Dataset, train: Split, test: Split, labels: Mapping[str, int], wanted: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return values by attribute, of training and test images; unusable ones are left out, or refused if wanted."""
    known = named_attributes(train, data.pixels, wanted, data.classes)
    known = usable_attributes(known, wanted=known if wanted else ())

    def of_test(name: str) -> np.ndarray:
        if name in labels:  # a class may have no test images
            return np.asarray(test.label == labels[name], np.int32)
        return named_attributes(test, data.pixels, [name], data.classes)[name]

    values = {name: of_test(name) for name in known}
    values = usable_attributes(values, wanted=known if wanted else (), may_be_constant=True)
    if not values:
        raise InputError("attribute: none of the data set's tells its images apart; name a set with others")
    return {name: known[name] for name in values}, values


def find_directions(codes: Array, known: Mapping[str, np.ndarray], config: AttributesConfig) -> dict[str, Array]:
    """Find the direction `[D]` of each attribute."""
    found = jnp.stack([attribute_direction(codes, values, method=config.method) for values in known.values()])
    return dict(zip(known, orthogonalize(found) if config.orthogonal else found))


def measure(
    decode: Callable[[Array], np.ndarray],
    z: Array,
    directions: Mapping[str, Array],
    judges: Mapping[str, Judge],
    labels: Mapping[str, int],
    truth: Mapping[str, np.ndarray],
    strengths: Sequence[float],
) -> Rows:
    """Judge the edited images; one row of the table for each attribute and strength."""
    rows: Rows = {}
    unedited = ask(judges, decode(z))
    for name, direction in directions.items():
        for strength in strengths:
            seen = ask(judges, decode(edit(z, direction, strength)))
            rows[name, strength] = compare(name, seen, unedited, labels, truth[name])
    return rows


def part_of(split: Split, num: int) -> Split:
    """Return at most `num` examples, evenly spaced in the split, because a set may be sorted."""
    return split.take(part_numbers(split, num))


def part_numbers(split: Split, num: int) -> np.ndarray:
    """Return the indices of these examples in the split."""
    num = min(num, split.num_examples)
    return np.arange(num) * split.num_examples // num


def appoint(
    train: Split,
    known: Mapping[str, np.ndarray],
    thresholds: Mapping[str, float],
    labels: Mapping[str, int],
    *,
    seed: int,
) -> dict[str, Judge]:
    """Return one judge of the class, where there are classes, and one of each attribute that is not a class."""
    images = train.first(train.num_examples)
    judges: dict[str, Judge] = {}
    if train.label is not None and len(np.unique(train.label)) > 1:
        announce(f"judge of label: learning from {len(images):,} training images")
        judges["label"] = fit_probe(images, train.label, seed=seed).predict
    for name, values in known.items():
        if name in labels:
            continue
        if name in MEASURES and name not in train.attributes:
            judges[name] = measured(name, thresholds[name])
        else:
            announce(f"judge of {name}: learning from {len(images):,} training images")
            judges[name] = fit_probe(images, values > thresholds[name], seed=seed).predict
    return judges


def measured(name: str, threshold: float) -> Judge:
    """Return a judge that measures an attribute."""
    return lambda images: MEASURES[name](images) > threshold


def ask(judges: Mapping[str, Judge], images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the judgements of all judges on the images."""
    return {name: judge(images) for name, judge in judges.items()}


def sees(name: str, seen: Mapping[str, np.ndarray], labels: Mapping[str, int]) -> np.ndarray:
    """Return `[N]` booleans, True where an attribute is seen: for a class, where the judge names it."""
    return seen["label"] == labels[name] if name in labels else seen[name].astype(bool)


def compare(
    name: str,
    seen: Mapping[str, np.ndarray],
    unedited: Mapping[str, np.ndarray],
    labels: Mapping[str, int],
    truth: np.ndarray,
) -> dict[str, float]:
    """Return the shares of images in which the attribute is seen, and in which all else is unchanged by the edit."""
    there, groups = sees(name, seen, labels), {"absent": ~truth, "present": truth}
    others = [judged for judged in seen if judged != ("label" if name in labels else name)]
    return {
        **{f"seen_where_{where}": float(there[part].mean()) for where, part in groups.items() if part.any()},
        **{f"{judged}_kept": float(np.mean(seen[judged] == unedited[judged])) for judged in others},
    }


def report_judges(judges: Mapping[str, Judge], test: Split, truth: Mapping[str, np.ndarray]) -> None:
    """Print the judges' accuracy on unedited images; a measurement is right by definition."""
    seen = ask(judges, test.first(test.num_examples))
    if test.label is not None and "label" in seen:
        print(f"judge of label: right on {np.mean(seen['label'] == test.label):.1%} of {len(test.label)} test images")
    for name in [name for name in seen if name in test.attributes and name in truth]:
        shares = compare(name, seen, seen, {}, truth[name])
        right = np.mean(seen[name] == truth[name])
        there = ", ".join(f"{key.replace('_', ' ')} {value:.1%}" for key, value in shares.items() if "where" in key)
        print(f"judge of {name}: right on {right:.1%} of {len(truth[name])} test images; {there}")


def examples(truth: np.ndarray, num: int) -> np.ndarray:
    """Return the indices of images to draw: the first ones without the attribute, and the first ones with it."""
    without, with_it = np.flatnonzero(~truth)[: num // 2], np.flatnonzero(truth)[: num - num // 2]
    return np.concatenate([without, with_it])


def flat(codes: Array) -> Array:
    """Reshape `[N, S, D]` to `[N * S, D]`."""
    return codes.reshape(-1, codes.shape[-1])


def draw(
    path: Path, name: str, originals: np.ndarray, edited: np.ndarray, strengths: Sequence[float], rows: Sequence[str]
) -> None:
    """Draw one row for each image: itself, and its edits from the first strength to the last."""
    images = edited.reshape(len(originals), -1, *originals.shape[1:])
    columns = [f"{strength:g}" for strength in strengths]
    title = f"attribute {name}: so much of it added to the codes"
    figures.save_strips(path, originals, images, rows=rows, columns=columns, title=title)


def options(config: AttributesConfig) -> dict[str, object]:
    """Return the options that change the numbers, as plain values."""
    names = ("method", "orthogonal", "best", "num", "num_train", "seed")
    return {name: getattr(config, name) for name in names}


if __name__ == "__main__":
    run_script(main, AttributesConfig)

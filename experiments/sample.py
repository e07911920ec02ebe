"""Draw figures of a trained model: `python experiments/sample.py --run-dir DIR` writes three figures and an animation.

`--interpolate`, `--traverse`, `--attribute`, `--vary`, `--neighbours` and `--view` write other figures instead, some
also as an animation. Test images are given by their indices, from 0, and labelled with their classes.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from jaxvae import latent, rng
from jaxvae.data import Dataset, named_attributes
from jaxvae.data.attributes import usable_attributes
from jaxvae.data.spaces.shown import Pictures
from jaxvae.data.spaces.values import as_values
from jaxvae.errors import InputError
from jaxvae.options import Compute
from jaxvae.options.checks import check, check_at_least, check_folder, check_seed
from jaxvae.options.groups import Select
from jaxvae.report import animation, figures
from jaxvae.report.gallery import Gallery
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_one_layer, load_data
from jaxvae.runs.progress import announce
from jaxvae.runs.samples import end_of_files, sample_grid, save_stages
from jaxvae.runs.trained import Trained

REACH = 2.5
"""Range of a traversal to either side, in standard deviations."""
FRAMES = 30
"""Approximate number of frames of an animation from one end to the other."""
MAPPED = {"pca": 5000, "tsne": 2000}
"""Maximum number of test images in a map, by method; t-SNE is slow."""


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Draw samples, reconstructions and variations of a trained model, or only the figures that are asked for."""

    run_dir: Path
    """Run directory of train.py."""
    interpolate: tuple[int, ...] | None = None
    """Test images to interpolate between, at least two."""
    spherical: bool = False
    """Interpolate along arcs around the origin instead of straight lines."""
    traverse: tuple[int, ...] | None = None
    """Latent dimensions to traverse, one after another; all if none is given."""
    attribute: tuple[str, ...] | None = None
    """Attributes to change: a class, slant, width, or one of the set's. Several are changed independently."""
    strength: tuple[float, ...] | None = None
    """Strengths; 1 leads from the mean code without the attribute to that with it. -1.5 to 1.5 if not given."""
    image: tuple[int, ...] | None = None
    """Test images to traverse around (the first if not given), and to change attributes of (the first eight)."""
    vary: int | None = None
    """Test image of which random variations are drawn."""
    widen: tuple[float, ...] | None = None
    """Factors by which the posterior is widened for variations, one row each; 1 2 4 8 if not given."""
    neighbours: tuple[int, ...] | None = None
    """Test images whose nearest training images, by their codes, are drawn."""
    view: Literal["pca", "tsne"] | None = None
    """Method for a map of the test images' codes, for more than two latent dimensions."""
    condition: str | None = None
    """Condition to decode with, of a conditional run: a class by name or number, or NAME=NUMBER,... of attributes."""
    num: int | None = None
    """Number of samples (64, or 10 of each class), reconstructions (64), variations or neighbours (10 if not given)."""
    steps: int = 11
    """Number of images from one end of an interpolation or a traversal to the other."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    best: bool = False
    """Use the checkpoint that is best on validation data, as --select best does."""
    seed: int = 0
    """Seed of all randomness."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    dataset: str | None = None
    """Path of the run's data set, if it has changed since training."""
    out: Path | None = None
    """Folder for the figures; DIR/samples if not given."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        check_at_least(1, "num", self.num)
        check_at_least(2, "steps", self.steps)
        check_seed("seed", self.seed)
        check_folder("out", self.out)
        check(bool(np.isfinite(self.strength or 0).all()), "strength", self.strength, "finite numbers")
        for width in self.widen or ():
            check_at_least(0, "widen", width)
        for name in ("interpolate", "attribute", "strength", "image", "widen", "neighbours"):
            given, least = getattr(self, name), 2 if name == "interpolate" else 1
            if given is not None and len(given) < least:
                raise InputError(f"{name}: name at least {least}, got {len(given)}")
        asked = {name for name in ACTIONS if getattr(self, name) is not None}
        if self.condition is not None and asked and asked <= UNDECODED:
            raise InputError(f"condition: --{' and --'.join(sorted(asked))} decode no codes; leave it out")
        for name, owners in OWNERS.items():
            if getattr(self, name) and all(getattr(self, owner) is None for owner in owners):
                raise InputError(f"{name}: goes with --{' or --'.join(owners)}; give that too, or leave it out")


OWNERS = {
    "spherical": ["interpolate"],
    "strength": ["attribute"],
    "image": ["traverse", "attribute"],
    "widen": ["vary"],
}
"""Required options by option, one of which must be given."""


def main(config: SampleConfig) -> int:
    """Load the run and write the figures."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    check_one_layer(run)
    data = load_data(run, config.data_dir, config.dataset, stream=True)
    if run.recipe.data.train_examples is not None:
        data = data._replace(train=data.train.take(np.arange(run.recipe.data.train_examples)))
    trained = Trained(run, data, config.out or config.run_dir / "samples", config.condition)
    check_fits(config, trained)
    gallery = Gallery(trained.folder)
    asked = [draw for name, draw in ACTIONS.items() if getattr(config, name) is not None]
    # Vectors of a codebook and categories have no dimensions to move along.
    moves = trained.has_dimensions and are_pictures(data)
    for draw in asked or (draw_samples, draw_reconstructions, *([draw_traversals] if moves else [])):
        draw(config, trained, gallery)
    print(f"{'pictures' if are_pictures(data) else 'samples and reconstructions'} in {gallery.folder}")
    return 1 if gallery.missing else 0


def check_fits(config: SampleConfig, trained: Trained) -> None:
    """Refuse options that do not fit the run and its data, before any output."""
    if config.condition is not None:
        trained.chosen()
    asked = [name for name in ACTIONS if getattr(config, name) is not None]
    if asked and not are_pictures(trained.data):
        kind = trained.data.space.kind
        raise InputError(f"{asked[0]}: is for images, the run's examples are {kind}; leave it out to sample them")
    images, dimensions = (trained.data.test.num_examples, "test image"), (trained.latent_dim, "latent dimension")
    for name in ("interpolate", "image", "vary", "neighbours", "traverse"):
        limit, what = dimensions if name == "traverse" else images
        given = getattr(config, name)
        for number in () if given is None else np.ravel(given):
            if not 0 <= number < limit:
                raise InputError(f"{name}: there is no {what} {number}; they are numbered from 0 to {limit - 1}")
    if config.traverse is not None and not trained.has_dimensions:
        raise InputError("traverse: the run's codes are no real numbers to move along; use --interpolate")
    if config.view and trained.data.test.num_examples < 3:
        raise InputError(f"view: a map needs three test images or more, the set has {trained.data.test.num_examples}")
    if config.view and trained.latent_dim < 2:
        raise InputError("view: a map needs two latent dimensions or more, the run has one; use --traverse")


def are_pictures(data: Dataset) -> bool:
    """Return True if examples are shown as pictures."""
    return isinstance(data.show(data.test.first(1)), Pictures)


def draw_samples(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw decoded samples of the prior."""
    run, key = trained.run, rng.stream(rng.root(config.seed), "sample")
    with gallery.figure(f"samples{end_of_files(trained.data)}") as path:
        options: dict[str, Any] = {"condition": run.condition, "chosen": config.condition}
        grid = sample_grid(run.model, run.params, key, config.num, split=trained.data.test, **options)
        grid.save(path, trained.data)
        # Figures show scaled values, this file the data's units, as tables do.
        if trained.data.scaling is not None and path.suffix == ".png":
            np.savez(path.with_suffix(".npz"), image=trained.data.scaling.undo(grid.images))


def draw_reconstructions(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw test images and their reconstructions."""
    data = trained.data
    with gallery.figure(f"reconstructions{end_of_files(data)}") as path:
        originals, codes, own = trained.test_images(range(min(config.num or 64, data.test.num_examples)))
        title = trained.titled(f"test {data.noun}, and their reconstructions" + " below them" * are_pictures(data))
        save_stages(path, data, {"test": originals, "reconstruction": trained.decode(codes, own)}, title)


def draw_path(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw an interpolation between test images: a row for each leg, and an animation of all."""
    ids, each = config.interpolate or (), frames_each(config.steps)
    leg = each * (config.steps - 1)
    originals, codes, own = trained.test_images(ids)
    # Conditions change evenly, also where codes go along arcs.
    given = None if own is None else np.asarray(latent.path_through(jnp.asarray(own), leg))
    film = trained.decode(latent.path_through(jnp.asarray(codes), leg, spherical=config.spherical), given)
    legs = film[leg * np.arange(len(ids) - 1)[:, None] + each * np.arange(config.steps)]
    images = np.concatenate([legs, originals[1:, None]], axis=1)
    rows = [f"{start} to {end}" for start, end in itertools.pairwise(trained.shows(ids))]
    columns = [*(f"{t:.2g}" for t in np.linspace(0, 1, config.steps)), "image"]
    limits = trained.limits()
    curve = "spherical" if config.spherical else "linear"
    title = trained.titled(f"{curve} interpolation between the codes of test images")
    with gallery.figure("interpolation.png") as path:
        figures.save_strips(path, originals[:-1], images, rows=rows, columns=columns, title=title, limits=limits)
    with gallery.figure("interpolation.gif") as path:
        rests = range(0, len(film), leg)
        animation.save_gif(path, film[:, None], rests=rests, labels=[", ".join(rows)], limits=limits)


def draw_traversals(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw traversals of one latent dimension after another, the others fixed at a test image's code."""
    ids, turned = config.image or (0,), config.traverse or range(trained.latent_dim)
    deviations = animation.between(np.linspace(-REACH, REACH, config.steps), frames_each(config.steps))
    originals, codes, own = trained.test_images(ids)
    mean, unit = trained.spread()
    film = [latent.traversal(z, d, jnp.asarray(mean[d] + unit[d] * deviations)) for z in codes for d in turned]
    rows = [f"{image}, z{d}" for image in trained.shows(ids) for d in turned]
    columns = [f"{deviation:.1f}" for deviation in deviations[:: frames_each(config.steps)]]
    title = "one latent dimension at a time, in standard deviations"
    originals = originals.repeat(len(turned), axis=0)
    given = None if own is None else own.repeat(len(turned), axis=0)
    save_film(trained, gallery, "traversal", originals, trained.decode(film, given), rows, columns, title)


def draw_attributes(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw test images with less and with more of an attribute."""
    data = trained.data
    spread = np.linspace(0, data.test.num_examples - 1, min(8, data.test.num_examples)).astype(int)  # may be sorted
    ids = config.image or tuple(spread)
    strengths = np.asarray(config.strength or np.linspace(-1.5, 1.5, 7))
    strengths = strengths if len(strengths) > 1 else np.append(0, strengths)
    values = named_attributes(data.train, data.pixels, config.attribute or (), data.classes)
    usable_attributes(values, wanted=values)
    announce(f"codes of {data.train.num_examples:,} training images")
    known = jnp.asarray(trained.encode(data.train))
    directions = jnp.stack([latent.attribute_direction(known, each) for each in values.values()])
    originals, codes, own = trained.test_images(ids)
    rows, columns = trained.shows(ids), [f"{strength:g}" for strength in strengths]
    moving = animation.between(strengths, frames_each(len(strengths)))
    for name, direction in zip(values, latent.orthogonalize(directions)):
        edited = latent.edit(jnp.asarray(codes)[:, None], direction, moving)
        title = f"attribute {name}: so much of it added to the codes"
        file = "attribute-" + re.sub(r"[^\w-]+", "-", name)
        save_film(trained, gallery, file, originals, trained.decode(edited, own), rows, columns, title)


def draw_variations(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw random variations of a test image, wider from row to row."""
    widths, num, run = config.widen or (1.0, 2.0, 4.0, 8.0), config.num or 10, trained.run
    originals, codes, own = trained.test_images([config.vary or 0])
    key = rng.root(config.seed)
    if not run.reports_elbo:  # without a width: use a tenth of the codes' spread
        unit, how = 0.1 * trained.spread()[1], "noise of so many tenths of the codes' deviations"
        variations = [latent.vary(key, jnp.asarray(codes[0]), num, width * unit) for width in widths]
    else:
        given, how = None if own is None else jnp.asarray(own), "its posterior, so many times as wide"
        posterior = run.model.encode(run.params, jnp.asarray(originals), given)
        variations = [latent.vary_posterior(key, posterior, num, width)[:, 0] for width in widths]
    rows, columns = [f"x {width:g}" for width in widths], [str(number + 1) for number in range(num)]
    (shown,) = trained.shows([config.vary or 0])
    title = trained.titled(f"variations of an image, {shown}: {how}")
    originals = originals.repeat(len(widths), axis=0)
    decoded, limits = trained.decode(variations, own), trained.limits()
    with gallery.figure("variations.png") as path:
        figures.save_strips(path, originals, decoded, rows=rows, columns=columns, title=title, limits=limits)


def draw_neighbours(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw test images, and the training images with the nearest codes."""
    ids, train = config.neighbours or (), trained.data.train
    originals, codes, _ = trained.test_images(ids)
    announce(f"codes of {train.num_examples:,} training images")
    found = latent.nearest(codes, trained.encode(train), min(config.num or 10, train.num_examples))
    images = as_values(train.x[np.asarray(found.indices)])
    rows, columns = trained.shows(ids), [str(rank + 1) for rank in range(images.shape[1])]
    title = "test images, and the training images with the nearest codes"
    with gallery.figure("neighbours.png") as path:
        figures.save_strips(path, originals, images, rows=rows, columns=columns, title=title, limits=trained.limits())


def draw_view(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw codes of test images on a plane."""
    name = str(config.view)
    shown = trained.test_split(MAPPED[name])
    codes = trained.encode(shown)
    announce(f"map of {len(codes)} codes by {name}")
    points, axes = latent.VIEWS[name](codes)
    title = f"posterior means of {shown.num_examples} test images"
    with gallery.figure(f"latent-{name}.png") as path:
        names = trained.data.classes
        figures.save_latent_scatter(path, points, shown.label, axes=axes, title=title, names=names)


def frames_each(num: int) -> int:
    """Return the number of frames of an animation between two of the `num` images of its figure."""
    return max(FRAMES // (num - 1), 1)


def save_film(
    trained: Trained,
    gallery: Gallery,
    name: str,
    originals: np.ndarray,
    film: np.ndarray,
    rows: list[str],
    columns: list[str],
    title: str,
) -> None:
    """Save frames `[R, F, ...]` as a figure with a row for each of R originals, and as an animation of all R."""
    limits = trained.limits()
    with gallery.figure(f"{name}.png") as path:
        stills = film[:, :: frames_each(len(columns))]
        title = trained.titled(title)
        figures.save_strips(path, originals, stills, rows=rows, columns=columns, title=title, limits=limits)
    with gallery.figure(f"{name}.gif") as path:
        animation.save_gif(path, film.swapaxes(0, 1), labels=rows, limits=limits)


ACTIONS: dict[str, Callable[[SampleConfig, Trained, Gallery], None]] = {
    "attribute": draw_attributes,  # first, because it may still refuse its option, before any output
    "interpolate": draw_path,
    "traverse": draw_traversals,
    "vary": draw_variations,
    "neighbours": draw_neighbours,
    "view": draw_view,
}
"""Drawing functions by option."""
UNDECODED = {"neighbours", "view"}
"""Options whose figures show codes and images as they are."""


if __name__ == "__main__":
    run_script(main, SampleConfig)

"""Samples, reconstructions, variations and neighbours in grids."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvae import latent, rng
from jaxvae.commands.sample_options import SampleConfig
from jaxvae.data import Split
from jaxvae.data.conditions import Classes
from jaxvae.data.spaces.shown import Rolls
from jaxvae.data.spaces.values import as_values
from jaxvae.report import figures
from jaxvae.report.gallery import Gallery
from jaxvae.report.rolls import save_sounds
from jaxvae.runs.progress import announce, say
from jaxvae.runs.samples import MOST_ROWS, are_pictures, end_of_files, sample_grid, save_stages
from jaxvae.runs.trained import Trained

SHOWN = 64
"""Maximum number of examples with their reconstructions."""


def draw_samples(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw decoded samples of the prior."""
    run, key = trained.run, rng.stream(rng.root(config.seed), "sample")
    with gallery.figure(f"samples{end_of_files(trained.data)}") as path:
        options: dict[str, Any] = {"condition": run.condition, "chosen": config.condition}
        grid = sample_grid(run.model, run.params, key, config.num, split=trained.data.test, **options)
        grid.save(path, trained.data)
        if isinstance(shown := trained.data.show(grid.images), Rolls):
            say(f"sound of the samples by {save_sounds(path.parent, shown, 'sample')}")
        # Figures show scaled values, this file the data's units, as tables do.
        if trained.data.scaling is not None and path.suffix == ".png":
            np.savez(path.with_suffix(".npz"), image=trained.data.scaling.undo(grid.images))


def draw_reconstructions(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw test images and their reconstructions."""
    some = trained.data.test.head(config.num or SHOWN)
    _reconstructions(trained, gallery, "reconstructions", "test", some)


def draw_own(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw examples of one's own and their reconstructions."""
    some = trained.run.as_split(str(config.reconstruct), config.condition).head(config.num or SHOWN)
    _reconstructions(trained, gallery, "reconstruct", "own", some)


def _reconstructions(trained: Trained, gallery: Gallery, name: str, whose: str, some: Split) -> None:
    data = trained.data
    with gallery.figure(f"{name}{end_of_files(data)}") as path:
        decoded = trained.decode(trained.encode(some), some.conditions())
        title = trained.titled(f"{whose} {data.noun}, and their reconstructions" + " below them" * are_pictures(data))
        save_stages(path, data, {whose: some.first(some.num_examples), "reconstruction": decoded}, title)


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


def draw_styles(config: SampleConfig, trained: Trained, gallery: Gallery) -> None:
    """Draw every class in the style of test images: the code of an image and its class, decoded as each class."""
    ids, meaning = config.styles or (), trained.run.condition
    assert isinstance(meaning, Classes)  # as the command has checked
    title = "in each row the style of a test image, in each column a class"
    with gallery.figure("styles.png") as path:
        trained.save_styles(path, ids, meaning.names, title, most=MOST_ROWS)


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

"""Draw figures of a trained model.

Without options these are samples, reconstructions and a traversal. `--reconstruct`, `--interpolate`, `--traverse`,
`--attribute`, `--vary`, `--neighbours` and `--view` write other figures instead, some also as an animation. Test images
are given by their indices, from 0, and labelled with their classes. `--out rows.csv` writes rows of a table instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from jaxvae.commands.figures.grids import (
    draw_neighbours,
    draw_own,
    draw_reconstructions,
    draw_samples,
    draw_styles,
    draw_variations,
)
from jaxvae.commands.figures.interpolation import draw_path
from jaxvae.commands.figures.maps import draw_view
from jaxvae.commands.figures.traversal import draw_attributes, draw_traversals
from jaxvae.commands.sample_options import SampleConfig
from jaxvae.data.conditions import Classes
from jaxvae.errors import InputError
from jaxvae.options import Compute
from jaxvae.report.columns import save_columns
from jaxvae.report.gallery import Gallery
from jaxvae.runs import Run, load_run
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import check_one_layer, load_data, used
from jaxvae.runs.imputing import given_rows
from jaxvae.runs.progress import say
from jaxvae.runs.rows import sample_rows
from jaxvae.runs.samples import are_pictures
from jaxvae.runs.trained import Trained

ROWS = 1000
"""Number of rows of a table where none is given."""
DRAW: dict[str, Callable[[SampleConfig, Trained, Gallery], None]] = {
    "reconstruct": draw_own,
    "attribute": draw_attributes,
    "interpolate": draw_path,
    "traverse": draw_traversals,
    "vary": draw_variations,
    "neighbours": draw_neighbours,
    "styles": draw_styles,
    "view": draw_view,
}
"""Drawing functions by the option that asks for a figure."""


def main(config: SampleConfig) -> int:
    """Load the run and write the figures."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select="best" if config.best else config.select)
    if (file := config.rows_file) is not None:
        return save_rows(config, run, file)
    check_one_layer(run)
    data = used(run, load_data(run, config.data_dir, config.dataset, stream=True))
    trained = Trained(run, data, config.out or config.run_dir / "samples", config.condition)
    check_fits(config, trained)
    gallery = Gallery(trained.folder)
    asked = [DRAW[name] for name in config.asked]
    # Vectors of a codebook and categories have no dimensions to move along.
    moves = trained.has_dimensions and are_pictures(data)
    for draw in asked or (draw_samples, draw_reconstructions, *([draw_traversals] if moves else [])):
        draw(config, trained, gallery)
    say(f"{'pictures' if are_pictures(data) else 'samples and reconstructions'} in {gallery.folder}")
    return 1 if gallery.missing else 0


def save_rows(config: SampleConfig, run: Run, file: Path) -> int:
    """Write sampled rows of a table."""
    num, draw = config.num or ROWS, sample_rows if config.given is None else partial(given_rows, given=config.given)
    rows = draw(run, num=num, seed=config.seed, condition=config.condition)
    save_columns(file, rows)
    print(f"{num:,} rows in {file}")
    return 0


def check_fits(config: SampleConfig, trained: Trained) -> None:
    """Refuse options that do not fit the run and its data, before any output."""
    if config.condition is not None:
        trained.chosen()
    of_images = [name for name in config.asked if name != "reconstruct"]
    if of_images and not are_pictures(trained.data):
        kind = trained.data.space.kind
        raise InputError(f"{of_images[0]}: is for images, the run's examples are {kind}; leave it out to sample them")
    images, dimensions = (trained.data.test.num_examples, "test image"), (trained.latent_dim, "latent dimension")
    if config.styles is not None and not isinstance(trained.run.condition, Classes):
        raise InputError("styles: the run has no class as its condition; train one with --preset conditional_vae")
    for name in ("interpolate", "image", "vary", "neighbours", "styles", "traverse"):
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

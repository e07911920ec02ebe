"""Interpolation between the codes of test images."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np

from jaxvae import latent
from jaxvae.commands.figures.film import frames_each
from jaxvae.commands.sample_options import SampleConfig
from jaxvae.report import animation, figures
from jaxvae.report.gallery import Gallery
from jaxvae.runs.trained import Trained


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

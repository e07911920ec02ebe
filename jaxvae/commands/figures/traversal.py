"""Images with one thing changed at a time: a latent dimension, or an attribute."""

from __future__ import annotations

import re

import jax.numpy as jnp
import numpy as np

from jaxvae import latent
from jaxvae.commands.figures.film import frames_each, save_film
from jaxvae.commands.sample_options import SampleConfig
from jaxvae.data import named_attributes
from jaxvae.data.attributes import usable_attributes
from jaxvae.report import animation
from jaxvae.report.gallery import Gallery
from jaxvae.runs.progress import announce
from jaxvae.runs.trained import Trained

REACH = 2.5
"""Range of a traversal to either side, in standard deviations."""


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

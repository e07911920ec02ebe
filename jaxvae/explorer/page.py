"""The page: one HTML file with style, programs, weights and test images inside, which asks nothing of any network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from importlib import resources
from string import Template
from typing import Any

import numpy as np

from jaxvae.data import Split
from jaxvae.data.dataset import Pixels
from jaxvae.explorer.contents import page_contents
from jaxvae.model import VAE
from jaxvae.report.display import arrangement
from jaxvae.types import Params

PAGE = resources.files("jaxvae.explorer") / "page"
SCRIPTS = (
    *("data", "decoder", "latent", "picture", "gestures", "controls", "map", "manifold"),
    *("sliders", "between", "attributes", "images", "app"),
)
"""In the order in which they are loaded."""


def explorer_page(
    model: VAE,
    params: Params,
    split: Split,
    *,
    title: str,
    pixels: Pixels = "grey",
    num_images: int = 500,
    classes: Sequence[str] = (),
) -> str:
    """A web page that decodes whatever code its reader chooses, and shows where the images of a split lie.

    Args:
        model: as `mean_layers` takes it.
        params: the model's parameters.
        split: images, with labels and attributes where there are any; some from all over it are put into the page.
        title: what the page is called.
        pixels: the data set's; where they are ink, a bright page shows them dark on bright.
        num_images: how many images at most.
        classes: names of the classes, by their numbers.

    Returns:
        HTML.

    Raises:
        InputError: the page cannot draw this model or these images.
    """
    contents = page_contents(model, params, split, pixels, num_images, classes)
    note = arrangement(contents["image"]["channels"]).note
    title = f"{title} ({note})" if note else title
    scripts = "\n".join(f"<script>\n{_source(f'{name}.js')}</script>" for name in SCRIPTS)
    return Template(_source("page.html")).substitute(
        title=html.escape(title), style=_source("style.css"), scripts=scripts, contents=to_json(contents)
    )


def to_json(contents: Any) -> str:
    """JSON that may stand in a `<script>`, with arrays as `{"dtype", "shape", "base64"}`, little-endian."""
    # A name with "</script>" in it would end the element; within JSON's strings an escaped "<" means the same.
    return json.dumps(contents, default=_array, separators=(",", ":")).replace("<", "\\u003c")


def _array(array: np.ndarray) -> dict[str, Any]:
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {"dtype": array.dtype.name, "shape": array.shape, "base64": base64.b64encode(data).decode()}


def _source(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")

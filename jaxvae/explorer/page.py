"""Page: one HTML file with style, programs, weights and test examples, without any network access."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template
from types import MappingProxyType
from typing import Any

import numpy as np

from jaxvae.data import Split
from jaxvae.explorer.contents import page_contents
from jaxvae.model import VAE
from jaxvae.report.display import arrangement
from jaxvae.types import Params

PAGE = resources.files("jaxvae.explorer") / "page"
SCRIPTS = (
    *("data", "predictor", "decoder", "latent", "picture", "pictures", "texts", "melodies", "roll", "player"),
    *("gestures", "controls", "slices", "map", "manifold"),
    *("sliders", "between", "steps", "attributes", "images", "condition", "app"),
)
"""Programs of the page, in the order in which they are loaded."""


def explorer_page(
    model: VAE,
    params: Params,
    split: Split,
    *,
    title: str,
    pixels: str = "grey",
    num_images: int = 500,
    classes: Sequence[str] = (),
    facts: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Build a web page that decodes any code its reader chooses, and shows the codes of a split's examples.

    Args:
        model: model that `mean_layers` supports, or that writes tokens with a network that `predictor` supports.
        params: the model's parameters.
        split: examples, with labels and attributes where there are any; evenly spaced ones are put into the page.
        title: title of the page.
        pixels: meaning of the data set's values; a bright page shows ink dark on bright.
        num_images: maximum number of examples.
        classes: names of the classes, in the order of their numbers.
        facts: facts of the data set: the words of a text, the pitches of melodies.

    Returns:
        HTML.

    Raises:
        InputError: the page cannot decode with this model, or cannot show these examples.
    """
    contents = page_contents(model, params, split, pixels, num_images, classes, facts)
    note = arrangement(contents["image"]["channels"]).note if "image" in contents else ""
    title = f"{title} ({note})" if note else title
    scripts = "\n".join(f"<script>\n{source(f'{name}.js')}</script>" for name in SCRIPTS)
    return Template(source("page.html")).substitute(
        contents["nouns"],
        title=html.escape(title),
        style=source("style.css"),
        scripts=scripts,
        contents=to_json(contents),
    )


def to_json(contents: Any) -> str:
    """Encode JSON for a `<script>`, with arrays as `{"dtype", "shape", "base64"}`, little-endian."""
    # A name with "</script>" would end the element; in JSON's strings an escaped "<" means the same.
    return json.dumps(contents, default=_array, separators=(",", ":")).replace("<", "\\u003c")


def _array(array: np.ndarray) -> dict[str, Any]:
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {"dtype": array.dtype.name, "shape": array.shape, "base64": base64.b64encode(data).decode()}


def source(name: str) -> str:
    """Return the text of one of the page's files."""
    return (PAGE / name).read_text(encoding="utf-8")

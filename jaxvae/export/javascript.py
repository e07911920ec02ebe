"""Decoder as an ES module that web pages and Node import: the explorer's programs with the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxvae.data.conditions import Classes
from jaxvae.data.spaces import Tokens
from jaxvae.errors import InputError
from jaxvae.explorer.layers import decoder_layers, mean_layers
from jaxvae.explorer.page import source, to_json
from jaxvae.explorer.predictors import Greedy, predictor
from jaxvae.explorer.weights import layer_as_json
from jaxvae.runs.data import check_one_layer
from jaxvae.runs.run import Run

FILE = "decoder.mjs"
SCRIPTS = ("data", "predictor", "decoder")
MODULE = """// Decoder of a {preset} on {data}, written by jaxvae.
// import {{ decode, shape, latentDim, classes }} from "./{file}";
{scripts}
const MODEL = readJson({model});
const run = makeDecoder(MODEL.decoder);

/** Shape of a decoded example; its values lie flat, the last axis fastest. */
export const shape = MODEL.shape;
/** Number of dimensions of a code. */
export const latentDim = MODEL.latentDim;
/** Names of the classes to decode as, in the order of their numbers; empty without conditions. */
export const classes = MODEL.classes;

/** The mean of p(x|z), or the likeliest row of tokens, of a code and the number of a class. */
export function decode(z, condition = 0) {{
  if (z.length !== latentDim) throw new RangeError(`z has ${{z.length}} numbers, not ${{latentDim}}`);
  if (classes.length && !(condition in classes)) throw new RangeError(`there is no class ${{condition}}`);
  return run(Float32Array.from(z), condition).slice();
}}
"""


def write(run: Run, folder: Path) -> list[Path]:
    """Write `decoder.mjs`, which exports `decode(z, condition)`, `shape`, `latentDim` and `classes`.

    Raises:
        InputError: the explorer cannot compute this decoder.
    """
    check_one_layer(run)
    path = folder / FILE
    path.write_text(module(run), encoding="utf-8")
    return [path]


def module(run: Run) -> str:
    """Return the text of the module."""
    names, vectors = _classes(run)
    if isinstance(run.space, Tokens):
        greedy = Greedy(predictor(run.model, run.params), run.space.length, run.space.end, run.space.padding)
        layers: list[Any] = [*decoder_layers(run.model, run.params, vectors), greedy]
    else:
        layers = [*mean_layers(run.model, run.params, vectors)]
    model = {
        "shape": list(run.space.shape),
        "latentDim": run.recipe.latent_dim,
        "classes": names,
        "decoder": [layer_as_json(layer, np.float32) for layer in layers],
    }
    scripts = "\n".join(source(f"{name}.js").replace('"use strict";\n', "") for name in SCRIPTS)
    title = run.recipe.preset, Path(str(run.facts.get("name", "data"))).name
    # A line break in a name would end the comment, and what follows would be code.
    preset, data = (" ".join(name.split()) for name in title)
    text = {"preset": preset, "data": data, "file": FILE, "scripts": scripts}
    return MODULE.format(model=to_json(to_json(model)), **text)


def _classes(run: Run) -> tuple[list[str], np.ndarray | None]:
    """Return the names of the classes and their conditions `[K, C]`.

    Raises:
        InputError: the conditions are no classes.
    """
    if run.condition is None:
        return [], None
    if not isinstance(run.condition, Classes):
        raise InputError("to: javascript decodes under classes, this run's condition is another; leave it out")
    return list(run.condition.names), np.eye(len(run.condition.names), dtype=np.float32)

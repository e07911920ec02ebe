"""Classes that a model with a classifier tells of examples."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxvae.data import Split
from jaxvae.evaluation import in_blocks, standard_error
from jaxvae.model import VAE
from jaxvae.runs.lines import Line
from jaxvae.types import Params

CLASSIFIER = "classifier"
"""Name of the piece among a model's extras."""


def predict(model: VAE, params: Params, split: Split) -> np.ndarray | None:
    """Return `[N]` most probable classes by q(y|x); None of a model without a classifier."""
    classifier = dict(getattr(model, "extras", ())).get(CLASSIFIER)
    if classifier is None:
        return None

    def classes(*rows: Any) -> jax.Array:
        x, _ = split.read(*rows)
        return classifier(params, x).argmax(-1)

    return in_blocks(classes, split.x, split.condition)


def accuracy(model: VAE, params: Params, split: Split) -> list[Line]:
    """Return the share of labelled examples whose class is told, where a model has a classifier."""
    found = predict(model, params, split)
    if found is None or split.label is None or not split.num_labelled:
        return []
    right = (found == split.label)[split.label >= 0]
    return [Line("accuracy", "classes told by q(y|x)", 0, len(right), float(right.mean()), standard_error(right))]

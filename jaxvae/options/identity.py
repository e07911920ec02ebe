"""Identity of a run: the options that decide its numbers, and the folder that is named after them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxvae.data import is_place
from jaxvae.data.places import stem
from jaxvae.options import earlier
from jaxvae.options.given import preset
from jaxvae.options.names import UNPREFIXED
from jaxvae.options.recipe import Recipe
from jaxvae.options.stored import to_json

MAY_CHANGE: Mapping[str, frozenset[str] | None] = {
    "data": frozenset({"data_dir"}),
    "train": frozenset({"steps", "epochs", "on_nonfinite"}),
    "output": None,
    "compute": None,
    "format": None,
}
"""Options by part, all of them where it is None, that change no step's numbers: a resumed run may have other values."""


def identity(recipe: Recipe) -> dict[str, Any]:
    """Return the options that decide a run's numbers, by part and name: equal identity, same run.

    The path of a data set is left out, because it may move; its fingerprint identifies it.
    """
    may_change = dict(MAY_CHANGE)
    if recipe.train.decay != "none":  # the learning rate of every step depends on the number of steps
        may_change["train"] = frozenset({"epochs", "on_nonfinite"})
    if is_place(recipe.data.dataset):
        may_change["data"] = frozenset({"data_dir", "dataset"})
    return flat(recipe, may_change)


def flat(recipe: Recipe, left_out: Mapping[str, frozenset[str] | None]) -> dict[str, Any]:
    """Return all options by their names on the command line, but those that are left out, by part."""
    return plain_flat(to_json(recipe), left_out)


def plain_flat(plain: Mapping[str, Any], left_out: Mapping[str, frozenset[str] | None]) -> dict[str, Any]:
    """Return the options of a recipe's plain values, see `flat`."""
    return dict(_flat(plain, left_out))


def model_identity(recipe: Recipe) -> dict[str, Any]:
    """Return the options that decide the parameters of the model."""
    plain = to_json(recipe)
    names = ("latent_dim", "condition", "networks", "posterior", "prior", "likelihood", "extras")
    return dict(_flat({name: plain[name] for name in names}, {}))


def _flat(plain: Mapping[str, Any], left_out: Mapping[str, frozenset[str] | None]) -> Iterator[tuple[str, Any]]:
    for part, value in plain.items():
        without = left_out.get(part, frozenset())
        if without is None:
            continue
        if not isinstance(value, Mapping):
            yield part, value
            continue
        prefix = "" if part in UNPREFIXED else f"{part}."
        for name, option in value.items():
            if name not in without:
                yield (part if name == "kind" else prefix + name), option


def default_run_dir(recipe: Recipe) -> Path:
    """Return the folder that belongs to the options of a settled recipe, always the same.

    Its tag is a digest of what differs from the preset's own options, so that a new option with a default changes no
    folder. A folder that version 0.1 named after the same options is found first, so that the same command resumes it.
    """
    dataset = recipe.data.dataset
    if is_place(dataset):
        dataset = str(Path(dataset).resolve())
    name = Path("runs") / f"{stem(dataset)}-{recipe.preset}"
    tag = earlier.tag(recipe, dataset)
    if tag is not None and (old := name.with_name(f"{name.name}-{tag}")).exists():
        return old
    row = identity(preset(recipe.preset))
    chosen = {option: value for option, value in identity(recipe).items() if row.get(option) != value}
    options = json.dumps({"dataset": dataset, **chosen}, sort_keys=True)
    return name.with_name(f"{name.name}-{hashlib.sha256(options.encode()).hexdigest()[:6]}")

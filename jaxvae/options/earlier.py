"""Configs of version 0.1, one flat list of options, and the default run directories named after them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jaxvae.errors import InputError
from jaxvae.options.given import BOARD, WARMUP, given
from jaxvae.options.groups import Compute
from jaxvae.options.recipe import AXES, Recipe, kind_of
from jaxvae.options.schedules import Schedule
from jaxvae.options.stored import from_json, read_options

NOTHING: Mapping[str, Any] = {
    "channels": (),
    "upper_latent_dims": (),
    "upper_hidden": (100, 100),
    "free_bits": 0.0,
    "num_groups": None,
    "gradient": None,
    "elbo_share": None,
    "corruption_level": 0.3,
    WARMUP: 0,
}
"""Options that were there for every preset, with the values that changed nothing."""
OBJECTIVES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "vae": ("elbo", ("free_bits",)),
    "conv_vae": ("elbo", ("free_bits",)),
    "autoencoder": ("elbo", ("free_bits",)),
    "denoising_autoencoder": ("elbo", ("free_bits",)),
    "kl_only": ("kl_only", ("free_bits",)),
    "iwae": ("iwae", ("gradient",)),
    "miwae": ("iwae", ("gradient", "num_groups")),
    "ciwae": ("ciwae", ("gradient", "elbo_share")),
    "piwae": ("piwae", ("num_groups",)),
}
"""Presets, each with its objective and the options that this took besides beta and num_samples."""
LAYERED = {"posterior": "layers", "prior": "layers"}
OTHERS = (
    "dataset",
    "data_dir",
    "run_dir",
    "reproduce",
    "init_from",
    "seed",
    "seeds",
    "steps",
    "epochs",
    "batch_size",
    "learning_rate",
    "warmup_steps",
    "decay",
    "weight_decay",
    "clip_norm",
    "ema_decay",
    "accumulate",
    "preset",
    "precision",
    "on_nonfinite",
    "output_bias",
    "train_examples",
    "scale",
    "resize",
    "crop",
    "background",
    "latent_dim",
    "hidden",
    "activation",
    "posterior",
    "likelihood",
    "beta",
    "num_samples",
    "corruption",
    "binarize",
    "log_every",
    "checkpoint_every",
    "select",
    "patience",
    "tensorboard",
    "figures",
)
"""All further options."""
PATHS = ("data_dir", "run_dir", "reproduce", "init_from")
LATER = ("resize", "crop", "background", "scale")
"""Options that were left out of the tag where they were not given."""
IDENTITY = (
    "train_examples",
    "seed",
    "seeds",
    "batch_size",
    "learning_rate",
    "warmup_steps",
    "decay",
    "weight_decay",
    "clip_norm",
    "ema_decay",
    "accumulate",
    "precision",
    "output_bias",
)
"""Options that were in the tag, besides those of model and objective."""


def read(values: Mapping[str, Any], classes: Iterable[type] = ()) -> Recipe:
    """Read a config of any version, see `stored.from_json`."""
    return from_json(_trackers(values), classes) if "format" in values else from_flat(values)


def _trackers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the option `tensorboard`, which format 3 had first, by the list of trackers."""
    output = dict(values.get("output", {}))
    board = output.pop(BOARD, None)
    return {**values, "output": output if board is None else {**output, "track": [BOARD] * board}}


def from_flat(values: Mapping[str, Any]) -> Recipe:
    """Read a config of version 0.1.

    Raises:
        InputError: it has an unknown option.
    """
    if unknown := sorted(set(values) - {"compute", *OTHERS, *NOTHING}):
        raise InputError(f"config.json: unknown fields {unknown}; it was written by another version")
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    plain |= {name: Path(plain[name]) for name in PATHS if plain.get(name) is not None}
    compute = read_options(Compute, plain.pop("compute", {}))
    used = {name: value for name, value in plain.items() if name not in NOTHING or value != NOTHING[name]}
    return dataclasses.replace(given(**used), compute=compute)


def tag(recipe: Recipe, dataset: str) -> str | None:
    """Return the tag of the default run directory of version 0.1; None for a recipe that it did not have.

    Args:
        recipe: a settled recipe.
        dataset: name of its data set, or the absolute path.
    """
    model, objective = _model(recipe), _objective(recipe)
    if model is None or objective is None:
        return None
    train, data = dataclasses.asdict(recipe.train), dataclasses.asdict(recipe.data)
    init_from = recipe.train.init_from
    plain = {
        "dataset": dataset,
        **{name: {**train, **data}[name] for name in IDENTITY},
        **{name: data[name] for name in LATER if data[name] is not None},
        "binarize": recipe.data.binarize,
        "init_from": None if init_from is None else str(init_from),
        **model,
        **objective,
        **({"steps": recipe.train.steps} if recipe.train.decay != "none" else {}),
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:6]


def _model(recipe: Recipe) -> dict[str, Any] | None:
    kinds = {axis: kind_of(getattr(recipe, axis), AXES[axis]) for axis in ("posterior", "prior", "likelihood")}
    layers = {axis: kinds[axis] for axis in LAYERED} == LAYERED
    plain = kinds["posterior"] in ("normal", "multivariate_normal", "delta") and kinds["prior"] == "standard"
    known = AXES["likelihood"].get(kinds["likelihood"])
    # What was added to a likelihood or to the networks since then must be at its default.
    if not (layers or plain) or known is None or recipe.likelihood != known() or recipe.condition != "none":
        return None
    networks = dataclasses.asdict(recipe.networks)
    if not networks.keys() <= {"hidden", "channels", "activation"}:
        return None
    upper = {name: getattr(recipe.posterior, name) if layers else NOTHING[name] for name in NOTHING if "upper" in name}
    return {
        "preset": recipe.preset,
        "latent_dim": recipe.latent_dim,
        "channels": (),
        **networks,
        **upper,
        "posterior": "normal" if layers else kinds["posterior"],
        "likelihood": kinds["likelihood"],
    }


def _objective(recipe: Recipe) -> dict[str, Any] | None:
    kind, taken = OBJECTIVES.get(recipe.preset, ("", ()))
    options = dataclasses.asdict(recipe.objective)
    schedule, beta, steps = getattr(recipe.objective, "beta", None), options.pop("beta", None), 0
    if isinstance(schedule, Schedule):
        if (schedule.kind, schedule.start) != ("line", 0.0):
            return None
        beta, steps = schedule.end, schedule.steps
    rest = {name: value for name, value in options.items() if name not in ("num_samples", *taken)}
    added = type(recipe.objective)()
    known = kind == kind_of(recipe.objective, AXES["objective"])
    if not known or any(value != getattr(added, name) for name, value in rest.items()):
        return None
    corruption = kind_of(recipe.corruption, AXES["corruption"])
    return {
        **{name: NOTHING[name] for name in ("free_bits", "num_groups", "gradient", "elbo_share")},
        **{name: options[name] for name in ("num_samples", *taken)},
        "beta": beta,
        WARMUP: steps,
        "corruption": corruption,
        "corruption_level": getattr(recipe.corruption, "level", NOTHING["corruption_level"]),
    }

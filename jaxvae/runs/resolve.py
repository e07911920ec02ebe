"""Defaults of options from the preset and the data, and refusal of options that do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from jaxvae import presets, rng
from jaxvae.data import Dataset, is_named
from jaxvae.data.batches import BatchOrder
from jaxvae.data.scaling import default_scale, fit_scaling, scaled
from jaxvae.data.spaces import INK, Pixels
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.runs import selection
from jaxvae.runs.checks import check
from jaxvae.runs.config import LikelihoodName, PresetName, TrainConfig, default_run_dir, settled
from jaxvae.types import InputError

LAST_STEP = 2**31 - 1
"""Largest step, because states count their steps in int32."""
BATCH_SIZE, CHECKPOINT_EVERY = 128, 1000
"""Defaults for the named sets."""
OFTEN, PATIENCE = 100, 5
"""Least interval and patience for the user's data, which are often few: they are evaluated before they overfit."""
SMALLEST_BATCH, BATCHES = 16, 10
"""Smallest batch, and least number of batches per epoch, for the user's data."""
SMALLEST_CONV = 16
"""Least length of the shorter side, in pixels, for which the user's images get convolutions."""


def settle_scale(config: TrainConfig, data: Dataset) -> tuple[TrainConfig, Dataset]:
    """Scale values as configured, real ones by default to mean 0 and deviation 1; the config returned records it."""
    default = default_scale(data.space)
    kind = config.scale or default
    if kind != "none":
        return dataclasses.replace(config, scale=kind), scaled(data, fit_scaling(kind, data))
    return dataclasses.replace(config, scale="none" if default != "none" else None), data


def settle_space(config: TrainConfig, data: Dataset) -> Dataset:
    """Return the data as a resolved config reads them: pixels binarized at each use, or as they are stored."""
    if not isinstance(data.space, Pixels):
        return data
    return data.of_space(dataclasses.replace(data.space, binarize=config.binarize == "dynamic"))


def resolve(config: TrainConfig, data: Dataset) -> TrainConfig:
    """Fill in options that depend on the preset and the data, and refuse those that do not fit.

    Raises:
        InputError: the options contradict each other or the data.
    """
    config = dataclasses.replace(config, preset=_preset(config, data), dataset=_place(config.dataset))
    config = with_defaults(dataclasses.replace(config, likelihood=_likelihood(config, data)), data.shape)
    _check_used(config, presets.PRESETS[config.preset])
    config = dataclasses.replace(config, **_lengths(config, data), binarize=_binarization(config, data))
    config = dataclasses.replace(config, **_watch(config, data))
    _check_fits(config, data)
    return dataclasses.replace(config, run_dir=config.run_dir or default_run_dir(config))


def _lengths(config: TrainConfig, data: Dataset) -> dict[str, Any]:
    """Return batch size and number of steps."""
    size, steps = data.train.num_examples, config.steps
    if config.batch_size is not None and config.batch_size > size:
        raise InputError(f"batch-size: {config.batch_size} is more than the {size} training examples; make it smaller")
    fitting = BATCH_SIZE if is_named(config.dataset) else min(BATCH_SIZE, max(SMALLEST_BATCH, size // BATCHES))
    batch_size = config.batch_size or min(fitting, size)
    if config.epochs is not None:
        steps = round(config.epochs * BatchOrder(rng.root(0), size, batch_size).steps_per_epoch)
    if steps > LAST_STEP:
        raise InputError(f"steps: {steps} are more than can be counted; ask for {LAST_STEP} or fewer")
    return {"batch_size": batch_size, "steps": max(steps, 1)}


def _watch(config: TrainConfig, data: Dataset) -> dict[str, Any]:
    """Return the interval of evaluations, the checkpoint to report, and the patience."""
    own, select = not is_named(config.dataset), selection.settle(config.select, data)
    epoch = -(-data.train.num_examples // settled(config.batch_size))
    often = min(max(OFTEN, epoch), CHECKPOINT_EVERY)
    # A decaying learning rate has its best step at the end, and published sets are trained for all their steps.
    stops_early = own and select == "best" and config.decay == "none"
    return {
        "checkpoint_every": config.checkpoint_every or (often if own else CHECKPOINT_EVERY),
        "select": select,
        "patience": config.patience if config.patience is not None else PATIENCE * stops_early,
    }


def _check_fits(config: TrainConfig, data: Dataset) -> None:
    """Refuse options whose numbers contradict each other or the data."""
    if config.patience and data.validation is None:
        raise InputError(f"patience: {data.name} has no validation data that could get worse; leave it out, or give 0")
    accumulate, batch_size = config.accumulate, settled(config.batch_size)
    check(accumulate <= batch_size, "accumulate", accumulate, f"at most {batch_size}, a batch")
    for name in ("warmup_steps", "beta_warmup_steps"):
        if getattr(config, name) >= config.steps:
            raise InputError(
                f"{name.replace('_', '-')}: {getattr(config, name)} steps never end in a run of {config.steps}; "
                "make it shorter, or the run longer"
            )


def _preset(config: TrainConfig, data: Dataset) -> PresetName:
    """Return the preset for `auto`: convolutions for the user's images if they are large enough."""
    if config.preset != "auto":
        return config.preset
    large = len(data.shape) == 3 and min(data.shape[:2]) >= SMALLEST_CONV
    return "conv_vae" if large and not is_named(config.dataset) else "vae"


def _likelihood(config: TrainConfig, data: Dataset) -> LikelihoodName | None:
    """Return the likelihood asked for; by default Bernoulli is for ink alone."""
    open_for_shades = config.likelihood is None and presets.PRESETS[config.preset].likelihood == "bernoulli"
    return "normal_shared" if open_for_shades and data.pixels not in INK else config.likelihood


def _place(dataset: str) -> str:
    """Return a set's name, or the absolute path of its files, for scripts started in other folders."""
    # Not `resolve`: a link keeps its name.
    return dataset if is_named(dataset) else str(Path(dataset).expanduser().absolute())


def with_defaults(config: TrainConfig, shape: tuple[int, ...] = ()) -> TrainConfig:
    """Fill in options that depend on the preset, for examples of a shape."""
    if config.preset == "auto":
        config = dataclasses.replace(config, preset="vae")
    preset = presets.PRESETS[config.preset]
    model = ("latent_dim", "hidden", "activation", "posterior", "likelihood")
    names = (*model, "beta", "num_samples", "corruption")
    defaults = {**{name: getattr(preset, name) for name in names}, **preset.options}
    defaults["channels"] = presets.preset_channels(preset, shape)
    left = {name: default for name, default in defaults.items() if getattr(config, name) is None}
    return dataclasses.replace(config, **left)


def _check_used(config: TrainConfig, preset: presets.Preset) -> None:
    """Refuse options that would have no effect."""
    if config.channels and preset.channels == ():
        raise InputError(f"channels: {config.preset} has no convolutions; use --preset conv_vae, or leave this out")
    for name in ("free_bits", "num_groups", "gradient", "elbo_share"):
        if name not in preset.options and getattr(config, name):
            takes = ", ".join(row for row, other in presets.PRESETS.items() if name in other.options)
            raise InputError(
                f"{name.replace('_', '-')}: {config.preset} does not take it; leave it out, or use {takes}"
            )
    if config.upper_latent_dims and config.posterior != "normal":
        raise InputError(f"posterior: layers above z go with normal, got {config.posterior}; leave one of them out")
    level = config.corruption_level
    if config.corruption == "none" and level != TrainConfig.corruption_level:
        raise InputError(f"corruption-level: {level} of no corruption; give --corruption too, or leave this out")


def _binarization(config: TrainConfig, data: Dataset) -> Literal["auto", "dynamic", "none"]:
    support = LIKELIHOODS[str(config.likelihood)].support
    needs_binary = support == "binary"
    if data.pixels == "real" and (support != "real" or config.binarize == "dynamic"):
        values, or_else = ("0 or 1", "") if needs_binary else ("in [0, 1]", ", or --scale unit")
        name = f"likelihood: {config.likelihood} scores values" + (" that are" if needs_binary else "")
        raise InputError(
            f"{name} {values}, but {data.name} holds real numbers; use --likelihood normal_shared{or_else}"
        )
    # Ink is sampled by its grey value, as in the literature; for shades this would be unexpected.
    undrawn = ("none",) if data.pixels == "ink" else ("none", "auto")
    if needs_binary and data.pixels != "binary" and config.binarize in undrawn:
        raise InputError(
            f"likelihood: {config.likelihood} scores pixels that are 0 or 1, but {data.name} is grey; "
            "use --binarize dynamic, or --likelihood continuous_bernoulli"
        )
    if config.binarize == "auto":
        return "dynamic" if needs_binary and data.pixels != "binary" else "none"
    return config.binarize

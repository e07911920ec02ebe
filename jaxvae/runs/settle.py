"""Options that depend on the data are settled, once, and those that do not fit are refused."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from jaxvae import rng
from jaxvae.data import Dataset, is_named, kind_by_name
from jaxvae.data.batches import BatchOrder
from jaxvae.data.places import absolute
from jaxvae.data.scaling import ScaleName, default_scale, fit_scaling, scaled
from jaxvae.data.spaces import Pixels
from jaxvae.errors import InputError
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.options.checks import check
from jaxvae.options.groups import Data, Output, Train, settled
from jaxvae.options.identity import default_run_dir
from jaxvae.options.names import options
from jaxvae.options.own import Own
from jaxvae.options.recipe import AXES, Recipe, kind_of
from jaxvae.options.schedules import Schedule
from jaxvae.runs import selection

LAST_STEP = 2**31 - 1
"""Largest step, because states count their steps in int32."""
BATCH_SIZE, CHECKPOINT_EVERY = 128, 1000
"""Defaults for the named sets."""
OFTEN, PATIENCE = 100, 5
"""Least interval and patience for the user's data, which are often few: they are evaluated before they overfit."""
SMALLEST_BATCH, BATCHES = 16, 10
"""Smallest batch, and least number of batches per epoch, for the user's data."""
AUTO = {"mlp": "vae", "conv": "conv_vae", "tokens": "token_vae"}
"""Rows that `auto` stands for, by their networks."""


def settle_scale(asked: ScaleName | None, data: Dataset) -> tuple[ScaleName | None, Dataset]:
    """Scale values as asked, real ones by default to mean 0 and deviation 1; return the scaling's name too."""
    default = default_scale(data.space)
    kind = asked or default
    if kind != "none":
        return kind, scaled(data, fit_scaling(kind, data))
    return None if default == "none" else "none", data


def settle_space(binarize: str, data: Dataset) -> Dataset:
    """Return the data as settled options read them: pixels binarized at each use, or as they are stored."""
    if not isinstance(data.space, Pixels):
        return data
    return data.of_space(dataclasses.replace(data.space, binarize=binarize == "dynamic"))


def settle(recipe: Recipe, data: Dataset) -> Recipe:
    """Fill in the options that depend on the data, and refuse those that do not fit.

    Raises:
        InputError: the options contradict each other or the data.
    """
    own = not is_named(recipe.data.dataset)
    networks = recipe.networks
    networks = networks.settled(data.space, own=own) if hasattr(networks, "settled") else networks
    likelihood = None if isinstance(networks, Own) else _likelihood(recipe.likelihood, data)
    source = dataclasses.replace(
        recipe.data, dataset=_place(recipe.data.dataset), binarize=_binarization(recipe.data, likelihood, data)
    )
    train = _lengths(recipe.train, data.train.num_examples, own=own)
    output = _watch(recipe.output, train, data, own=own)
    preset = recipe.preset if recipe.preset != "auto" else AUTO.get(kind_of(networks, AXES["networks"]), "vae")
    parts: dict[str, Any] = {"networks": networks, "likelihood": likelihood}
    recipe = dataclasses.replace(recipe, preset=preset, data=source, train=train, output=output, **parts)
    _check_schedules(recipe, train.steps)
    return dataclasses.replace(
        recipe, output=dataclasses.replace(output, run_dir=output.run_dir or default_run_dir(recipe))
    )


def check_kind(recipe: Recipe) -> None:
    """Refuse networks for another kind of data, where its name tells the kind, before anything is read.

    Raises:
        InputError: they read tokens or counts and the set holds none, or the set holds tokens and they read none.
    """
    kind, networks = kind_by_name(recipe.data.dataset), kind_of(recipe.networks, AXES["networks"])
    if kind is None or networks not in AXES["networks"] or networks == "auto":
        return
    reads = getattr(recipe.networks, "reads", None)
    if reads == kind or (reads is None and kind != "tokens"):
        return
    fitting = "token_vae" if kind == "tokens" else "vae"
    other = {"tokens": ", or a --dataset of tokens, such as grammar", "counts": ", or a --dataset of counts"}
    raise InputError(
        f"preset: {networks} networks do not read {kind}, as {recipe.data.dataset}; give --preset {fitting}"
        f"{other.get(str(reads), '')}"
    )


def _lengths(train: Train, num_examples: int, *, own: bool) -> Train:
    """Settle batch size and number of steps."""
    if train.batch_size is not None and train.batch_size > num_examples:
        raise InputError(
            f"batch-size: {train.batch_size} is more than the {num_examples} training examples; make it smaller"
        )
    fitting = min(BATCH_SIZE, max(SMALLEST_BATCH, num_examples // BATCHES)) if own else BATCH_SIZE
    batch_size, steps = train.batch_size or min(fitting, num_examples), train.steps
    if train.epochs is not None:
        steps = round(train.epochs * BatchOrder(rng.root(0), num_examples, batch_size).steps_per_epoch)
    if steps > LAST_STEP:
        raise InputError(f"steps: {steps} are more than can be counted; ask for {LAST_STEP} or fewer")
    check(train.accumulate <= batch_size, "accumulate", train.accumulate, f"at most {batch_size}, a batch")
    steps = max(steps, 1)
    if train.warmup_steps >= steps:
        raise InputError(
            f"warmup-steps: {train.warmup_steps} steps never end in a run of {steps}; make it shorter, or the run "
            "longer"
        )
    return dataclasses.replace(train, batch_size=batch_size, steps=steps)


def _watch(output: Output, train: Train, data: Dataset, *, own: bool) -> Output:
    """Settle the interval of evaluations, the checkpoint to report, and the patience."""
    select = selection.settle(output.select, data)
    epoch = -(-data.train.num_examples // settled(train.batch_size))
    often = min(max(OFTEN, epoch), CHECKPOINT_EVERY)
    # A decaying learning rate has its best step at the end, and published sets are trained for all their steps.
    stops_early = own and select == "best" and train.decay == "none"
    if train.inference_patience is not None and data.validation is None:
        raise InputError(
            f"inference-patience: {data.name} has no validation data to measure mutual information on; give "
            "--inference-until instead"
        )
    if output.patience and data.validation is None:
        raise InputError(f"patience: {data.name} has no validation data that could get worse; leave it out, or give 0")
    return dataclasses.replace(
        output,
        checkpoint_every=output.checkpoint_every or (often if own else CHECKPOINT_EVERY),
        select=select,
        patience=output.patience if output.patience is not None else PATIENCE * stops_early,
    )


def _check_schedules(recipe: Recipe, steps: int) -> None:
    """Refuse a schedule that the run would leave unfinished."""
    for option in options(recipe).values():
        if isinstance(option.value, Schedule) and option.value.steps >= steps:
            raise InputError(
                f"{option.flag[2:]}: {option.value.steps} steps never end in a run of {steps}; make it shorter, or the "
                "run longer"
            )


SCORED = {"binary": "values that are 0 or 1", "unit": "values in [0, 1]", "real": "real numbers", "table": "tables"}
"""Plain words for the values that a likelihood scores."""
OWN_LIKELIHOODS = {"counts", "tokens", "table"}
"""Kinds of data that have likelihoods of their own."""


def _likelihood(chosen: Any, data: Dataset) -> Any:
    """Return the likelihood that was chosen, by default the one of the data's space; refuse one of another kind."""
    likelihood = chosen or LIKELIHOODS[data.space.likelihood]()
    holds, scores = data.space.kind, likelihood.support
    of_other_kind = holds != scores and {holds, scores} & OWN_LIKELIHOODS
    if of_other_kind and (holds, scores) != ("counts", "real"):
        name = kind_of(likelihood, AXES["likelihood"])
        values = "pixels" if isinstance(data.space, Pixels) else holds
        raise InputError(
            f"likelihood: {name} scores {SCORED.get(scores, scores)}, but {data.name} holds {values}; "
            f"leave it out, or use --likelihood {data.space.likelihood}"
        )
    if likelihood.of_bytes and not _are_bytes(data):
        name = kind_of(likelihood, AXES["likelihood"])
        raise InputError(
            f"likelihood: {name} scores pixels of 256 levels, but {data.name} holds other numbers; store uint8, "
            f"or use --likelihood {data.space.likelihood}"
        )
    return likelihood.settled(data.space) if hasattr(likelihood, "settled") else likelihood


def _are_bytes(data: Dataset) -> bool:
    """Return True for pixels that are stored as bytes."""
    return isinstance(data.space, Pixels) and data.train.x.dtype == "uint8"


def _place(dataset: str) -> str:
    """Return a set's name, or the absolute path of its files, for scripts started in other folders."""
    return dataset if is_named(dataset) else absolute(dataset)


def _binarization(options: Data, likelihood: Any, data: Dataset) -> Literal["auto", "dynamic", "none"]:
    """Return dynamic or none, as the likelihood needs it, and refuse pixels that it cannot score."""
    if likelihood is None:  # a model of one's own says nothing: pixels are as they are stored
        return "dynamic" if options.binarize == "dynamic" else "none"
    binarize, name = options.binarize, kind_of(likelihood, AXES["likelihood"])
    needs_binary = likelihood.support == "binary"
    if data.pixels == "real" and (likelihood.support != "real" or binarize == "dynamic"):
        values, or_else = ("0 or 1", "") if needs_binary else ("in [0, 1]", ", or --scale unit")
        scores = f"likelihood: {name} scores values" + (" that are" if needs_binary else "")
        raise InputError(
            f"{scores} {values}, but {data.name} holds real numbers; use --likelihood normal_shared{or_else}"
        )
    # Ink is sampled by its grey value, as in the literature; for shades this would be unexpected.
    undrawn = ("none",) if data.pixels == "ink" else ("none", "auto")
    if needs_binary and data.pixels != "binary" and binarize in undrawn:
        raise InputError(
            f"likelihood: {name} scores pixels that are 0 or 1, but {data.name} is grey; "
            "use --binarize dynamic, or --likelihood continuous_bernoulli"
        )
    if binarize == "auto":
        return "dynamic" if needs_binary and data.pixels != "binary" else "none"
    return binarize

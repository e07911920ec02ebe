"""Reports on steps with NaN or infinity: the step at which a run stopped, or the number left out."""

from __future__ import annotations

import sys

import numpy as np

from jaxvae import hosts, stores
from jaxvae.options.groups import Train
from jaxvae.options.recipe import Recipe
from jaxvae.report import write_json
from jaxvae.runs.engine import Engine
from jaxvae.training import NonFiniteError
from jaxvae.training.nonfinite import num_skipped
from jaxvae.types import TrainState

EXIT_CODE = 3
FILE = "nonfinite.json"
"""File in the directory of a run that stopped, with step, terms, seed, and the batch's example indices."""
SHOWN = 8
"""Number of example indices in the printed line; all of them are in the file."""


def report(recipe: Recipe, engine: Engine, steps_saved: list[int], fault: NonFiniteError) -> int:
    """Report the step at which a run stopped, its terms and its examples; returns the exit code."""
    number = fault.seed_number or 0
    ids = engine.example_ids(fault.step)[number].tolist()
    if hosts.is_main():
        run_dir, train = recipe.run_dir, recipe.train
        facts = {"step": fault.step, "terms": fault.terms, "seed": train.seed + number, "example_ids": ids}
        write_json(run_dir / FILE, facts)
        shown = ", ".join(map(str, ids[:SHOWN])) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")
        seed = f" with seed {facts['seed']}" if train.seeds > 1 else ""
        kept = f"the checkpoint of step {steps_saved[-1]} is kept" if steps_saved else "there is no checkpoint yet"
        print(
            f"error: step {fault.step}{seed}: not finite: {', '.join(fault.terms)}, on examples {shown} "
            f"({stores.named(str(run_dir / FILE))}); {kept}: {_remedies(train)}",
            file=sys.stderr,
        )
    return EXIT_CODE


def _remedies(train: Train) -> str:
    """Return the options that could help, except those that are given already."""
    clip = "give --clip-norm" if train.clip_norm is None else "lower --clip-norm"
    if train.on_nonfinite != "stop":
        return f"lower --learning-rate, or {clip}"
    return f"lower --learning-rate, {clip}, or go on with --on-nonfinite skip or halve-lr"


def skipped_steps(train: Train, state: TrainState) -> list[dict[str, int]]:
    """Return the number of steps each seed has left out, as a row of metrics; empty if steps cannot be left out."""
    counts = np.asarray(num_skipped(state.opt_state)).reshape(-1).tolist()
    return [{"skipped_steps": count} if count or train.on_nonfinite != "stop" else {} for count in counts]


def learning_rate_factor(train: Train, state: TrainState) -> float:
    """Return the learning rate's factor after halving, averaged over seeds."""
    if train.on_nonfinite != "halve-lr":
        return 1.0
    return float(np.mean(np.exp2(-np.asarray(num_skipped(state.opt_state), np.float64))))

"""Cost of jaxvae's options: `python benchmarks/options.py` measures each beside the defaults, in turns.

Each has a process of its own. It is made for a GPU, where half precision, many seeds at once, pmap and deterministic
kernels matter; `benchmarks/gpu.sh` runs it with the rest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import machine
import rounds
import tables
from contenders import Case
from scale import CONVOLUTIONS, MLP, save_images, steps_per_turn
from worker import Repetition, WorkerError, start

from jaxvae.errors import InputError
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import DETERMINISTIC

NETS = {"mlp": MLP, "conv": CONVOLUTIONS._replace(shape=(64, 64, 3), channels=(32, 64, 128, 256), hidden=(256,))}


class Variant(NamedTuple):
    """Row of the table: options of a run, and flags of XLA."""

    description: str
    options: Mapping[str, Any] = {}
    flags: str = ""


VARIANTS = {
    "default": Variant("defaults"),
    "bfloat16": Variant("`--precision bfloat16`", {"precision": "bfloat16"}),
    "seeds": Variant("`--seeds 64`", {"seeds": 64}),
    "pmap": Variant("`--dispatch pmap`", {"dispatch": "pmap"}),
    "step": Variant("`--dispatch step`", {"dispatch": "step"}),
    "deterministic": Variant("`--deterministic`", flags=DETERMINISTIC),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the cost of options of jaxvae."""

    nets: tuple[Literal["mlp", "conv"], ...] = ("mlp", "conv")
    """Networks: 784-400-20; convolutions 32-64-128-256 on 64x64x3."""
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Options to measure beside the defaults: bfloat16, seeds, pmap, step, deterministic."""
    batch_size: int = 128
    """Examples per step, of each seed."""
    rounds: int = 5
    """Number of runs of each."""
    seconds: float = 2.0
    """Approximate seconds of each run."""
    out: Path | None = None
    """JSON file for all measurements."""

    def check(self) -> None:
        """Refuse options that cannot be measured."""
        for name in ("batch_size", "rounds", "seconds"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name.replace('_', '-')}: must be above 0, got {getattr(self, name)}")
        if unknown := sorted(set(self.variants) - set(VARIANTS)):
            raise InputError(f"variants: no {', '.join(unknown)}; there are {', '.join(VARIANTS)}")


def main(options: Options) -> int:
    """Measure all networks, print a table for each, and write the file where asked."""
    about, found = machine.facts(), {}
    print(machine.sentence(about), end="\n\n", flush=True)
    for net in options.nets:
        case = NETS[net]._replace(batch_size=options.batch_size)
        found[net] = rates, left_out = measure(options, case)
        reasons = [f"Left out: {VARIANTS[name].description} ({reason})." for name, reason in left_out.items()]
        print("\n\n".join([f"### {net}: {case}", table(rates), *reasons]), end="\n\n", flush=True)
        if options.out:
            options.out.write_text(json.dumps({"about": about, "examples_per_second": found}, indent=1) + "\n")
    return 0


def measure(options: Options, case: Case) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Return examples per second of each variant, one for each round, over all its seeds; and reasons of the others."""
    turns: dict[str, functools.partial[Repetition]] = {}
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        images = save_images(case, Path(folder, "images.npy"))
        for name in dict.fromkeys(("default", *options.variants)):
            print(f"{case}: {VARIANTS[name].description}", file=sys.stderr, flush=True)
            variant = case._replace(options=dict(VARIANTS[name].options))
            # Stripped, because XLA takes a blank for the name of a file.
            flags = f"{os.environ.get('XLA_FLAGS', '')} {VARIANTS[name].flags}".strip()
            begun = start("jaxvae_binarized", variant, images, Path(folder), environment={"XLA_FLAGS": flags})
            try:
                _, repeat = stack.enter_context(begun)
                turns[name] = functools.partial(repeat, steps_per_turn(repeat, options.seconds))
            except WorkerError as error:
                if name == "default":  # nothing to compare with
                    raise
                left_out[name] = str(error)
        taken = rounds.interleave(turns, options.rounds)
    seeds = {name: VARIANTS[name].options.get("seeds", 1) for name in taken}
    rates = {
        name: [one.steps * case.batch_size * seeds[name] / one.seconds for one in repetitions]
        for name, repetitions in taken.items()
    }
    return rates, left_out


def table(rates: Mapping[str, list[float]]) -> str:
    """Format a row for each variant, with its speed beside the defaults in the same round."""
    head = ("", "examples/s, all seeds", "lowest to highest", "beside the defaults")
    rows = [
        (
            VARIANTS[name].description,
            f"{statistics.median(one):,.0f}",
            f"{min(one):,.0f} to {max(one):,.0f}",
            f"{rounds.median_ratio(one, rates['default']):.2f}",
        )
        for name, one in rates.items()
    ]
    return tables.table(head, rows)


if __name__ == "__main__":
    run_script(main, Options)

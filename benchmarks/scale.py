"""Growth of time and memory with each size: `python benchmarks/scale.py` measures jaxvae alone.

One size at a time grows from a 784-400-20 MLP at batch 128. Each value has a process of its own, and those of one size
take turns, so that a slower machine affects all alike. Work is the number of multiplications of the layers, forward.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import machine
import numpy as np
import rounds
import tables
from contenders import Case
from worker import Repeat, Repetition, start

from jaxvae.errors import InputError
from jaxvae.runs.command_line import run_script

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- scale: begin -->", "<!-- scale: end -->"
MLP = Case("mlp", (28, 28, 1), (), (400,), 20, 128)
CONVOLUTIONS = Case("conv", (32, 32, 1), (16, 32), (128,), 20, 32)
STORED = 2**26
"""Largest number of bytes of the training set."""


class Axis(NamedTuple):
    """Size that grows, and its values."""

    description: str
    values: tuple[int, ...]
    case: Callable[[int], Case]


def iwae(num_samples: int) -> dict[str, Any]:
    """Return the options of the importance-weighted bound."""
    return {"preset": "iwae", "num_samples": num_samples}


AXES = {
    "batch": Axis("examples per batch", (64, 128, 256, 512, 1024), lambda n: MLP._replace(batch_size=n)),
    "width": Axis("hidden units", (200, 400, 800, 1600), lambda n: MLP._replace(hidden=(n,))),
    "latents": Axis("latent dimensions", (5, 20, 80, 320), lambda n: MLP._replace(latent_dim=n)),
    "samples": Axis("importance samples K", (1, 4, 16), lambda n: MLP._replace(options=iwae(n))),
    "side": Axis("image side, MLP", (14, 28, 56), lambda n: MLP._replace(shape=(n, n, 1))),
    "conv_side": Axis("image side, convolutions", (16, 32, 64), lambda n: CONVOLUTIONS._replace(shape=(n, n, 1))),
    "devices": Axis("devices of 128 examples each", (1, 2, 4), lambda n: MLP._replace(batch_size=128 * n)),
    "seeds": Axis("seeds at once", (1, 2, 4, 8, 16), lambda n: MLP._replace(options={"seeds": n})),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure how time and memory of a step grow with each size."""

    axes: tuple[str, ...] = tuple(AXES)
    """Sizes that grow: batch, width, latents, samples, side, conv_side, devices, seeds."""
    rounds: int = 5
    """Number of runs of each value."""
    seconds: float = 0.5
    """Approximate seconds of each run."""
    out: Path | None = None
    """JSON file for all measurements."""
    figure: Path | None = None
    """PNG file for the figure."""
    write_docs: bool = False
    """Write the table into docs/performance.md."""

    def check(self) -> None:
        """Refuse options that cannot be measured."""
        for name in ("rounds", "seconds"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name}: must be above 0, got {getattr(self, name)}")
        if unknown := sorted(set(self.axes) - set(AXES)):
            raise InputError(f"axes: no {', '.join(unknown)}; there are {', '.join(AXES)}")


class Growth(NamedTuple):
    """Measurements along one axis, one for each of its values."""

    axis: str
    values: list[int]
    work: list[int]
    seconds: list[float]
    """Seconds per step, medians over rounds."""
    peak_bytes: list[int]

    def exponents(self) -> dict[str, float]:
        """Return the fitted exponents of work, seconds and memory."""
        columns: dict[str, Sequence[float]] = {
            "work": self.work,
            "seconds": self.seconds,
            "memory": self.peak_bytes,
        }
        return {name: exponent(self.values, column) for name, column in columns.items()}


def main(options: Options) -> int:
    """Measure all axes, print the table, and write files where asked."""
    about, found = machine.facts(), []
    print(machine.sentence(about), end="\n\n", flush=True)
    for name in options.axes:
        found.append(measure(options, name))
        print(table([found[-1]]), end="\n\n", flush=True)
        if options.out:
            options.out.write_text(
                json.dumps({"about": about, "axes": [one._asdict() for one in found]}, indent=1) + "\n"
            )
    if options.figure:
        draw(options.figure, found)
    if options.write_docs:
        tables.replace_between_markers(PAGE, f"{machine.sentence(about)}\n\n{table(found)}", BEGIN, END)
    return 0


def measure(options: Options, name: str) -> Growth:
    """Start a process for each value of an axis, then let them run in turns."""
    axis = AXES[name]
    turns: dict[str, functools.partial[Repetition]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        for value in axis.values:
            print(f"{axis.description}: {value}", file=sys.stderr, flush=True)
            case, devices = axis.case(value), value if name == "devices" else 1
            flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
            images = save_images(case, Path(folder, f"{value}.npy"))
            begun = start("jaxvae_binarized", case, images, Path(folder), environment={"XLA_FLAGS": flags})
            _, repeat = stack.enter_context(begun)
            turns[str(value)] = functools.partial(repeat, steps_per_turn(repeat, options.seconds))
        taken = rounds.interleave(turns, options.rounds)
    return Growth(
        name,
        list(axis.values),
        [work(axis.case(value)) for value in axis.values],
        [statistics.median(one.seconds / one.steps for one in repetitions) for repetitions in taken.values()],
        [max(one.peak_bytes for one in repetitions) for repetitions in taken.values()],
    )


def steps_per_turn(repeat: Repeat, seconds: float) -> int:
    """Return the number of steps that take about this time."""

    def time_steps(num_steps: int) -> float:
        taken = repeat(num_steps)
        return taken.seconds / taken.steps

    return rounds.steps_for(seconds, time_steps)


def save_images(case: Case, path: Path) -> Path:
    """Write random images, twenty batches or as many as fit."""
    num = max(case.batch_size, min(20 * case.batch_size, STORED // math.prod(case.shape)))
    np.save(path, np.random.default_rng(0).integers(0, 256, (num, *case.shape), dtype=np.uint8))
    return path


def work(case: Case) -> int:
    """Count the multiplications of all layers in one step, forward; backward they are nearly twice as many."""
    options = case.options or {}
    height, width, colours = case.shape
    channels = (colours, *case.channels)
    places = [(height >> level) * (width >> level) for level in range(len(channels))]
    # A 4x4 convolution with stride 2, and the transposed one that mirrors it, take 16 products at each smaller place.
    convolved = sum(16 * places[level + 1] * a * b for level, (a, b) in enumerate(pairwise(channels)))
    dense = (places[-1] * channels[-1], *case.hidden)
    shared = convolved + sum(a * b for a, b in pairwise(dense))
    encoder, decoder = shared + dense[-1] * 2 * case.latent_dim, shared + dense[-1] * case.latent_dim
    return case.batch_size * options.get("seeds", 1) * (encoder + options.get("num_samples", 1) * decoder)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Fit `b` of `value = a size^b` by least squares of the logarithms.

    >>> exponent([1, 2, 4], [3, 12, 48])
    2.0
    """
    return round(float(np.polyfit(np.log(sizes), np.log(values), 1)[0]), 10)


def table(found: Sequence[Growth]) -> str:
    """Format a row for each axis."""
    head = ("", "ms/step", "peak memory (GB)", "exponent of the work", "of the time", "of the memory")
    return tables.table(head, [row(one) for one in found])


def row(one: Growth) -> tuple[str, ...]:
    """Format the values of an axis, what the smallest and the largest take, and the exponents."""
    seconds, peak = ([column[0], column[-1]] for column in (one.seconds, one.peak_bytes))
    return (
        f"{AXES[one.axis].description}: {', '.join(map(str, one.values))}",
        " to ".join(f"{1e3 * value:.3g}" for value in seconds),
        " to ".join(f"{value / 1e9:.2f}" for value in peak),
        *(f"{value:.2f}" for value in one.exponents().values()),
    )


def draw(path: Path, found: Sequence[Growth]) -> None:
    """Plot time and memory over the work, each beside the smallest value, with the line that grows as the work."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    columns: dict[str, Callable[[Growth], Any]] = {
        "time of a step": lambda one: one.seconds,
        "peak memory of the process": lambda one: one.peak_bytes,
    }
    for plot, (name, column) in zip(axes, columns.items()):
        for one in found:
            grown = [np.divide(values, values[0]) for values in (one.work, column(one))]
            plot.loglog(*grown, "o-", label=AXES[one.axis].description)
        largest = max(one.work[-1] / one.work[0] for one in found)
        plot.loglog([1, largest], [1, largest], "k:", label="as the work")
        plot.set(xlabel="work beside the smallest value", ylabel=f"{name} beside the smallest value")
    axes[0].legend(fontsize="small")
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


if __name__ == "__main__":
    run_script(main, Options)

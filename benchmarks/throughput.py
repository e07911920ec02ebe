"""Benchmark of jaxvae and other libraries: `python benchmarks/throughput.py --help` lists the options.

All contenders train the same network on the same images with the same batch and optimiser, each in its own process, in
short turns round after round. Results are medians over rounds, and medians of the ratios within a round.
It needs the extra `bench`; a library that is not installed is left out, and reported.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import machine
import numpy as np
import rounds
import tables
from contenders import CONTENDERS, Case, names_for
from tables import CaseResult, Measured
from train_script import ScriptRun
from train_script import run_script as run_train_script
from worker import Repeat, Repetition, WorkerError, start

from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.runs.command_line import run_script

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

NETS = {  # shape of an image, channels, hidden widths, number of images, batch sizes
    "mlp": ((28, 28, 1), (), (400,), 60000, (128, 1024)),
    "conv28": ((28, 28, 1), (32, 64), (256,), 60000, (128, 1024)),
    "conv64": ((64, 64, 3), (32, 64, 128, 256), (256,), 8192, (32,)),
}

LATENT_DIM = 20
SCRIPT_PRESETS, SCRIPT_STEPS, SCRIPT_IMAGES = ("vae", "conv_vae"), 200, (60000, 10000)
"""Presets and number of steps of whole runs, and numbers of random training and test images."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Measure the speed of jaxvae and other libraries."""

    nets: tuple[Literal["mlp", "conv28", "conv64"], ...] = ("mlp", "conv28", "conv64")
    """Networks: 784-400-20; convolutions 32-64 on 28x28x1; convolutions 32-64-128-256 on 64x64x3."""
    batch_sizes: tuple[int, ...] | None = None
    """Examples per step; if not given, those of each network."""
    contenders: tuple[str, ...] = tuple(CONTENDERS)
    """Contenders to measure."""
    rounds: int = 5
    """Number of runs of each contender."""
    seconds: float = 2.0
    """Approximate seconds of each run."""
    starts: int = 3
    """Number of starts of each contender: first without cached programs, then with them."""
    dataset: str | None = None
    """Data set with images of the right shape, such as mnist; random grey images if not given, at the same speed."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets."""
    pythae_python: str = sys.executable
    """Python interpreter for pythae, if it cannot be installed beside the others."""
    out: Path | None = None
    """JSON file for all measurements."""
    write_docs: bool = False
    """Write the tables into docs/performance.md."""

    def check(self) -> None:
        """Refuse options that cannot be measured."""
        for name in ("rounds", "seconds", "starts"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name}: must be above 0, got {getattr(self, name)}")
        unknown = sorted(set(self.contenders) - set(CONTENDERS))
        if unknown:
            raise InputError(f"contenders: no {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
        too_large = [size for size in self.batch_sizes or () if not 1 <= size <= 8192]
        if too_large:
            raise InputError(f"batch-sizes: must be from 1 to 8192, got {too_large[0]}")


def main(options: Options) -> int:
    """Measure all cases, print the tables, and write files where asked."""
    about = machine.facts()
    sections, results, scripts = [machine.sentence(about)], [], {}
    with tempfile.TemporaryDirectory() as folder:
        images: dict[str, Path] = {net: save_images(options, net, Path(folder, f"{net}.npy")) for net in options.nets}
        if "jaxvae_binarized" in options.contenders:
            scripts = measure_script(options)
            sections.append(f"### Whole runs\n\n{tables.script_table(scripts)}")
        print("\n\n".join(sections), end="\n\n", flush=True)
        for case in cases(options):
            results.append(measure_case(options, case, images[case.net]))
            sections.append(tables.case_table(results[-1]))
            print(sections[-1], end="\n\n", flush=True)
            if options.out:  # after every case, because the next one takes minutes and may fail
                options.out.write_text(json.dumps(as_json(about, results, scripts), indent=1) + "\n")
    if options.write_docs:
        tables.replace_between_markers(PAGE, "\n\n".join(sections))
    return 0


def cases(options: Options) -> Iterator[Case]:
    """Yield every network with every batch size."""
    for net in options.nets:
        shape, channels, hidden, _, batch_sizes = NETS[net]
        for size in options.batch_sizes or batch_sizes:
            yield Case(net, shape, channels, hidden, LATENT_DIM, size)


def measure_case(options: Options, case: Case, images: Path) -> CaseResult:
    """Start all contenders, then let them run in turns."""
    names = [name for name in names_for(case) if name in options.contenders]
    repeats: dict[str, Repeat] = {}
    starts: dict[str, list[float]] = {}
    turns: dict[str, functools.partial[Repetition]] = {}
    left_out: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in names:
            print(f"{case}: {CONTENDERS[name].description}", file=sys.stderr, flush=True)
            python = options.pythae_python if name == "pythae" else sys.executable
            begin = functools.partial(start, name, case, images, folder / name, python)
            try:
                starts[name], repeats[name] = start_often(begin, options.starts, stack)
                turns[name] = functools.partial(repeats[name], steps_per_turn(repeats[name], options.seconds))
            except WorkerError as error:
                left_out[name] = str(error)
        begin_at, before = time.perf_counter(), machine.busy_seconds()
        taken = rounds.interleave(turns, options.rounds)
        seconds, after = time.perf_counter() - begin_at, machine.busy_seconds()
        ours = sum(one.cpu_seconds for repetitions in taken.values() for one in repetitions)
        cores_taken = None if before is None or after is None else max(0.0, after - before - ours) / seconds
    measured = {
        name: Measured(
            rates=[one.steps * case.batch_size / one.seconds for one in repetitions],
            starts=starts[name],
            peak_bytes=max(one.peak_bytes for one in repetitions),
        )
        for name, repetitions in taken.items()
    }
    return CaseResult(case, measured, left_out, cores_taken)


def start_often(begin: Any, times: int, stack: contextlib.ExitStack) -> tuple[list[float], Repeat]:
    """Start a contender several times, and keep the last one running."""
    seconds = []
    for _ in range(times - 1):
        with begin() as (one, _):
            seconds.append(one)
    one, repeat = stack.enter_context(begin())
    return [*seconds, one], repeat


def steps_per_turn(repeat: Repeat, seconds: float) -> int:
    """Return the number of steps that take about this time."""

    def time_steps(num_steps: int) -> float:
        taken = repeat(num_steps)
        return taken.seconds / taken.steps

    return rounds.steps_for(seconds, time_steps)


def save_images(options: Options, net: str, path: Path) -> Path:
    """Write `[N, H, W, C]` uint8 images of a network's shape."""
    shape, _, _, num_images, _ = NETS[net]
    if options.dataset is None:
        images = random_images(num_images, shape)
    else:
        images = load(options.dataset, options.data_dir).train.x[:num_images]
    if images.shape[1:] != shape:
        raise InputError(
            f"nets: {net} needs images {shape}, {options.dataset} has {images.shape[1:]}; name other --nets"
        )
    np.save(path, images)
    return path


def random_images(num_images: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return `[N, H, W, C]` uint8 images."""
    return np.random.default_rng(0).integers(0, 256, (num_images, *shape), dtype=np.uint8)


def measure_script(options: Options) -> dict[str, list[ScriptRun]]:
    """Call train.py as its users do: first without cached programs, then with them."""
    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        if options.dataset is None:
            # Grey values of user data are not binarized unless asked for; MNIST's are.
            dataset = [f"{folder}/mnist_shaped.npz", "--likelihood", "bernoulli", "--binarize", "dynamic"]
            split = np.repeat([0, 2], SCRIPT_IMAGES)
            np.savez(dataset[0], image=random_images(len(split), (28, 28, 1)), split=split)
        else:
            dataset = [options.dataset, *(["--data-dir", str(options.data_dir)] if options.data_dir else [])]
        for preset in SCRIPT_PRESETS:
            arguments = ["--preset", preset, "--steps", str(SCRIPT_STEPS), "--dataset", *dataset]
            shown = f"--preset {preset} --steps {SCRIPT_STEPS} --dataset {Path(dataset[0]).name}"
            print(shown, file=sys.stderr, flush=True)
            runs[shown] = [run_train_script(arguments, Path(folder, preset)) for _ in range(options.starts)]
    return runs


def as_json(about: dict[str, Any], results: list[CaseResult], scripts: dict[str, list[ScriptRun]]) -> dict[str, Any]:
    """Return all measurements as plain values."""
    cases = [
        {
            "case": result.case._asdict(),
            "contenders": {
                name: {**one._asdict(), "jaxvae_is_faster_by": tables.ratio(result.measured, name)}
                for name, one in result.measured.items()
            },
            "left_out": result.left_out,
            "cores_taken_by_others": result.cores_taken,
        }
        for result in results
    ]
    train_script = {arguments: [run._asdict() for run in runs] for arguments, runs in scripts.items()}
    return {"about": about, "cases": cases, "train_script": train_script}


if __name__ == "__main__":
    run_script(main, Options)

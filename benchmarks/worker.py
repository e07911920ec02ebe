"""Worker process of one contender, started over a pipe for each run, while the others are idle."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from contenders import Case, setup


class Repetition(NamedTuple):
    """Time and memory of one run of a contender."""

    steps: int
    seconds: float
    cpu_seconds: float
    """CPU time of all its threads, in seconds."""
    peak_bytes: int
    """Peak memory of the process, on the device if that is not the CPU."""


Repeat: TypeAlias = Callable[[int], Repetition]


class WorkerError(RuntimeError):
    """Error of a contender that cannot run; the message is the last line that it wrote."""


@contextlib.contextmanager
def start(
    name: str,
    case: Case,
    images: Path,
    cache: Path,
    python: str = sys.executable,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[float, Repeat]]:
    """Start a contender.

    Args:
        name: name in the table of contenders.
        case: case to train.
        images: `.npy` file of images.
        cache: cache folder for compiled programs.
        python: Python interpreter.
        environment: further variables of its environment.

    Returns:
        Seconds from the start of the process to the end of its first step, and a function that takes further steps.

    Raises:
        WorkerError: the process has ended.
    """
    command = [python, __file__, name, json.dumps(case), str(images)]
    caches = {"JAX_COMPILATION_CACHE_DIR": str(cache / "jax"), "TORCHINDUCTOR_CACHE_DIR": str(cache / "torch")}
    # Several processes share a GPU here.
    more = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    more["JAX_TRACEBACK_FILTERING"] = "off"  # the last line of a traceback is then the error
    with tempfile.TemporaryFile("w+") as log:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            env={**os.environ, **caches, **more, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

        questions, answers = process.stdin, process.stdout
        assert questions is not None
        assert answers is not None

        def repeat(num_steps: int) -> Repetition:
            with contextlib.suppress(BrokenPipeError):
                questions.write(f"{num_steps}\n")
                questions.flush()
            answer = answers.readline()
            if not answer:
                log.seek(0)
                lines = log.read().strip().splitlines() or ["no word"]
                raise WorkerError(lines[-1])
            return Repetition(*json.loads(answer))

        with process:
            try:
                repeat(1)
                yield time.perf_counter() - begin, repeat
            finally:
                with contextlib.suppress(BrokenPipeError):
                    questions.close()


def serve(name: str, case: Case, images: Path) -> None:
    """Serve the pipe: read a number of steps per line, write a repetition per line."""
    # The frameworks' output goes to the log.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    run = setup(name, case, np.load(images))
    for line in sys.stdin:
        begin, cpu = time.perf_counter(), time.process_time()
        steps = run(int(line))
        repetition = Repetition(steps, time.perf_counter() - begin, time.process_time() - cpu, peak_bytes())
        print(json.dumps(repetition), file=answers, flush=True)


def peak_bytes() -> int:
    """Return the peak memory, see `Repetition`."""
    if "torch" in sys.modules and (cuda := sys.modules["torch"].cuda).is_available():
        return cuda.max_memory_allocated()
    if "jax" in sys.modules and (stats := sys.modules["jax"].local_devices()[0].memory_stats()):
        return stats["peak_bytes_in_use"]
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike ru_maxrss it does not include the parent's memory at the fork.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    name, fields, images = sys.argv[1:]
    case: list[Any] = [tuple(field) if isinstance(field, list) else field for field in json.loads(fields)]
    serve(name, Case(*case), Path(images))

"""ONNX by jax2onnx: encoder and decoder for ONNX Runtime and other programs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import jax
import jax.numpy
import numpy as np

from jaxvae.errors import InputError, first_line
from jaxvae.export.programs import BATCH, Program, programs
from jaxvae.nets.conv_layers import portable
from jaxvae.packages import needed_by
from jaxvae.runs.run import Run

TOLERANCE = 1e-5
"""Maximum difference from JAX, in units of the largest value."""
CHECKED = 3
"""Number of random examples that are compared."""


def write(run: Run, folder: Path) -> list[Path]:
    """Write `encoder.onnx` and `decoder.onnx`; each is run by ONNX Runtime, and compared with JAX.

    ONNX has no random keys, so there is no sampler: decode draws of the prior.

    Raises:
        InputError: jax2onnx cannot convert a program, or its numbers are others.
    """
    return [_write(program, folder / f"{program.name}.onnx") for program in programs(run)[:2]]


def _write(program: Program, path: Path) -> Path:
    to_onnx = needed_by("to onnx", "jax2onnx", "onnx").to_onnx
    needed_by("to onnx", "onnxruntime", "onnx")
    inputs = [jax.ShapeDtypeStruct((BATCH, *array.shape[1:]), array.dtype) for array in program.inputs.values()]
    names = {"input_names": [*program.inputs], "output_names": [*program.outputs]}

    def function(*arrays: jax.Array) -> tuple[jax.Array, ...]:
        found = program.function(*arrays)
        return tuple(found[name] for name in program.outputs)

    try:
        with portable(), _unchanged(jax.numpy):
            to_onnx(
                function, inputs=inputs, model_name=program.name, **names, return_mode="file", output_path=str(path)
            )
        difference = _difference(program, path)
    except Exception as error:
        path.unlink(missing_ok=True)
        raise InputError(
            f"to: onnx cannot hold this run's {program.name} ({first_line(error)}); leave it out"
        ) from error
    if not difference <= TOLERANCE:
        path.unlink()
        raise InputError(f"to: onnx: the {program.name} differs from JAX by {difference:.1e}; leave it out")
    return path


@contextlib.contextmanager
def _unchanged(module: ModuleType) -> Iterator[None]:
    """Give a module its functions back: jax2onnx leaves a `jnp.cumsum` behind that takes no axis by position."""
    before = {**vars(module)}
    try:
        yield
    finally:
        vars(module).update(before)


def _difference(program: Program, path: Path) -> float:
    """Return the largest difference between ONNX Runtime and JAX on random examples."""
    session = needed_by("to onnx", "onnxruntime", "onnx").InferenceSession(str(path))
    draw = np.random.default_rng(0)
    examples = {name: _examples(draw, array) for name, array in program.inputs.items()}
    wanted = program.function(*examples.values())
    found = dict(zip(program.outputs, session.run([*program.outputs], examples)))
    return max(_relative(np.asarray(wanted[name]), found[name]) for name in program.outputs)


def _examples(draw: np.random.Generator, array: jax.ShapeDtypeStruct) -> np.ndarray:
    shape = (CHECKED, *array.shape[1:])
    if np.issubdtype(array.dtype, np.floating):
        return draw.uniform(size=shape).astype(array.dtype)
    return draw.integers(0, 2, shape).astype(array.dtype)


def _relative(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(np.abs(wanted - found).max() / max(1.0, np.abs(wanted).max()))

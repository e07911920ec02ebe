"""StableHLO by `jax.export`: files that run wherever JAX does, without jaxvae."""

from __future__ import annotations

from pathlib import Path

import jax
from jax import export

from jaxvae.errors import InputError, first_line
from jaxvae.export.programs import BATCH, Program, programs
from jaxvae.nets.conv_layers import portable
from jaxvae.runs.run import Run

PLATFORMS = ("cpu", "cuda", "tpu")


def write(run: Run, folder: Path) -> list[Path]:
    """Write `encoder.stablehlo`, `decoder.stablehlo` and `sampler.stablehlo`.

    `jax.export.deserialize(data).call(x)` runs one, on a CPU, an NVIDIA GPU or a TPU.

    Raises:
        InputError: a program holds what cannot leave the machine.
    """
    return [_write(program, folder / f"{program.name}.stablehlo") for program in programs(run)]


def exported(program: Program) -> export.Exported:
    """Return a program for all platforms and any number of examples."""
    (batch,) = export.symbolic_shape(BATCH)
    inputs = [jax.ShapeDtypeStruct((batch, *array.shape[1:]), array.dtype) for array in program.inputs.values()]
    with portable(), jax.debug_key_reuse(False):  # which takes rows of keys, [batch, 2], for one
        return export.export(jax.jit(program.function), platforms=PLATFORMS)(*inputs)


def _write(program: Program, path: Path) -> Path:
    try:
        path.write_bytes(exported(program).serialize())
    except Exception as error:
        raise InputError(
            f"to: stablehlo cannot hold this run's {program.name} for {', '.join(PLATFORMS)} ({first_line(error)}); "
            "leave it out"
        ) from error
    return path

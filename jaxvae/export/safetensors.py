"""Parameters in a safetensors file, which holds numbers and their names alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxvae.errors import InputError, first_line
from jaxvae.packages import needed_by
from jaxvae.runs.run import Run
from jaxvae.types import Params

FILE = "model.safetensors"


def write(run: Run, folder: Path) -> list[Path]:
    """Write `model.safetensors`: each parameter under its path, such as `encoder/Dense_0/kernel`."""
    module = needed_by("to safetensors", "safetensors.numpy", "export")
    arrays = {name: np.ascontiguousarray(leaf) for name, leaf in named(run.params).items()}
    module.save_file(arrays, str(folder / FILE), metadata={"format": "np", "preset": run.recipe.preset})
    return [folder / FILE]


def read(path: Path, like: Params) -> Params:
    """Read parameters into a tree of these shapes.

    Raises:
        InputError: the file cannot be read, or holds other parameters.
    """
    module = needed_by(path, "safetensors.numpy", "export")
    try:
        arrays = module.load_file(str(path))
    except Exception as error:
        raise InputError(f"{path}: cannot be read ({first_line(error)}); fetch it again") from error
    wanted = {name: (leaf.shape, leaf.dtype) for name, leaf in named(like).items()}
    if wanted != {name: (array.shape, array.dtype) for name, array in arrays.items()}:
        raise InputError(f"{path}: its parameters are not those of the model in config.json; fetch both again")
    return jax.tree.unflatten(jax.tree.structure(like), [arrays[name] for name in named(like)])


def named(params: Params) -> dict[str, Any]:
    """Return the leaves of a tree by path, in their order in the tree."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(params)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}

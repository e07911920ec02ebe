"""Programs of a trained model, with its parameters inside: encoder, decoder and sampler, for any number of examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae.distributions.sampling import point
from jaxvae.model import sample_each
from jaxvae.runs.run import Run
from jaxvae.types import Array

BATCH = "batch"
"""Name of the axis of examples."""
KEY = jax.ShapeDtypeStruct((1, 2), jnp.uint32)
"""Data of one key, as `jax.random.key_data` returns them."""


class Program(NamedTuple):
    """Function of arrays, each with an axis of examples in front."""

    name: str
    function: Callable[..., dict[str, Array]]
    inputs: Mapping[str, jax.ShapeDtypeStruct]
    """Shapes and types by name, of one example."""
    outputs: Mapping[str, jax.ShapeDtypeStruct]

    def describe(self) -> dict[str, Any]:
        """Return names, shapes and types as JSON has them."""

        def each(arrays: Mapping[str, jax.ShapeDtypeStruct]) -> list[dict[str, Any]]:
            return [
                {"name": name, "shape": [BATCH, *array.shape[1:]], "dtype": np.dtype(array.dtype).name}
                for name, array in arrays.items()
            ]

        return {"inputs": each(self.inputs), "outputs": each(self.outputs)}


def programs(run: Run) -> list[Program]:
    """Return the programs `encoder`, x to z; `decoder`, z to x; and `sampler`, keys to x.

    x is as the model sees it: pixels in [0, 1], scaled values. z is the mean or the likeliest code of q(z|x), and an
    encoder of normal posteriors returns their `log_var` too. A decoded x is the mean of p(x|z) or, of words and
    categories, the likeliest one. A conditional model takes a `condition` last. A part of an example is a name with a
    dot, such as `x.numbers`.
    """
    model, params = run.model, run.params
    x, condition = run.space.zeros(1), None if run.condition is None else run.condition.space.zeros(1)

    def encode(x: Any, condition: Any) -> dict[str, Any]:
        posterior = model.encode(params, x, *_given(condition))
        z, log_var = point(posterior), getattr(posterior, "log_var", None)
        is_normal = isinstance(z, jax.Array) and isinstance(log_var, jax.Array) and log_var.shape == z.shape
        return {"z": z, **({"log_var": log_var} if is_normal else {})}

    def decode(z: Any, condition: Any) -> dict[str, Any]:
        return {"x": point(model.decode(params, z, *_given(condition)))}

    def sample(key: Array, condition: Any) -> dict[str, Any]:
        return {"x": sample_each(model, params, jax.random.wrap_key_data(key), condition)}

    z = jax.eval_shape(encode, x, condition)["z"]
    return [
        _program("encoder", encode, {"x": x, "condition": condition}),
        _program("decoder", decode, {"z": z, "condition": condition}),
        _program("sampler", sample, {"key": KEY, "condition": condition}),
    ]


def _given(condition: Any) -> tuple[Any, ...]:
    return () if condition is None else (condition,)


def _program(name: str, function: Callable[..., dict[str, Any]], arguments: Mapping[str, Any]) -> Program:
    """Return the program of a function of trees, which takes and returns their arrays."""
    structure = jax.tree.structure(tuple(arguments.values()))
    inputs = {name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for name, leaf in _arrays(arguments).items()}

    def of_arrays(*arrays: Array) -> dict[str, Array]:
        return _arrays(function(*jax.tree.unflatten(structure, arrays)))

    return Program(name, of_arrays, inputs, jax.eval_shape(of_arrays, *inputs.values()))


def _arrays(trees: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays of trees by name; one that is a part of a tree has the tree's name in front."""
    names = list(trees)
    leaves, _ = jax.tree_util.tree_flatten_with_path(tuple(trees.values()))

    def name(path: Sequence[Any]) -> str:
        return ".".join([names[path[0].idx], *(jax.tree_util.keystr((part,), simple=True) for part in path[1:])])

    return {name(path): leaf for path, leaf in leaves}

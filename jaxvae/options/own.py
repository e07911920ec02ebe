"""A model of one's own in a recipe, in place of its networks, posterior, prior and likelihood."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae.distributions.sampling import for_decoder, point
from jaxvae.errors import InputError
from jaxvae.model import reconstruct, sample_each
from jaxvae.types import GRADIENT, Array, Distribution, Key, Params, Value

NOT_STORED: Mapping[str, bool] = {"stored": False}
"""Metadata of a field that a config cannot hold."""


@dataclasses.dataclass(frozen=True)
class Own:
    """Model that exists already; a config holds the shapes of its parameters alone."""

    model: Any = dataclasses.field(default=None, compare=False, metadata=NOT_STORED)
    """A `VAE`, or any object with `encode(params, x)`, `decode(params, z)` and `prior(params)`."""
    params: Any = dataclasses.field(default=None, compare=False, metadata=NOT_STORED)
    """Initial parameters, a tree of arrays; a `VAE` makes them from a key where none are given."""
    shapes: tuple[str, ...] = ()
    """Names, types and shapes of the parameters."""

    def build(self) -> Any:
        """Return the model, with all that a training asks for.

        Raises:
            InputError: there is no model, or it needs initial parameters.
        """
        if self.model is None:
            raise InputError(
                "model: the run was trained on a model of your own; give it, as `load(run_dir, model=...)`"
            )
        if self.params is None and not hasattr(self.model, "init"):
            raise InputError("params: a model of functions has no way to make them; give `params=`, a tree of arrays")
        return self.model if hasattr(self.model, "labels") else OwnModel(self.model, self.params)

    def initial_params(self) -> Params | None:
        """Return a copy of the initial parameters, because a training donates its state; None if none are given."""
        return None if self.params is None else jax.tree.map(jnp.array, self.params)


def own(model: Any, params: Any = None, x: Any = None, condition: Any = None) -> Own:
    """Return the options of a model, with the shapes of its parameters.

    Args:
        model: model.
        params: initial parameters.
        x: `[1, ...]` example, from whose shape a model without initial parameters makes them.
        condition: `[1, ...]` condition, or None.

    Raises:
        InputError: the initial parameters are not those that a `VAE` makes.
    """
    blank = Own(model, params)
    made = _shapes(lambda: blank.build().init(jax.random.key(0), x, condition))
    given = made if params is None else _shapes(blank.initial_params)
    if given != made:
        differing = ", ".join(sorted({*given} - {*made}) or ["fewer"])
        wanted = ", ".join(sorted({*made} - {*given}) or ["fewer"])
        raise InputError(f"params: {differing} given, {wanted} wanted; give what `model.init(key, x)` returns")
    return dataclasses.replace(blank, shapes=made)


def _shapes(make: Callable[[], Params]) -> tuple[str, ...]:
    """Return names, types and shapes of the parameters that a function makes, without making them."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.eval_shape(make))
    return tuple(f"{jax.tree_util.keystr(path)} {leaf.dtype}{list(leaf.shape)}" for path, leaf in leaves)


@dataclasses.dataclass(frozen=True, eq=False)
class OwnModel:
    """Model of one's own functions, with all that a training asks of a `VAE`: its parameters follow the gradient."""

    functions: Any
    params: Params
    extras: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def init(self, key: Key, x: Any, condition: Any = None) -> Params:
        """Return a copy of the initial parameters, because a training donates its state."""
        if self.params is None:
            return self.functions.init(key, x, condition)
        return jax.tree.map(jnp.array, self.params)

    def encode(self, params: Params, x: Any, condition: Array | None = None) -> Distribution:
        """Return q(z|x)."""
        return self.functions.encode(params, x, *_given(condition))

    def decode(self, params: Params, z: Value, condition: Array | None = None) -> Distribution:
        """Return p(x|z)."""
        return self.functions.decode(params, z, *_given(condition))

    def prior(self, params: Params, condition: Array | None = None) -> Distribution:
        """Return p(z)."""
        return self.functions.prior(params, *_given(condition))

    def labels(self, params: Params) -> Params:
        """Return the label of every parameter."""
        return jax.tree.map(lambda _: GRADIENT, params)

    def schedules(self) -> dict[str, Any]:
        """Return the schedules of parameters: none."""
        return {}

    def sample_each(self, params: Params, keys: Key, condition: Array | None = None) -> Array:
        """Return `[N, ...]` means of p(x|z) at z ~ p(z), from one key per sample."""
        return sample_each(self, params, keys, condition)

    def reconstruct(self, params: Params, x: Array, condition: Array | None = None) -> Array:
        """Return `[B, ...]`, the mean of p(x|z) at the posterior's mean."""
        return reconstruct(self, params, x, condition)


def latent_dim(own: Own, x: Any, condition: Any = None) -> int:
    """Return the number of values in the code of an example `[1, ...]`, from shapes alone."""

    def code() -> Any:
        model = own.build()
        params = model.init(jax.random.key(0), x, condition)
        return for_decoder(point(model.encode(params, x, condition)))

    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(code)))


def _given(condition: Any) -> tuple[Any, ...]:
    return () if condition is None else (condition,)

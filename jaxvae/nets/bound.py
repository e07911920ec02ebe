"""Network bound to its parameters: a pytree that is called like a function."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
from flax import linen as nn

from jaxvae.types import Params


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Bound:
    """Network with its parameters, held by distributions that run it to sample or to score.

    >>> import jax.numpy as jnp
    >>> double = Bound({"kernel": 2 * jnp.eye(3)}, nn.Dense(3, use_bias=False))
    >>> print(double(jnp.ones((1, 3))))
    [[2. 2. 2.]]
    """

    params: Params
    network: nn.Module = dataclasses.field(metadata={"static": True})

    def __call__(self, *inputs: Any, method: str | None = None) -> Any:
        """Apply the network, or one of its methods."""
        return self.network.apply({"params": self.params}, *inputs, method=method)

    @property
    def solve(self) -> Callable[..., Any] | None:
        """Method `solve` of the network, as `MADE` has it, or None."""
        return functools.partial(self, method="solve") if hasattr(self.network, "solve") else None

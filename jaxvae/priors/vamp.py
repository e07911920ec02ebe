"""VampPrior: mixture of the posteriors at learned pseudo-inputs."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxvae import pieces
from jaxvae.arguments import whole_number
from jaxvae.distributions import Mixture
from jaxvae.distributions.base import at_least_float32
from jaxvae.distributions.flags import has_density
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.types import FROZEN, GRADIENT, Array, Key, Params, Space


@dataclasses.dataclass(frozen=True)
class VampPrior:
    r"""Variational mixture of posteriors, p(z) = 1/K sum_k q(z | u_k), with pseudo-inputs u_k in the space of the data.

    The pseudo-inputs begin as training examples. Given conditions, each keeps that of its example.

    Reference: Tomczak & Welling 2018, https://arxiv.org/abs/1705.07120, equation 9.
    """

    encoder: Any
    posterior: Any
    space: Space
    """Space of the data, which projects the pseudo-inputs to legal values."""
    num_inputs: int
    """K, number of pseudo-inputs."""
    begins_as_data: ClassVar[bool] = True

    def init(self, key: Key, x: Any, condition: Array | None = None) -> Params:
        """Choose training examples as pseudo-inputs, some of them several times if there are too few."""
        num = len(jax.tree.leaves(x)[0])
        ids = jax.random.choice(key, num, (self.num_inputs,), replace=num < self.num_inputs)
        own = {"inputs": jax.tree.map(lambda rows: at_least_float32(rows[ids]), x)}
        return own if condition is None else {**own, "condition": condition[ids]}

    def labels(self, own: Params) -> dict[str, str]:
        """Return labels of the parameters: the conditions do not move."""
        return {name: FROZEN if name == "condition" else GRADIENT for name in own}

    def __call__(self, params: Params, condition: Array | None = None) -> Mixture:
        """Return the mixture, whatever the condition, without a batch axis.

        Raises:
            InputError: the posterior has no density by which to score samples of others.
        """
        del condition
        inputs, given = params["prior"]["inputs"], params["prior"].get("condition")
        x = jax.tree.map(_replace, inputs, self.space.project(inputs))
        outputs = pieces.call("encoder", self.encoder, params, x, condition=given)
        q = pieces.call("posterior", self.posterior, params, outputs, condition=given, known={"x": x})
        if not hasattr(q, "log_prob") or not has_density(q):
            raise InputError(
                f"prior: vamp scores every z by the posterior's density, which {type(q).__name__} lacks; "
                "give --posterior normal"
            )
        return Mixture(q, jnp.zeros(self.num_inputs, jnp.float32))


def _replace(inputs: Array, legal: Array) -> Array:
    """Return the legal values with the gradient of the inputs.

    The gradient of clipping is 0 outside, so that black and white pixels, with which digits begin, would soon stay put.
    """
    return jax.lax.stop_gradient(legal) + (inputs - jax.lax.stop_gradient(inputs))


@dataclasses.dataclass(frozen=True)
class Vamp:
    """VampPrior: mixture of the posteriors at learned pseudo-inputs (Tomczak & Welling 2018)."""

    num_inputs: int = 500
    """Number of pseudo-inputs; a training step takes time in proportion."""

    def build(self, facts: Facts) -> VampPrior:
        """Return the prior, which holds encoder and posterior.

        Raises:
            InputError: the space of the data has no values in between, as a pseudo-input needs them.
        """
        jax.eval_shape(lambda: facts.space.project(facts.space.zeros(1)))
        return VampPrior(facts.encoder, facts.posterior, facts.space, whole_number("num_inputs", self.num_inputs))

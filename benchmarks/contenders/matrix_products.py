"""Matrix products of the MLP's layers, forward and backward: a lower bound on the time of a training step."""

from __future__ import annotations

import functools
from itertools import pairwise

import jax
import numpy as np
from jax import lax

from contenders import Case, Run

Operands = list[tuple[jax.Array, ...]]
Results = list[jax.Array]


def setup(case: Case, images: np.ndarray) -> Run:
    num_pixels = images[0].size
    widths = [(num_pixels, *case.hidden, 2 * case.latent_dim), (case.latent_dim, *case.hidden[::-1], num_pixels)]
    layers = [layer for part in widths for layer in pairwise(part)]
    rng = np.random.default_rng(0)
    operands = [
        tuple(rng.standard_normal(shape, np.float32) for shape in ((case.batch_size, a), (a, b), (case.batch_size, b)))
        for a, b in layers
    ]

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def many_steps(operands: Operands, results: Results, num_steps: int) -> tuple[Operands, Results]:
        def body(_: jax.Array, carry: tuple[Operands, Results]) -> tuple[Operands, Results]:
            operands, results = carry
            operands = [tie(layer, result) for layer, result in zip(operands, results)]
            return operands, products(operands)

        return lax.fori_loop(0, num_steps, body, (operands, results))

    operands = jax.device_put(operands)
    carry = operands, products(operands)

    def run(num_steps: int) -> int:
        nonlocal carry
        carry = jax.block_until_ready(many_steps(*carry, num_steps))
        return num_steps

    return run


def products(operands: Operands) -> Results:
    """Compute output, weight gradient and, except for the first layer, input gradient."""
    forward = [x @ weight for x, weight, _ in operands]
    weight_gradients = [x.T @ out for x, _, out in operands]
    input_gradients = [out @ weight.T for _, weight, out in operands[1:]]
    return [*forward, *weight_gradients, *input_gradients]


def tie(layer: tuple[jax.Array, ...], result: jax.Array) -> tuple[jax.Array, ...]:
    """Make an iteration depend on the one before, or all products would be computed only once."""
    x, weight, out = layer
    little = 1e-30 * result[0, 0]
    return x, weight.at[0, 0].add(little), out.at[0, 0].add(little)

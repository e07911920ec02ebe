"""Recurrence of an LSTM over time, with a gradient that is one product for all steps."""

from __future__ import annotations

import functools
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxvae.types import Array

State: TypeAlias = tuple[Array, Array]
"""Output h and cell c, each `[..., H]`."""
Kept: TypeAlias = tuple[Array, Array, Array, Array, State, Array | None]
"""Values that the gradient needs: outputs, cells and gates of all steps, kernel, first state, and mask."""


def cell(products: Array, kernel: Array, state: State) -> State:
    """Take one step.

        i, f, g, o = products + h U,    c' = sigmoid(f) c + sigmoid(i) tanh(g),    h' = sigmoid(o) tanh(c')

    Args:
        products: `[..., 4H]` products of the step's input with its weights, the bias included.
        kernel: `[H, 4H]` weights U of the output before.
        state: h and c.

    Returns:
        h' and c'.

    Reference: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; Gers et al. 2000,
    https://doi.org/10.1162/089976600300015015 (forget gate).
    """
    after, _ = _step(products, kernel, state)
    return after


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def recur(products: Array, kernel: Array, start: State, there: Array | None, reverse: bool = False) -> Array:
    """Return the outputs `[T, ..., H]` of all steps; a position that is not there keeps the state before it.

    Autodiff would add up the gradient of the kernel step by step; here it is one product after the loop.

    Args:
        products: `[T, ..., 4H]`, as for `cell`.
        kernel: `[H, 4H]`.
        start: h and c before the first step.
        there: `[T, ..., 1]` mask of positions, or None for all.
        reverse: go from the last position to the first.
    """
    return _forward(products, kernel, start, there, reverse)[0]


def _step(products: Array, kernel: Array, state: State) -> tuple[State, Array]:
    """Return the state after a step, and the four gates side by side."""
    h, c = state
    sums = products + h.astype(kernel.dtype) @ kernel
    i, f, g, o = jnp.split(sums.astype(c.dtype), 4, axis=-1)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    c = f * c + i * g
    return (o * jnp.tanh(c), c), jnp.concatenate([i, f, g, o], axis=-1)


def _forward(products: Array, kernel: Array, start: State, there: Array | None, reverse: bool) -> tuple[Array, Kept]:
    def step(state: State, given: tuple[Array, Array | None]) -> tuple[State, tuple[Array, Array, Array]]:
        products, there = given
        after, gates = _step(products, kernel, state)
        after = after if there is None else jax.tree.map(functools.partial(jnp.where, there), after, state)
        return after, (*after, gates)

    _, (h, c, gates) = jax.lax.scan(step, start, (products, there), reverse=reverse)
    return h, (h, c, gates, kernel, start, there)


def _backward(reverse: bool, kept: Kept, d_outputs: Array) -> tuple[Array, Array, State, None]:
    h, c, gates, kernel, start, there = kept
    h_before, c_before = (_shifted(values, first, reverse) for values, first in zip((h, c), start))
    transposed = kernel.T

    def step(later: State, given: tuple[Array, Array, Array, Array, Array | None]) -> tuple[State, Array]:
        d_output, c, c_before, gates, there = given
        d_h, d_c = later[0] + d_output, later[1]
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        tanh_c = jnp.tanh(c)
        d_cell = d_c + d_h * o * (1 - tanh_c**2)
        parts = d_cell * g * i * (1 - i), d_cell * c_before * f * (1 - f), d_cell * i * (1 - g**2)
        d_sums = jnp.concatenate([*parts, d_h * tanh_c * o * (1 - o)], axis=-1)
        d_sums = d_sums if there is None else jnp.where(there, d_sums, 0.0)
        before = (d_sums.astype(kernel.dtype) @ transposed).astype(d_h.dtype), d_cell * f
        before = before if there is None else jax.tree.map(functools.partial(jnp.where, there), before, (d_h, d_c))
        return before, d_sums

    nothing = jnp.zeros_like(d_outputs[0]), jnp.zeros_like(c[0])
    given = (d_outputs, c, c_before, gates, there)
    d_start, d_sums = jax.lax.scan(step, nothing, given, reverse=not reverse)
    d_kernel = h_before.reshape(-1, h.shape[-1]).T @ d_sums.reshape(-1, d_sums.shape[-1])
    return d_sums.astype(kernel.dtype), d_kernel.astype(kernel.dtype), d_start, None


def _shifted(values: Array, first: Array, reverse: bool) -> Array:
    """Return the value before each step."""
    return jnp.concatenate([values[1:], first[None]] if reverse else [first[None], values[:-1]])


recur.defvjp(_forward, _backward)

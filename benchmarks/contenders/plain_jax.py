"""Plain JAX, written for speed alone: a dict of arrays, optax.adam, `lax.scan`, donation."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from contenders import Case, Run

STEPS = 50
LAYOUT = ("NHWC", "HWIO", "NHWC")
Params = dict[str, list[tuple[jax.Array, jax.Array]]]


def init(key: jax.Array, case: Case) -> Params:
    """Initialise weights and biases, layer by layer."""
    height, width, colours = case.shape
    channels = (colours, *case.channels)
    flat = channels[-1] * math.prod(side >> len(case.channels) for side in (height, width))
    shapes: dict[str, list[tuple[int, ...]]] = {
        "down": [(4, 4, a, b) for a, b in pairwise(channels)],
        "encoder": list(pairwise((flat, *case.hidden, 2 * case.latent_dim))),
        "decoder": list(pairwise((case.latent_dim, *case.hidden[::-1], flat))),
        "up": [(4, 4, a, b) for a, b in pairwise(channels[::-1])],
    }
    draw = jax.nn.initializers.lecun_normal()
    keys = iter(jax.random.split(key, sum(map(len, shapes.values()))))
    return {part: [(draw(next(keys), shape), jnp.zeros(shape[-1])) for shape in shapes[part]] for part in shapes}


def loss(params: Params, key: jax.Array, x: jax.Array) -> jax.Array:
    """Compute minus the evidence lower bound; x `[B, H, W, C]` in [0, 1]."""
    h = x
    for weight, bias in params["down"]:
        h = jax.nn.relu(lax.conv_general_dilated(h, weight, (2, 2), "SAME", dimension_numbers=LAYOUT) + bias)
    smallest = h.shape
    mean, log_var = jnp.split(dense(params["encoder"], h.reshape(len(x), -1)), 2, axis=-1)
    z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
    h = dense(params["decoder"], z).reshape(smallest)
    for weight, bias in params["up"]:
        h = lax.conv_transpose(jax.nn.relu(h), weight, (2, 2), "SAME", dimension_numbers=LAYOUT) + bias
    cross_entropy = jnp.sum(jax.nn.softplus(h) - x * h)
    kl = 0.5 * jnp.sum(jnp.exp(log_var) + mean**2 - 1 - log_var)
    return (cross_entropy + kl) / len(x)


def dense(layers: list[tuple[jax.Array, jax.Array]], h: jax.Array) -> jax.Array:
    for weight, bias in layers[:-1]:
        h = jax.nn.relu(h @ weight + bias)
    weight, bias = layers[-1]
    return h @ weight + bias


def setup(case: Case, images: np.ndarray) -> Run:
    optimizer = optax.adam(1e-3)

    def step(images: jax.Array, carry: Any, ids: jax.Array) -> tuple[Any, jax.Array]:
        params, opt_state, key = carry
        key, noise = jax.random.split(key)
        value, gradient = jax.value_and_grad(loss)(params, noise, images[ids].astype(jnp.float32) / 255)
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (optax.apply_updates(params, updates), opt_state, key), value

    @functools.partial(jax.jit, donate_argnums=1)
    def many_steps(images: jax.Array, carry: Any, ids: jax.Array) -> tuple[Any, jax.Array]:
        if len(ids) == 1:
            return step(images, carry, ids[0])
        return lax.scan(functools.partial(step, images), carry, ids)

    # A convolution in a loop is ten times slower on CPU.
    at_once = 1 if case.channels and jax.default_backend() == "cpu" else STEPS
    resident = jnp.asarray(images)
    params = init(jax.random.key(0), case)
    carry = (params, optimizer.init(params), jax.random.key(1))
    chunks = epochs(len(images), case.batch_size, at_once)

    def run(num_steps: int) -> int:
        nonlocal carry
        taken = 0
        while taken < num_steps:
            ids = next(chunks)
            carry, values = many_steps(resident, carry, ids)
            taken += len(ids)
        jax.block_until_ready((carry, values))
        return taken

    return run


def epochs(num_images: int, batch_size: int, at_once: int) -> Iterator[jax.Array]:
    """Yield `[at_once, batch_size]` image indices, epoch after epoch in a new order."""
    at_once = min(at_once, num_images // batch_size)
    num_chunks = num_images // (at_once * batch_size)
    for epoch in itertools.count():
        order = jax.random.permutation(jax.random.key(epoch), num_images)
        yield from order[: num_chunks * at_once * batch_size].reshape(num_chunks, at_once, batch_size)

"""NumPyro's VAE example: stax networks, SVI with Trace_ELBO, a `lax.fori_loop` over the batches of an epoch."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import lax, random
from jax.example_libraries import stax
from numpyro import optim
from numpyro.infer import SVI, Trace_ELBO

from contenders import Case, Run


def encoder(case: Case) -> Any:
    heads = stax.parallel(stax.Dense(case.latent_dim), stax.serial(stax.Dense(case.latent_dim), stax.Exp))
    return stax.serial(*hidden(case.hidden), stax.FanOut(2), heads)


def decoder(case: Case, num_pixels: int) -> Any:
    return stax.serial(*hidden(case.hidden[::-1]), stax.Dense(num_pixels))


def hidden(widths: tuple[int, ...]) -> list[Any]:
    return [layer for width in widths for layer in (stax.Dense(width), stax.Relu)]


def setup(case: Case, images: np.ndarray) -> Run:
    pixels = jnp.asarray(images.reshape(len(images), -1) / np.float32(255))
    num_pixels, size = pixels.shape[1], case.batch_size

    def model(batch: jax.Array) -> None:
        decode = numpyro.module("decoder", decoder(case, num_pixels), (size, case.latent_dim))
        with numpyro.plate("batch", size):
            z = numpyro.sample("z", dist.Normal(0, 1).expand([case.latent_dim]).to_event(1))
            numpyro.sample("x", dist.Bernoulli(logits=decode(z)).to_event(1), obs=batch)

    def guide(batch: jax.Array) -> None:
        encode = numpyro.module("encoder", encoder(case), (size, num_pixels))
        mean, scale = encode(batch)
        with numpyro.plate("batch", size):
            numpyro.sample("z", dist.Normal(mean, scale).to_event(1))

    svi = SVI(model, guide, optim.Adam(1e-3), Trace_ELBO())

    @jax.jit
    def train(state: Any, pixels: jax.Array, key: jax.Array, order: jax.Array, num_steps: int) -> tuple[jax.Array, Any]:
        def body(number: jax.Array, carry: tuple[jax.Array, Any]) -> tuple[jax.Array, Any]:
            total, state = carry
            ids = lax.dynamic_slice_in_dim(order, number * size, size)
            batch = random.bernoulli(random.fold_in(key, number), pixels[ids]).astype(jnp.float32)
            state, value = svi.update(state, batch)
            return total + value, state

        return lax.fori_loop(0, num_steps, body, (jnp.zeros(()), state))

    state = svi.init(random.key(0), pixels[:size])
    epoch = 0

    def run(num_steps: int) -> int:
        nonlocal state, epoch
        left = num_steps
        while left:
            steps = min(left, len(images) // size)
            order = jnp.asarray(np.random.default_rng(epoch).permutation(len(images)))
            total, state = train(state, pixels, random.key(epoch), order, steps)
            epoch, left = epoch + 1, left - steps
        jax.block_until_ready((total, state))
        return num_steps

    return run

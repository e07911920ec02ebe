"""Codec of a model: bits-back coding with q(z|x), p(x|z) and p(z), of one stochastic layer or of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxvae import rng
from jaxvae.coding.codecs import Codec, bits_back
from jaxvae.coding.events import Decoding, Event, Statistics, event
from jaxvae.coding.latents import Buckets
from jaxvae.coding.programs import padded
from jaxvae.distributions import Chain, Normal
from jaxvae.errors import InputError
from jaxvae.types import Array, Distribution, Params, Space

SAMPLES, WIDER = 4096, 1.25
"""Number of samples of the prior by which lower layers are divided, and by how much their range is widened."""
Moments = tuple[np.ndarray, np.ndarray]
"""Means and standard deviations `[L, D]`."""


class ModelCodec(NamedTuple):
    """Codec of examples by a trained model."""

    of: Callable[[int], Codec]
    """Function from the number L of examples, up to the width of its programs, to the codec of `[L, ...]`."""
    nearest: Callable[[Any], Any]
    """Function from any examples to the nearest that are coded."""


def model_codec(
    model: Any, params: Params, space: Space, statistics: Statistics, *, width: int, buckets: Sequence[Buckets]
) -> ModelCodec:
    """Return the codec of a model.

    Args:
        model: a `VAE`, or any model without a condition.
        params: its parameters.
        space: space of an example.
        statistics: what a decoder knows of the examples.
        width: number of rows of every compiled program.
        buckets: division of each stochastic layer, see `divide`.

    Raises:
        InputError: its likelihood has no codec.
    """
    upwards = [padded(_posterior(model), params, width)]
    upwards += [padded(_link("posterior", model, space, n), params, width) for n in range(len(buckets) - 1)]
    downwards = [padded(_link("prior", model, space, n), params, width) for n in range(len(buckets) - 1)]
    decoded = jax.eval_shape(model.decode, params, jnp.zeros((1, len(buckets[0].mean))))
    x: Event = event(decoded, Decoding(model.decode, params, width), space.shape, statistics)

    def layer(number: int, lanes: int) -> Codec:
        """Return the codec of the buckets of a layer by the prior."""
        own = buckets[number]
        if number == len(buckets) - 1:
            return own.uniform(lanes)
        return bits_back(
            layer(number + 1, lanes),
            lambda above: own.normal(*downwards[number](buckets[number + 1].values(above))),
            lambda chosen: buckets[number + 1].normal(*upwards[number + 1](own.values(chosen))),
        )

    def of(lanes: int) -> Codec:
        return bits_back(
            layer(0, lanes),
            lambda chosen: x.codec(buckets[0].values(chosen)),
            lambda x: buckets[0].normal(*upwards[0](x)),
        )

    return ModelCodec(of, x.nearest)


def divide(model: Any, params: Params, space: Space, bits: int) -> list[Buckets]:
    """Return the division of each stochastic layer: into buckets of equal mass of the prior.

    A layer below another has no prior of its own; it is divided by the normal whose means and deviations are those of
    samples of the prior, a little wider.

    Raises:
        InputError: prior or posterior are no normals.
    """
    prior, posterior = _shapes(model, params, space)
    if isinstance(prior, Normal) and isinstance(posterior, Normal) and len(prior.mean.shape) == 1:
        mean, log_var = jax.device_get((model.prior(params).mean, model.prior(params).log_var))
        return [Buckets(np.asarray(mean, np.float64), np.exp(np.asarray(log_var, np.float64) / 2), bits)]
    if isinstance(prior, Chain) and isinstance(posterior, Chain):
        keys = rng.sample_keys(rng.stream(rng.root(0), "compression"), SAMPLES)
        *lower, _ = jax.device_get(jax.vmap(model.prior(params).sample)(keys))
        top = model.prior(params).first
        rest = [
            Buckets(np.asarray(z.mean(0), np.float32), np.asarray(WIDER * z.std(0), np.float32), bits) for z in lower
        ]
        return [*rest, Buckets(np.zeros(top.mean.shape[-1]), np.ones(top.mean.shape[-1]), bits)]
    fits = isinstance(prior, Chain) or (isinstance(prior, Normal) and len(prior.mean.shape) == 1)
    piece, found = ("posterior", posterior) if fits else ("prior", prior)
    raise InputError(
        f"run-dir: its {piece} is {type(found).__name__}, and lossless compression takes normals with a normal prior, "
        "or layers of such; train with --posterior normal --prior standard, or layers for both"
    )


def _shapes(model: Any, params: Params, space: Space) -> tuple[Distribution, Distribution]:
    return jax.eval_shape(model.prior, params), jax.eval_shape(model.encode, params, space.zeros(1))


def _posterior(model: Any) -> Callable[..., Any]:
    """Return the function from examples to the moments of the lowest layer of q(z|x)."""

    def moments(params: Params, x: Any) -> Any:
        q: Any = model.encode(params, x)
        return _moments(q.first if isinstance(q, Chain) else q)

    return moments


def _link(axis: str, model: Any, space: Space, number: int) -> Callable[..., Any]:
    """Return the function from a layer's values to the moments of the next one, upwards or downwards."""

    def moments(params: Params, z: Array) -> Any:
        if axis == "prior":
            return _moments(model.prior(params).links[::-1][number](z))
        return _moments(model.encode(params, space.zeros(len(z))).links[number](z))

    return moments


def _moments(q: Any) -> tuple[Array, Array]:
    mean, log_var = jnp.broadcast_arrays(q.mean, q.log_var)
    return mean.reshape(len(mean), -1), jnp.exp(0.5 * log_var.reshape(len(mean), -1))

"""Codec of a model: bits-back coding with q(z|x), p(x|z) and p(z), of one stochastic layer or of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxvae import rng
from jaxvae.coding.categories import CodeNumbers, OneHot
from jaxvae.coding.codecs import Codec, bits_back
from jaxvae.coding.events import Decoding, Event, Statistics, event
from jaxvae.coding.latents import Buckets, Latent, moments
from jaxvae.coding.programs import padded
from jaxvae.distributions import Chain, Normal, OneHotCategorical, Quantized, RelaxedCategorical, UniformOverCodes
from jaxvae.errors import InputError
from jaxvae.types import Array, Distribution, Params, Space

SAMPLES, WIDER = 4096, 1.25
"""Number of samples of the prior by which lower layers are divided, and by how much their range is widened."""


class ModelCodec(NamedTuple):
    """Codec of examples by a trained model."""

    of: Callable[[int], Codec]
    """Function from the number L of examples, up to the width of its programs, to the codec of `[L, ...]`."""
    nearest: Callable[[Any], Any]
    """Function from any examples to the nearest that are coded."""


def model_codec(
    model: Any, params: Params, space: Space, statistics: Statistics, *, width: int, latents: Sequence[Latent]
) -> ModelCodec:
    """Return the codec of a model.

    Args:
        model: a `VAE`, or any model without a condition.
        params: its parameters.
        space: space of an example.
        statistics: what a decoder knows of the examples.
        width: number of rows of every compiled program.
        latents: each stochastic layer as symbols, see `divide`.

    Raises:
        InputError: its likelihood has no codec.
    """
    upwards = [padded(_posterior(model, latents[0]), params, width)]
    upwards += [padded(_link("posterior", model, space, n), params, width) for n in range(len(latents) - 1)]
    downwards = [padded(_link("prior", model, space, n), params, width) for n in range(len(latents) - 1)]
    z = latents[0].values(np.zeros((latents[0].num, 1), np.int64))
    decoded = jax.eval_shape(model.decode, params, z)
    x: Event = event(decoded, Decoding(model.decode, params, width), space.shape, statistics)

    def layer(number: int, lanes: int) -> Codec:
        """Return the codec of the symbols of a layer by the prior."""
        own = latents[number]
        if number == len(latents) - 1:
            return own.prior(lanes)
        return bits_back(
            layer(number + 1, lanes),
            lambda above: own.posterior(*downwards[number](latents[number + 1].values(above))),
            lambda chosen: latents[number + 1].posterior(*upwards[number + 1](own.values(chosen))),
        )

    def of(lanes: int) -> Codec:
        return bits_back(
            layer(0, lanes),
            lambda chosen: x.codec(latents[0].values(chosen)),
            lambda x: latents[0].posterior(*upwards[0](x)),
        )

    return ModelCodec(of, x.nearest)


def divide(model: Any, params: Params, space: Space, bits: int) -> Sequence[Latent]:
    """Return each stochastic layer as symbols: categories as they are, normals in buckets of equal mass of the prior.

    A layer below another has no prior of its own; it is divided by the normal whose means and deviations are those of
    samples of the prior, a little wider.

    Raises:
        InputError: prior or posterior are of another kind.
    """
    prior, posterior = _shapes(model, params, space)
    if isinstance(prior, Normal) and isinstance(posterior, Normal) and len(prior.mean.shape) == 1:
        mean, log_var = jax.device_get((model.prior(params).mean, model.prior(params).log_var))
        return [Buckets(np.asarray(mean, np.float64), np.exp(np.asarray(log_var, np.float64) / 2), bits)]
    if isinstance(prior, OneHotCategorical) and isinstance(posterior, RelaxedCategorical):
        return [OneHot(np.asarray(model.prior(params).mean))]
    if isinstance(prior, UniformOverCodes) and isinstance(posterior, Quantized):
        return [CodeNumbers(np.asarray(model.prior(params).codebook), prior.positions)]
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
        "layers of such, or categories or codes with a uniform one; train with --posterior normal --prior standard"
    )


def _shapes(model: Any, params: Params, space: Space) -> tuple[Distribution, Distribution]:
    return jax.eval_shape(model.prior, params), jax.eval_shape(model.encode, params, space.zeros(1))


def _posterior(model: Any, latent: Latent) -> Callable[..., Any]:
    """Return the function from examples to the arrays of the lowest layer of q(z|x)."""

    def arrays(params: Params, x: Any) -> Any:
        q: Any = model.encode(params, x)
        return latent.arrays(q.first if isinstance(q, Chain) else q)

    return arrays


def _link(axis: str, model: Any, space: Space, number: int) -> Callable[..., Any]:
    """Return the function from a layer's values to the moments of the next one, upwards or downwards."""

    def arrays(params: Params, z: Array) -> Any:
        if axis == "prior":
            return moments(model.prior(params).links[::-1][number](z))
        return moments(model.encode(params, space.zeros(len(z))).links[number](z))

    return arrays

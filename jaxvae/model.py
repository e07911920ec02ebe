"""Model: encoder, decoder, prior, posterior and likelihood combined, as pure functions of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxvae import likelihoods, posteriors, priors, rng
from jaxvae.nets import pure
from jaxvae.types import Array, Distribution, InputError, Key, Params, Value


@dataclasses.dataclass(frozen=True)
class VAE:
    """Networks, prior, posterior and likelihood of a VAE. The objective is a separate function.

    A model holds no parameters and compares by value, so an equal model built elsewhere causes no recompilation.

    >>> import jax, jax.numpy as jnp
    >>> from jaxvae import nets, priors
    >>> model = VAE(nets.MLPEncoder((32,), 4), nets.MLPDecoder((32,), (8, 8, 1)), priors.StandardNormal(2))
    >>> params = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 1)))
    >>> model.sample(params, jax.random.key(1), 5).shape
    (5, 8, 8, 1)
    """

    encoder: nn.Module
    """Module from x, and the condition if given, to an array, a tuple of two heads, or other input of `posterior`."""
    decoder: nn.Module
    """Module from z, and the condition if given, to the input of `likelihood`."""
    prior: Callable[..., Distribution]
    """Function `(params, condition=None) -> p(z)`; p(z) has a batch axis only where it depends on the condition."""
    posterior: Callable[[Any], Distribution] | posteriors.BottomUp = posteriors.normal
    """Function from encoder outputs to q(z|x)."""
    likelihood: Callable[[Any], Distribution] = likelihoods.bernoulli
    """Function from decoder outputs to p(x|z)."""

    def __post_init__(self) -> None:
        pure.check_module("encoder", self.encoder)
        pure.check_module("decoder", self.decoder)

    def __deepcopy__(self, memo: dict[int, Any]) -> VAE:
        # A model is immutable, and copies of jitted activations would make an unequal model.
        return self

    def init(self, key: Key, x: Array, condition: Array | None = None) -> Params:
        """Initialise parameters for x `[B, ...]`: a dict with "encoder", "decoder" and other learned parts.

        Raises:
            InputError: a network rejects its input, is no pure function, or does not fit the prior.
        """
        encoder = pure.init("encoder", self.encoder, rng.stream(key, "init encoder"), x, condition)
        params = {"encoder": encoder}
        if isinstance(self.posterior, posteriors.BottomUp):
            outputs = pure.apply("encoder", self.encoder, encoder, x, condition)
            params["posterior"] = self.posterior.init(rng.stream(key, "init posterior"), outputs)
        if isinstance(self.prior, priors.TopDown):
            params["prior"] = self.prior.init(rng.stream(key, "init prior"))
        z = _lowest(self.encode(params, x, condition).mean)
        self._check_dimensions(z)
        decoder = pure.init("decoder", self.decoder, rng.stream(key, "init decoder"), z, condition)
        return {**params, "decoder": decoder}

    def encode(self, params: Params, x: Array, condition: Array | None = None) -> Distribution:
        """Return q(z|x)."""
        outputs = pure.apply("encoder", self.encoder, params["encoder"], x, condition)
        if isinstance(self.posterior, posteriors.BottomUp):
            return self.posterior(outputs, params["posterior"])
        return self.posterior(outputs)

    def decode(self, params: Params, z: Array, condition: Array | None = None) -> Distribution:
        """Return p(x|z)."""
        return self.likelihood(pure.apply("decoder", self.decoder, params["decoder"], _lowest(z), condition))

    def sample(self, params: Params, key: Key, num: int, condition: Array | None = None) -> Array:
        """Return `[num, ...]` means of p(x|z) at z ~ p(z), given `num` conditions or one for all, `[1, ...]`.

        To sample the pixels too, call `decode(...).sample(key)`.

        Raises:
            InputError: there are neither `num` conditions nor one.
        """
        return self.sample_each(params, rng.sample_keys(key, num), condition)

    def sample_each(self, params: Params, keys: Key, condition: Array | None = None) -> Array:
        """Return `[N, ...]` like `sample`, from one key per sample, so that many samples can be drawn in blocks."""
        if condition is None:
            z = jax.vmap(self.prior(params).sample)(keys)
            return self.decode(params, z).mean
        condition = _one_for_each(condition, keys)
        return self.decode(params, self._draw(params, keys, condition), condition).mean

    def reconstruct(self, params: Params, x: Array, condition: Array | None = None) -> Array:
        """Return `[B, ...]`, the mean of p(x|z) at the posterior's mean: no key, no noise.

        Raises:
            InputError: x is uint8, whose range may be 0 to 255 or 0 and 1.
        """
        if x.dtype == jnp.uint8:
            raise InputError("x: uint8 may mean 0 to 255 or 0 and 1; give x / 255, or x.astype('float32')")
        z = self.encode(params, x, condition).mean
        return self.decode(params, z, condition).mean

    def _draw(self, params: Params, keys: Key, condition: Array) -> Value:
        """Sample the prior once for each key and condition."""

        def shape(num: int) -> Any:
            rows = jax.ShapeDtypeStruct((num, *condition.shape[1:]), condition.dtype)
            return jax.eval_shape(lambda rows: self.prior(params, rows).mean, rows)

        if shape(1) == shape(2):  # whatever the condition
            return jax.vmap(self.prior(params, condition).sample)(keys)

        def draw(key: Key, row: Array) -> Value:
            return jax.tree.map(lambda layer: layer[0], self.prior(params, row[None]).sample(key))

        return jax.vmap(draw)(keys, condition)

    def _check_dimensions(self, z: Array) -> None:
        if isinstance(self.prior, priors.StandardNormal) and z.shape[-1:] != (self.prior.latent_dim,):
            raise InputError(
                f"encoder: its outputs make a posterior of {z.shape[-1]} dimensions, the prior has "
                f"{self.prior.latent_dim}; give the one what the other has"
            )


class Functions(NamedTuple):
    """Model of three plain functions, for networks of any other kind.

    >>> from jaxvae.distributions import Normal
    >>> import jax.numpy as jnp
    >>> model = Functions(
    ...     encode=lambda params, x: Normal(params["a"] * x, jnp.zeros_like(x)),
    ...     decode=lambda params, z: Normal(params["b"] * z, jnp.zeros_like(z)),
    ...     prior=lambda params: Normal(jnp.zeros(3), jnp.zeros(3)),
    ... )
    """

    encode: Callable[..., Distribution]
    decode: Callable[..., Distribution]
    prior: Callable[..., Distribution]


def _lowest(z: Array | tuple[Array, ...]) -> Array:
    # With several stochastic layers, x depends on the first alone.
    return z[0] if isinstance(z, tuple) else z


def _one_for_each(condition: Array, keys: Key) -> Array:
    num = keys.shape[0]
    if condition.shape[:1] not in ((1,), (num,)):
        raise InputError(
            f"condition: shape {condition.shape} for {num} samples; give [{num}, ...], or [1, ...] for all"
        )
    return jnp.broadcast_to(condition, (num, *condition.shape[1:]))

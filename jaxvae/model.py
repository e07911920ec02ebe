"""A model: the pieces tied together, as pure functions of parameters."""

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
    """Networks, posterior, prior and likelihood: four of a VAE's five choices. The fifth, the objective, is a function.

    It holds no parameters and compares by value, so an equal model built elsewhere does not recompile anything.

    >>> import jax, jax.numpy as jnp
    >>> from jaxvae import nets, priors
    >>> model = VAE(nets.MLPEncoder((32,), 4), nets.MLPDecoder((32,), (8, 8, 1)), priors.StandardNormal(2))
    >>> params = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 1)))
    >>> model.sample(params, jax.random.key(1), 5).shape
    (5, 8, 8, 1)
    """

    encoder: nn.Module
    """x, and the condition if one is given -> outputs: an array, a tuple of two heads, or what `posterior` takes."""
    decoder: nn.Module
    """z, and the condition if one is given -> outputs."""
    prior: Callable[..., Distribution]
    """`(params, condition=None) -> p(z)`, which has a batch axis only where it depends on the condition."""
    posterior: Callable[[Any], Distribution] | posteriors.BottomUp = posteriors.normal
    """Encoder outputs -> q(z|x)."""
    likelihood: Callable[[Any], Distribution] = likelihoods.bernoulli
    """Decoder outputs -> p(x|z)."""

    def __post_init__(self) -> None:
        pure.check_module("encoder", self.encoder)
        pure.check_module("decoder", self.decoder)

    def __deepcopy__(self, memo: dict[int, Any]) -> VAE:
        # It never changes; and copies of jitted activations would make an unequal model.
        return self

    def init(self, key: Key, x: Array, condition: Array | None = None) -> Params:
        """Fresh parameters for examples like x `[B, ...]`: a dict with "encoder", "decoder" and what else learns.

        Raises:
            InputError: a network cannot be called with what it gets, is no pure function, or does not fit the prior.
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
        """q(z|x)."""
        outputs = pure.apply("encoder", self.encoder, params["encoder"], x, condition)
        if isinstance(self.posterior, posteriors.BottomUp):
            return self.posterior(outputs, params["posterior"])
        return self.posterior(outputs)

    def decode(self, params: Params, z: Array, condition: Array | None = None) -> Distribution:
        """p(x|z)."""
        return self.likelihood(pure.apply("decoder", self.decoder, params["decoder"], _lowest(z), condition))

    def sample(self, params: Params, key: Key, num: int, condition: Array | None = None) -> Array:
        """`[num, ...]` means of p(x|z) at z drawn from the prior, given `num` conditions or one for all, `[1, ...]`.

        For pixels drawn too, call `decode(...).sample(key)`.

        Raises:
            InputError: there are neither `num` conditions nor one.
        """
        return self.sample_each(params, rng.sample_keys(key, num), condition)

    def sample_each(self, params: Params, keys: Key, condition: Array | None = None) -> Array:
        """`[N, ...]` as `sample`, from one key for each: what many samples are drawn by, a block at a time."""
        if condition is None:
            z = jax.vmap(self.prior(params).sample)(keys)
            return self.decode(params, z).mean
        condition = _one_for_each(condition, keys)
        return self.decode(params, self._draw(params, keys, condition), condition).mean

    def reconstruct(self, params: Params, x: Array, condition: Array | None = None) -> Array:
        """`[B, ...]` mean of p(x|z) at the posterior's mean: no key, no noise.

        Raises:
            InputError: x is uint8, which may mean 0 to 255 or 0 and 1.
        """
        if x.dtype == jnp.uint8:
            raise InputError("x: uint8 may mean 0 to 255 or 0 and 1; give x / 255, or x.astype('float32')")
        z = self.encode(params, x, condition).mean
        return self.decode(params, z, condition).mean

    def _draw(self, params: Params, keys: Key, condition: Array) -> Value:
        """One draw of the prior for each key and condition."""

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
    """A model of three bare functions, for networks of any other kind.

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
    # Of several stochastic layers the data hang on the first alone.
    return z[0] if isinstance(z, tuple) else z


def _one_for_each(condition: Array, keys: Key) -> Array:
    num = keys.shape[0]
    if condition.shape[:1] not in ((1,), (num,)):
        raise InputError(
            f"condition: shape {condition.shape} for {num} samples; give [{num}, ...], or [1, ...] for all"
        )
    return jnp.broadcast_to(condition, (num, *condition.shape[1:]))

"""A model: the pieces tied together, as pure functions of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple, cast

import jax
from flax import linen as nn

from jaxvae import likelihoods, posteriors, priors, rng
from jaxvae.types import Array, Distribution, Key, Params


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
    decoder: nn.Module
    prior: Callable[..., Distribution]
    """`(params, condition=None) -> p(z)`."""
    posterior: Callable[[Array], Distribution] | posteriors.BottomUp = posteriors.normal
    """Encoder output -> q(z|x)."""
    likelihood: Callable[[Array], Distribution] = likelihoods.bernoulli
    """Decoder output -> p(x|z)."""

    def init(self, key: Key, x: Array, condition: Array | None = None) -> Params:
        """Fresh parameters for examples like x `[B, ...]`: a dict with "encoder", "decoder" and what else learns."""
        encoder = self.encoder.init(rng.stream(key, "init encoder"), x, condition)["params"]
        params = {"encoder": encoder}
        if isinstance(self.posterior, posteriors.BottomUp):
            outputs = _apply(self.encoder, encoder, x, condition)
            params["posterior"] = self.posterior.init(rng.stream(key, "init posterior"), outputs)
        if isinstance(self.prior, priors.TopDown):
            params["prior"] = self.prior.init(rng.stream(key, "init prior"))
        z = _lowest(self.encode(params, x, condition).mean)
        return {**params, "decoder": self.decoder.init(rng.stream(key, "init decoder"), z, condition)["params"]}

    def encode(self, params: Params, x: Array, condition: Array | None = None) -> Distribution:
        """q(z|x)."""
        outputs = _apply(self.encoder, params["encoder"], x, condition)
        if isinstance(self.posterior, posteriors.BottomUp):
            return self.posterior(outputs, params["posterior"])
        return self.posterior(outputs)

    def decode(self, params: Params, z: Array, condition: Array | None = None) -> Distribution:
        """p(x|z)."""
        return self.likelihood(_apply(self.decoder, params["decoder"], _lowest(z), condition))

    def sample(self, params: Params, key: Key, num: int, condition: Array | None = None) -> Array:
        """`[num, ...]` means of p(x|z) at z drawn from the prior.

        For pixels drawn too, call `decode(...).sample(key)`.
        """
        return self.sample_each(params, rng.sample_keys(key, num), condition)

    def sample_each(self, params: Params, keys: Key, condition: Array | None = None) -> Array:
        """`[N, ...]` as `sample`, from one key for each: what many samples are drawn by, a block at a time."""
        prior = self.prior(params, condition)
        z = jax.vmap(prior.sample)(keys)
        return self.decode(params, z, condition).mean

    def reconstruct(self, params: Params, x: Array, condition: Array | None = None) -> Array:
        """`[B, ...]` mean of p(x|z) at the posterior's mean: no key, no noise."""
        z = self.encode(params, x, condition).mean
        return self.decode(params, z, condition).mean


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


def _apply(network: nn.Module, params: Params, *inputs: Array | None) -> Array:
    return cast(Array, network.apply({"params": params}, *inputs))

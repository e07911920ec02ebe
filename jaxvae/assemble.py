"""Assembly of a model: options of five choices become pieces, in the order in which one needs to know the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax

from jaxvae import pieces
from jaxvae.arguments import look_up
from jaxvae.distributions.sampling import point
from jaxvae.facts import Facts
from jaxvae.likelihoods.completion import of_hidden
from jaxvae.likelihoods.observed import of_observed
from jaxvae.model import VAE
from jaxvae.nets import ACTIVATIONS
from jaxvae.types import Params


def assemble(
    facts: Facts,
    *,
    networks: Any,
    posterior: Any,
    prior: Any,
    likelihood: Any,
    extras: Mapping[str, Any] | None = None,
) -> VAE:
    """Build a model from options, each a row of `NETWORKS`, `POSTERIORS`, `PRIORS`, `LIKELIHOODS` or `EXTRAS`.

    The posterior decides the encoder's outputs, and the likelihood the decoder's; a prior, built last, may hold the
    encoder and the posterior.

    Args:
        facts: facts of the data.
        networks: options of encoder and decoder.
        posterior: options of q(z|x).
        prior: options of p(z).
        likelihood: options of p(x|z).
        extras: options of further pieces, by name.

    Raises:
        InputError: options do not fit each other or the data.
    """
    activation = getattr(networks, "activation", "relu")  # gated layers have none
    facts = dataclasses.replace(facts, activation=look_up(ACTIVATIONS, "activation", activation))
    q = posterior.build(facts)
    encoder = networks.encoder(facts, posterior.num_outputs(facts.latent_dim))
    facts = dataclasses.replace(facts, encoder=encoder, posterior=q)
    facts = dataclasses.replace(facts, latent=_latent(facts))
    decoder = likelihood.wrap(networks.decoder(facts, likelihood.decoder_shape(facts)))
    built = tuple((name, extra.build(facts)) for name, extra in (extras or {}).items())
    head = of_hidden(of_observed(likelihood.build(facts), facts.space), facts.condition_space)
    return VAE(encoder, decoder, prior.build(facts), q, head, built)


def _latent(facts: Facts) -> Any:
    """Return the shape of one representative latent value, without its batch axis."""

    def encode() -> Any:
        x = facts.space.zeros(1)
        condition = None if facts.condition_space is None else facts.condition_space.zeros(1)
        params: dict[str, Params] = {}
        key = jax.random.key(0)
        params["encoder"] = pieces.init("encoder", facts.encoder, key, x, condition=condition)
        outputs = pieces.call("encoder", facts.encoder, params, x, condition=condition)
        params["posterior"] = pieces.init("posterior", facts.posterior, key, outputs, condition=condition)
        return point(pieces.call("posterior", facts.posterior, params, outputs, condition=condition, known={"x": x}))

    one = jax.eval_shape(encode)
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), one)

"""Word dropout: the network misses words, the loss none, and the encoder reads the true row."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss, rng
from jaxvae.data.spaces import Tokens
from jaxvae.distributions import Normal
from jaxvae.distributions import Tokens as TokensDistribution
from jaxvae.errors import InputError
from jaxvae.objectives import iwae_loss, word_dropout
from jaxvae.objectives.denoising import masking

V, T = 6, 5
SPACE = Tokens(V, T)
ROWS = jnp.array([[3, 4, 1, 0, 0], [5, 3, 4, 5, 1], [4, 4, 4, 4, 1]])


def keys():
    return rng.example_keys(rng.root(0), jnp.arange(3))


def drop(key, row, level):
    return SPACE.corrupt(key, row, masking, level)


def repeating(tokens, context):
    """Network that predicts the last token once more, weighed by z."""
    before = jnp.concatenate([jnp.full((*tokens.shape[:-1], 1), 3), tokens[..., :-1]], axis=-1)
    return jax.nn.one_hot(before, V) * (2 + context[..., None])


MODEL = Functions(
    encode=lambda params, x: Normal(jnp.mean(x, 1, keepdims=True) * params, jnp.full((len(x), 1), -30.0)),
    decode=lambda params, z: TokensDistribution(repeating, z, T),
    prior=lambda params: Normal(jnp.zeros(1), jnp.zeros(1)),
)


def by_hand(rows, seen, context):
    """Score the true tokens, in float64, given the seen ones."""
    totals = []
    for row, given, z in zip(np.asarray(rows), np.asarray(seen), context):
        total = 0.0
        for place, token in enumerate(row[: list(row).index(1) + 1]):
            logits = np.zeros(V)
            logits[3 if place == 0 else given[place - 1]] = 2 + z
            logits[0] = -np.inf
            total += logits[token] - np.log(np.exp(logits).sum())
        totals.append(total)
    return totals


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_true_tokens_are_scored_given_the_seen_ones_and_the_true_code(level):
    loss = word_dropout(elbo_loss, drop, level)
    _, terms = loss(jnp.float32(0.1), keys(), ROWS, model=MODEL)
    seen = jax.vmap(lambda key, row: drop(rng.stream(key, "word dropout"), row, level))(keys(), ROWS)
    z = 0.1 * np.mean(ROWS, axis=1)
    np.testing.assert_allclose(terms.log_likelihood, by_hand(ROWS, seen, z), rtol=1e-4)
    _, plain = elbo_loss(jnp.float32(0.1), keys(), ROWS, model=MODEL)
    np.testing.assert_array_equal(terms.kl, plain.kl)
    assert (level == 0) == bool((terms.log_likelihood == plain.log_likelihood).all())


def test_at_level_one_no_word_is_seen():
    seen = drop(rng.root(0), ROWS, 1.0)
    assert set(np.unique(seen)) == {SPACE.padding, SPACE.end, SPACE.unknown}


@pytest.mark.parametrize("objective", [elbo_loss, functools.partial(iwae_loss, num_samples=3)])
def test_noise_depends_on_the_example_alone(objective):
    loss = jax.jit(functools.partial(word_dropout(objective, drop, 0.5), model=MODEL))
    _, whole = loss(jnp.float32(0.1), keys(), ROWS)
    _, part = loss(jnp.float32(0.1), keys()[1:], ROWS[1:], weights=jnp.ones(2))
    np.testing.assert_allclose(whole.log_likelihood[1:], part.log_likelihood, rtol=1e-6)


def test_another_likelihood_is_refused():
    other = MODEL._replace(decode=lambda params, z: Normal(jnp.zeros((3, T)), jnp.zeros((3, T))))
    with pytest.raises(InputError, match="word_dropout: needs a likelihood of tokens, each given others, got Normal"):
        word_dropout(elbo_loss, drop, 0.5)(jnp.float32(0.1), keys(), ROWS, model=other)
    with pytest.raises(InputError, match="word_dropout: "):
        word_dropout(elbo_loss, drop, 1.5)

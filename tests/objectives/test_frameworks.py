"""elbo_loss with networks of every kind, and with another library's distributions: one table, the same tests."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import optax
import pytest
from flax import linen, nnx

import jaxvae
from jaxvae import elbo_loss, elbo_terms
from jaxvae.distributions import Bernoulli, Normal, kl, register_kl
from jaxvae.nets import MLPDecoder, MLPEncoder
from jaxvae.priors import StandardNormal

D, PIXELS, HIDDEN = 2, 5, 7
X = jnp.array([[0.0, 0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0, 1.0], [0.0] * 5])
terms = jax.jit(elbo_terms, static_argnames="model")


class Case(NamedTuple):
    params: Any
    model: Any


def standard_normal(params):
    return Normal(jnp.zeros(D), jnp.zeros(D))


def jaxvae_vae(key):
    model = jaxvae.VAE(
        MLPEncoder((HIDDEN,), 2 * D, jnp.tanh), MLPDecoder((HIDDEN,), (PIXELS,), jnp.tanh), StandardNormal(D)
    )
    return Case(jax.jit(model.init)(key, X), model)


def linen_modules(key):
    encoder, decoder = linen.Dense(2 * D), linen.Dense(PIXELS)
    params = {"encoder": encoder.init(key, X), "decoder": decoder.init(jax.random.fold_in(key, 1), jnp.ones((1, D)))}
    model = jaxvae.Functions(
        encode=lambda params, x: jaxvae.posteriors.normal(encoder.apply(params["encoder"], x)),
        decode=lambda params, z: Bernoulli(decoder.apply(params["decoder"], z)),
        prior=standard_normal,
    )
    return Case(params, model)


class NnxPair(nnx.Module):
    def __init__(self, rngs):
        self.encoder = nnx.Linear(PIXELS, 2 * D, rngs=rngs)
        self.decoder = nnx.Linear(D, PIXELS, rngs=rngs)


def flax_nnx(key):
    graph, params = nnx.split(NnxPair(nnx.Rngs(key)))
    model = jaxvae.Functions(
        encode=lambda params, x: jaxvae.posteriors.normal(nnx.merge(graph, params).encoder(x)),
        decode=lambda params, z: Bernoulli(nnx.merge(graph, params).decoder(z)),
        prior=standard_normal,
    )
    return Case(params, model)


def equinox(key):
    encoder_key, decoder_key = jax.random.split(key)
    network = {
        "encoder": eqx.nn.MLP(PIXELS, 2 * D, HIDDEN, 1, jnp.tanh, key=encoder_key),
        "decoder": eqx.nn.MLP(D, PIXELS, HIDDEN, 1, jnp.tanh, key=decoder_key),
    }
    params, static = eqx.partition(network, eqx.is_array)

    def apply(params, name, inputs):
        return jax.vmap(eqx.combine(params, static)[name])(inputs)

    model = jaxvae.Functions(
        encode=lambda params, x: jaxvae.posteriors.normal(apply(params, "encoder", x)),
        decode=lambda params, z: Bernoulli(apply(params, "decoder", z)),
        prior=standard_normal,
    )
    return Case(params, model)


def bare_functions(
    key, container=jaxvae.Functions, normal=Normal, bernoulli=Bernoulli, prior=standard_normal, scale=lambda lv: lv
):
    """Matrices and nothing else; the distributions are whatever is given, `scale` what they ask of a log-variance."""
    shapes = {"mean": (PIXELS, D), "log_var": (PIXELS, D), "decoder": (D, PIXELS)}
    keys = jax.random.split(key, len(shapes))
    params = {name: 0.5 * jax.random.normal(k, shape) for k, (name, shape) in zip(keys, shapes.items())}
    model = container(
        encode=lambda params, x: normal(x @ params["mean"], scale(x @ params["log_var"])),
        decode=lambda params, z: bernoulli(z @ params["decoder"]),
        prior=prior,
    )
    return Case(params, model)


def simple_namespace(key):
    return bare_functions(key, SimpleNamespace)


def numpyro_elementwise(key):
    """NumPyro's distributions as they come: log_prob leaves the pixels unsummed."""
    return bare_functions(
        key,
        normal=numpyro.Normal,
        bernoulli=lambda logits: numpyro.Bernoulli(logits=logits),
        prior=lambda params: numpyro.Normal(jnp.zeros(D), jnp.ones(D)),
        scale=lambda log_var: jnp.exp(0.5 * log_var),
    )


def numpyro_events(key):
    """NumPyro's distributions told by `to_event` which axes are one event."""
    return bare_functions(
        key,
        normal=lambda mean, scale: numpyro.Normal(mean, scale).to_event(1),
        bernoulli=lambda logits: numpyro.Bernoulli(logits=logits).to_event(1),
        prior=lambda params: numpyro.Normal(jnp.zeros(D), jnp.ones(D)).to_event(1),
        scale=lambda log_var: jnp.exp(0.5 * log_var),
    )


NUMPYRO = [numpyro_elementwise, numpyro_events]
FRAMEWORKS = [jaxvae_vae, linen_modules, flax_nnx, equinox, bare_functions, simple_namespace, *NUMPYRO]


@pytest.mark.quick_rows("jaxvae_vae", "flax_nnx", "bare_functions")
@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda f: f.__name__)
def test_it_trains(framework):
    """Jitted, differentiated and stepped: the gradient reaches every parameter and, its noise fixed, the loss falls."""
    params, model = framework(jax.random.key(0))
    optimizer = optax.sgd(0.05)
    opt_state = optimizer.init(params)

    @jax.jit
    def step(params, opt_state):
        loss_and_gradient = jax.value_and_grad(elbo_loss, has_aux=True)
        (loss, _), gradient = loss_and_gradient(params, jax.random.key(1), X, model=model)
        updates, opt_state = optimizer.update(gradient, opt_state)
        return optax.apply_updates(params, updates), opt_state, loss, gradient

    losses = []
    for _ in range(5):
        params, opt_state, loss, gradient = step(params, opt_state)
        losses.append(float(loss))
        assert all(jnp.isfinite(leaf).all() and (leaf != 0).any() for leaf in jax.tree.leaves(gradient))
    assert sorted(losses, reverse=True) == losses
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0] - 0.05


@pytest.mark.quick_rows("jaxvae_vae", "equinox")
@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda f: f.__name__)
def test_vmap_over_seeds_is_a_loop_over_seeds(framework):
    params, model = framework(jax.random.key(0))

    def loss(key):
        return elbo_loss(params, key, X, model=model)[0]

    keys = jax.random.split(jax.random.key(1), 3)
    mapped, looped = jax.jit(lambda keys: (jax.vmap(loss)(keys), jax.lax.map(loss, jax.random.clone(keys))))(keys)
    np.testing.assert_allclose(mapped, looped, rtol=1e-5)
    assert len(np.unique(mapped)) == 3


@pytest.mark.parametrize("framework", NUMPYRO, ids=lambda f: f.__name__)
def test_numpyros_sampled_kl_agrees_with_the_exact_one(framework):
    """Within six standard errors; the log-likelihood, from the same noise, to rounding."""
    draws = 20_000
    params, foreign = framework(jax.random.key(0))
    _, own = bare_functions(jax.random.key(0))
    x = jnp.repeat(X[:1], draws, axis=0)
    theirs, ours = (terms(params, jax.random.key(1), x, model=model) for model in (foreign, own))
    np.testing.assert_allclose(theirs.log_likelihood, ours.log_likelihood, rtol=1e-4)
    error = theirs.kl.std() / draws**0.5
    assert theirs.kl_per_dimension.shape == (draws, 1)
    assert abs(theirs.kl.mean() - ours.kl[0]) < 6 * error < 0.1 * ours.kl[0]


@pytest.fixture
def closed_forms(monkeypatch):
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(kl, "_CLOSED_FORMS", dict(kl._CLOSED_FORMS))


def test_with_register_kl_numpyros_terms_are_jaxvaes_own(closed_forms):
    register_kl(numpyro.Normal, numpyro.Normal)(numpyro.kl_divergence)
    params, foreign = numpyro_elementwise(jax.random.key(0))
    _, own = bare_functions(jax.random.key(0))
    theirs, ours = (terms(params, jax.random.key(1), X, model=model) for model in (foreign, own))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), theirs, ours)
    assert theirs.kl_per_dimension.shape == (4, D)


@pytest.mark.parametrize("framework", NUMPYRO, ids=lambda f: f.__name__)
def test_numpyro_takes_one_key_and_says_so(framework):
    params, model = framework(jax.random.key(0))
    with pytest.raises(ValueError, match=r"key: \(4,\) keys .* give one key"):
        elbo_loss(params, jax.random.split(jax.random.key(1), 4), X, model=model)

"""Gumbel-softmax from options to trained parameters: the temperature falls, the bound is one of the categories."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import rng
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Real
from jaxvae.distributions.gumbel import hard
from jaxvae.errors import InputError
from jaxvae.evaluation import annealed_log_likelihood
from jaxvae.facts import Facts
from jaxvae.likelihoods import BernoulliPixels
from jaxvae.nets import MLP
from jaxvae.objectives import elbo_loss, elbo_terms, importance_weighted_bound, iwae_loss, with_averages
from jaxvae.posteriors import DiagonalNormal, GumbelSoftmax
from jaxvae.priors import UniformCategories
from jaxvae.training import init_state, labelled, make_train_step
from jaxvae.types import Batch

SHAPE, K, L = (5, 5, 1), 3, 2
OPTIONS = GumbelSoftmax(num_categories=K, temperature=1.0, final_temperature=0.25, anneal_steps=10)


def build(posterior=OPTIONS):
    return assemble(
        Facts(Real(SHAPE), latent_dim=L),
        networks=MLP(hidden=(16,)),
        posterior=posterior,
        prior=UniformCategories(),
        likelihood=BernoulliPixels(),
    )


@pytest.fixture
def batch():
    x = jax.random.bernoulli(jax.random.key(3), 0.3, (8, *SHAPE)).astype(jnp.float32)
    return Batch(x, jnp.arange(8, dtype=jnp.uint32), jnp.ones(8))


def trained(model, batch, num_steps):
    params = jax.jit(model.init)(rng.root(0), batch.x)
    optimizer = labelled(optax.adam(0.01), model.labels(params))
    loss = functools.partial(with_averages(elbo_loss), model=model)
    step = jax.jit(make_train_step(loss, optimizer, leaf_schedules=model.schedules()))
    state, history = init_state(rng.root(1), params, optimizer), []
    for _ in range(num_steps):
        state, metrics = step(state, batch)
        history.append(metrics)
    return state, history


def test_training_learns_at_a_falling_temperature(batch):
    state, history = trained(build(), batch, 200)
    temperatures = [float(metrics["posterior_temperature"]) for metrics in history]
    np.testing.assert_allclose(temperatures[:11], 0.25 ** (np.arange(11) / 10), rtol=1e-5)
    np.testing.assert_allclose(temperatures[11:], np.full(189, 0.25), rtol=1e-5)
    assert state.params["posterior"]["temperature"] == temperatures[-1]
    assert np.mean([m["loss"] for m in history[-20:]]) < np.mean([m["loss"] for m in history[:20]]) - 1


def test_a_resumed_run_goes_on_at_its_temperature(batch):
    model = build()
    whole, _ = trained(model, batch, 6)
    half, _ = trained(model, batch, 3)
    optimizer = labelled(optax.adam(0.01), model.labels(half.params))
    loss = functools.partial(with_averages(elbo_loss), model=model)
    step = jax.jit(make_train_step(loss, optimizer, leaf_schedules=model.schedules()))
    for _ in range(3):
        half, _ = step(half, batch)
    jax.tree.map(np.testing.assert_array_equal, whole.params, half.params)


@pytest.mark.slow
def test_the_bound_with_categories_is_below_the_evidence(batch):
    """K^L codes are enumerated: log p(x), the exact posterior, and the ELBO without noise."""
    model = build()
    params = trained(model, batch, 200)[0].params
    rows = jnp.array(list(itertools.product(range(K), repeat=L)))
    values = jnp.broadcast_to(jax.nn.one_hot(rows, K)[:, None], (len(rows), 8, L, K))
    log_joint = jax.vmap(lambda z: model.decode(params, z).log_prob(batch.x) + model.prior(params).log_prob(z))(values)
    log_q = jax.vmap(hard(model.encode(params, batch.x)).log_prob)(values)
    log_evidence = jax.nn.logsumexp(log_joint, axis=0)
    elbo = (jnp.exp(log_q) * jnp.where(log_q == -jnp.inf, 0, log_joint - log_q)).sum(0)
    np.testing.assert_allclose(jax.nn.logsumexp(log_q, axis=0), np.zeros(8), atol=1e-5)
    # Estimates from samples, within six standard errors; in the ELBO's the KL is exact.
    q, log_weight, num = jnp.exp(log_q), jnp.where(log_q == -jnp.inf, 0, log_joint - log_q), 500
    spread = jnp.sqrt((q * jnp.square(log_joint - (q * log_joint).sum(0))).sum(0))
    terms = elbo_terms(params, rng.root(4), batch.x, model=model, num_samples=num)
    assert (abs(terms.elbo - elbo) < 6 * spread / num**0.5 + 1e-4).all()
    relative = jnp.sqrt((q * jnp.square(jnp.exp(log_weight - log_evidence) - 1)).sum(0))
    bound = importance_weighted_bound(params, rng.root(4), batch.x, model=model, num_samples=num)
    assert (abs(bound - log_evidence) < 6 * relative / num**0.5).all()
    assert (elbo <= log_evidence + 1e-4).all()
    # The gap is the KL from q to the exact posterior.
    gap = (jnp.exp(log_q) * jnp.where(log_q == -jnp.inf, 0, log_q - log_joint + log_evidence)).sum(0)
    np.testing.assert_allclose(log_evidence - elbo, gap, atol=1e-3)


def test_importance_weights_of_relaxed_values_are_refused(batch):
    model = build()
    params = model.init(rng.root(0), batch.x)
    with pytest.raises(InputError, match="RelaxedCategorical, is relaxed"):
        iwae_loss(params, rng.root(1), batch.x, model=model)
    with pytest.raises(InputError, match="OneHotCategorical, is of whole numbers, and cannot be annealed"):
        annealed_log_likelihood(params, rng.root(1), batch.x, model=model, num_temperatures=2)


def test_samples_and_reconstructions_are_of_categories(batch):
    model = build()
    params = model.init(rng.root(0), batch.x)
    assert model.sample(params, jax.random.key(5), 3).shape == (3, *SHAPE)
    hardest = jax.nn.one_hot(model.encode(params, batch.x).logits.argmax(-1), K)
    np.testing.assert_allclose(model.reconstruct(params, batch.x), model.decode(params, hardest).mean, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"num_categories": 1}, "num_categories"),
        ({"final_temperature": 0.0}, "final_temperature: must be above 0"),
        ({"anneal_steps": 0}, "anneal_steps"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        GumbelSoftmax(**options)


def test_another_posterior_is_refused():
    with pytest.raises(InputError, match="give --posterior gumbel_softmax"):
        build(DiagonalNormal())

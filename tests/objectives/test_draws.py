"""Draws: posteriors that know only the density of their own samples, KLs that come with a sample, trees as examples."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss, rng
from jaxvae.distributions import Bernoulli, Normal
from jaxvae.distributions.base import distribution, static
from jaxvae.errors import InputError
from jaxvae.objectives import (
    CORRUPTIONS,
    ciwae_loss,
    denoising,
    importance_weighted_bound,
    iwae_loss,
    kl_only_loss,
    piwae_loss,
)
from jaxvae.objectives.draws import draw, weigh

X = jnp.array([[0.3, -2.0], [1.5, 0.4], [-0.2, 0.1]])
PARAMS = {"mean": jnp.array([0.4, -0.8]), "log_var": jnp.array([-1.0, 0.3]), "b": jnp.array([0.5, -1.0])}
OBJECTIVES = {
    "elbo": functools.partial(elbo_loss, num_samples=2),
    "kl_only": kl_only_loss,
    "iwae": functools.partial(iwae_loss, num_samples=3, num_groups=2),
    "ciwae": functools.partial(ciwae_loss, num_samples=3),
    "piwae": functools.partial(piwae_loss, num_samples=2, num_groups=2),
    "denoising": denoising(elbo_loss, CORRUPTIONS["noise"], 0.3),
}


def keys(num=3):
    """The same keys each time, new to JAX's check of reuse."""
    return rng.example_keys(jax.random.key(0), jnp.arange(num))


@distribution
class Forward:
    """Normal that has the density of its own samples alone, as a flow without an inverse."""

    base: Normal
    event_ndim: int = static(default=1)

    @property
    def mean(self):
        return self.base.mean

    def sample(self, key):
        return self.base.sample(key)

    def sample_and_log_prob(self, key):
        value = self.base.sample(key)
        return value, self.base.log_prob(value)


@distribution
class Plain(Normal):
    """Normal without a closed form of the KL."""


@distribution
class Together(Normal):
    """Normal that gives a sample and a KL, here a recognisable one, in one call."""

    def sample_and_kl(self, key, prior):
        del prior
        return self.sample(key), jnp.full_like(self.mean, 7.0)


def model(family):
    def encode(params, x):
        shape = X.shape
        return family(jnp.broadcast_to(params["mean"], shape), jnp.broadcast_to(params["log_var"], shape))

    return Functions(
        encode,
        decode=lambda params, z: Normal(z + params["b"], jnp.full(2, -1.0)),
        prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
    )


def forward(*parameters):
    return Forward(Normal(*parameters))


def value_and_gradient(loss, family):
    return jax.jit(jax.value_and_grad(functools.partial(loss, model=model(family)), has_aux=True))(PARAMS, keys(), X)


@pytest.mark.quick_rows("elbo", "iwae")
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_posterior_without_an_inverse_gives_the_same_bound_and_gradient(name):
    close = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)
    jax.tree.map(close, *(value_and_gradient(OBJECTIVES[name], family) for family in (forward, Plain)))


def test_a_posterior_without_an_inverse_has_importance_weights():
    bounds = [importance_weighted_bound(PARAMS, keys(), X, model=model(f), num_samples=7) for f in (forward, Plain)]
    np.testing.assert_allclose(*bounds, rtol=1e-6)


@pytest.mark.parametrize("gradient", ["stl", "dreg"])
def test_gradients_at_a_given_sample_need_the_inverse(gradient):
    with pytest.raises(InputError, match=f"gradient {gradient}: needs the density of any value, and Forward has"):
        iwae_loss(PARAMS, keys(), X, model=model(forward), gradient=gradient)


def test_a_kl_that_comes_with_the_sample_is_taken():
    assert elbo_loss(PARAMS, keys(), X, model=model(Together))[1].kl_per_dimension.tolist() == [[7.0, 7.0]] * 3


def test_a_draw_is_the_first_sample_of_a_bound():
    one = draw(PARAMS, keys(), X, model=model(Plain))
    log_likelihood, log_ratio = weigh(PARAMS, one, X, model=model(Plain))
    _, terms = elbo_loss(PARAMS, keys(), X, model=model(Plain))
    np.testing.assert_allclose(log_likelihood, terms.log_likelihood, rtol=1e-6)
    np.testing.assert_allclose(log_ratio, terms.kl, rtol=1e-6)


class Both:
    """Distribution of a dict: real values where they were observed, and which were."""

    def __init__(self, z):
        self.values, self.observed = Normal(z, jnp.zeros_like(z), event_ndim=0), Bernoulli(z)

    def sample(self, key):
        raise NotImplementedError

    def log_prob(self, x):
        seen = jnp.where(x["observed"] == 1, self.values.log_prob(x["values"]), 0.0).sum(-1)
        return seen + self.observed.log_prob(x["observed"])


def corrupt(key, x, level):
    return {**x, "values": CORRUPTIONS["noise"](key, x["values"], level)}


TREES = Functions(
    encode=lambda params, x: Normal(x["values"] * params["mean"], jnp.zeros_like(x["values"])),
    decode=lambda params, z: Both(z + params["b"]),
    prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
)
TREE = {"values": X, "observed": jnp.array([[1, 0], [1, 1], [0, 1]], jnp.int8)}


@pytest.mark.quick_rows("elbo", "iwae")
@pytest.mark.parametrize("name", [*OBJECTIVES, "dreg"])
def test_an_example_may_be_a_tree_and_padding_may_hold_anything(name):
    objective = {**OBJECTIVES, "denoising": denoising(elbo_loss, corrupt, 0.3)}.get(name)
    objective = functools.partial(objective or functools.partial(iwae_loss, gradient="dreg"), model=TREES)
    loss = jax.jit(jax.value_and_grad(objective, has_aux=True))
    (value, _), gradient = loss(PARAMS, keys(2), jax.tree.map(lambda a: a[:2], TREE))
    spoilt = {**TREE, "values": TREE["values"].at[2].set(jnp.nan)}
    (padded, _), padded_gradient = loss(PARAMS, keys(), spoilt, weights=jnp.array([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(padded, value, rtol=1e-5)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), padded_gradient, gradient)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            {**TREE, "observed": TREE["observed"][:2]},
            r"x\['values'\] \(3, 2\) must have one row per example, as x\['obs",
        ),
        ({**TREE, "values": np.array(["a"])}, r"x\['values'\]: real numbers .* got <U1"),
        ({}, "x: an array or a dict of arrays is wanted"),
    ],
)
def test_a_tree_that_is_no_batch_is_named(x, message):
    with pytest.raises((TypeError, ValueError), match=message):
        elbo_loss(PARAMS, keys(), x, model=TREES)


def test_wrappers_keep_the_rest_of_a_model():
    class Rich:
        encode, decode, prior = (staticmethod(function) for function in model(Plain))
        scale = 3.0

    def with_scale(params, key, x, *, model, condition=None):
        loss, terms = elbo_loss(params, key, x, model=model, condition=condition)
        return loss * model.scale, terms

    value, _ = denoising(with_scale, CORRUPTIONS["noise"], 0.0)(PARAMS, keys(), X, model=Rich)
    np.testing.assert_allclose(value, 3.0 * elbo_loss(PARAMS, keys(), X, model=Rich)[0], rtol=1e-6)

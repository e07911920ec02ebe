"""A posterior and a prior over different values are refused; those over the same are scored."""

import jax
import jax.numpy as jnp
import numpyro.distributions as numpyro
import pytest

from jaxvae import Functions, elbo_loss, kl_divergence
from jaxvae.distributions import (
    Bernoulli,
    Categorical,
    Chain,
    ContinuousBernoulli,
    Delta,
    MultivariateNormal,
    Normal,
    kl,
    register_kl,
)
from jaxvae.errors import InputError
from jaxvae.objectives import importance_weighted_bound, iwae_loss, piwae_loss

ZEROS = jnp.zeros((3, 2))
NORMAL, BERNOULLI, CATEGORICAL = Normal(ZEROS, ZEROS), Bernoulli(ZEROS), Categorical(jnp.zeros((3, 2, 4)))
CHAIN = Chain(NORMAL, (lambda value: Normal(value, value),))
REFUSED = {
    "coins and a normal": (BERNOULLI, NORMAL),
    "a normal and coins": (NORMAL, BERNOULLI),
    "classes and a normal": (CATEGORICAL, NORMAL),
    "classes and coins": (CATEGORICAL, BERNOULLI),
    "pixels and a normal": (ContinuousBernoulli(ZEROS), NORMAL),
    "coins and another library's normal": (BERNOULLI, numpyro.Normal(ZEROS, 1.0)),
    "another library's coins and a normal": (numpyro.Bernoulli(logits=ZEROS), NORMAL),
    "another library's both": (numpyro.Bernoulli(logits=ZEROS), numpyro.Normal(ZEROS, 1.0).to_event(1)),
}
SCORED = {
    "two normals": (NORMAL, MultivariateNormal(ZEROS, jnp.broadcast_to(jnp.eye(2), (3, 2, 2)))),
    "a point": (Delta(ZEROS), NORMAL),
    "a point among coins": (Delta(ZEROS), BERNOULLI),
    "another library's normal": (NORMAL, numpyro.Normal(ZEROS, 1.0)),
    "another library's coins": (numpyro.Bernoulli(logits=ZEROS), BERNOULLI),
    "layers": (CHAIN, CHAIN),
}


def model(q, p):
    return Functions(lambda params, x: q, lambda params, z: NORMAL, lambda params: p)


@pytest.mark.parametrize("name", REFUSED)
def test_other_values_are_refused(name):
    q, p = REFUSED[name]
    message = rf"prior: {type(p).__name__} is over other values than the posterior, {type(q).__name__}"
    with pytest.raises(InputError, match=message):
        kl_divergence(q, p, ZEROS)
    for objective in (elbo_loss, iwae_loss, piwae_loss, importance_weighted_bound):
        with pytest.raises(InputError, match=message):
            objective(None, jax.random.key(0), ZEROS, model=model(q, p), num_samples=2)


@pytest.mark.parametrize("name", SCORED)
def test_the_same_values_are_scored(name):
    q, p = SCORED[name]
    loss, _ = elbo_loss(None, jax.random.key(0), ZEROS, model=model(q, p))
    assert jnp.isfinite(loss)


def test_layers_are_compared_one_by_one():
    coins = Chain(NORMAL, (Chain,), backwards=True)
    assert CHAIN.support == ("real", None)
    assert coins.support[1] == "real"
    with pytest.raises(InputError, match="prior: Chain is over other values"):
        kl_divergence(Chain(NORMAL, ()), Chain(BERNOULLI, ()), (ZEROS,))


def test_a_registered_closed_form_is_taken_at_its_word(monkeypatch):
    monkeypatch.setattr(kl, "_CLOSED_FORMS", dict(kl._CLOSED_FORMS))
    register_kl(Bernoulli, Normal)(lambda q, p: q.logits + 1)
    assert kl_divergence(BERNOULLI, NORMAL).tolist() == [2, 2, 2]

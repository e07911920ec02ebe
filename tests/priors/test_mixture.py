"""Mixture of normals as a prior: its start, its gradients, its density."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_loss
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Real
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.nets import MLP
from jaxvae.posteriors import POSTERIORS
from jaxvae.priors import MixturePrior, NormalMixture

X = jnp.float32(np.random.default_rng(0).random((8, 6)) < 0.4)


def mixture_vae(posterior="normal"):
    return assemble(
        Facts(Real((6,)), 2),
        networks=MLP((8,)),
        posterior=POSTERIORS[posterior](),
        prior=NormalMixture(5),
        likelihood=LIKELIHOODS["bernoulli"](),
    )


@pytest.mark.slow
def test_every_parameter_learns():
    model = mixture_vae()
    params = model.init(jax.random.key(0), X)
    gradient, terms = jax.jit(jax.grad(lambda p: elbo_loss(p, jax.random.key(1), X, model=model), has_aux=True))(params)
    assert all((leaf != 0).any() for leaf in jax.tree.leaves(gradient))
    assert terms.kl.shape == (8,)
    assert model.sample(params, jax.random.key(2), 3).shape == (3, 6)


def test_one_component_at_zero_is_the_standard_prior():
    prior = MixturePrior((2,), 1)
    params = {"prior": jax.tree.map(jnp.zeros_like, prior.init(jax.random.key(0), X))}
    z = jax.random.normal(jax.random.key(1), (7, 2))
    np.testing.assert_allclose(prior(params).log_prob(z), -0.5 * (z**2).sum(-1) - np.log(2 * np.pi), rtol=1e-6)


def test_values_of_several_axes():
    prior = MixturePrior((2, 3), 4)
    d = prior({"prior": prior.init(jax.random.key(0), X)})
    assert d.sample(jax.random.key(1)).shape == (2, 3)
    assert d.log_prob(jnp.zeros((5, 2, 3))).shape == (5,)


def test_refuses_several_layers():
    with pytest.raises(InputError, match="prior: mixture needs a z of one array"):
        mixture_vae("layers")

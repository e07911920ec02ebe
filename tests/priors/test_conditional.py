"""Prior of a condition: a normal for each, learned, and refused where there is no condition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Categories, Pixels
from jaxvae.errors import InputError
from jaxvae.objectives import elbo_loss
from jaxvae.options import given
from jaxvae.priors import Conditional

SPACE, CONDITIONS = Pixels((4, 4, 1), "binary"), Categories(3)


@pytest.fixture(scope="module")
def model():
    recipe = given(
        preset="vae", condition="label", latent_dim=2, hidden=(8,), prior="conditional", likelihood="bernoulli"
    )
    return recipe.build(SPACE, condition_space=CONDITIONS)


@pytest.fixture(scope="module")
def params(model):
    return model.init(jax.random.key(0), SPACE.zeros(1), CONDITIONS.zeros(1))


def test_each_condition_has_its_own_normal(model, params):
    prior = model.prior(params, jnp.eye(3))
    assert prior.mean.shape == (3, 2)
    assert len(np.unique(np.asarray(prior.mean).round(5), axis=0)) == 3


def test_with_the_posteriors_mean_and_variance_the_kl_is_0(model, params):
    """Encoder and prior whose outputs are constants: the same constants have no KL, others that of two normals."""
    zero = jax.tree.map(jnp.zeros_like, {name: params[name] for name in ("encoder", "prior")})
    x, y = jax.random.bernoulli(jax.random.key(1), 0.5, (5, *SPACE.shape)).astype(float), jnp.eye(3)[jnp.arange(5) % 3]
    _, terms = elbo_loss({**params, **zero}, jax.random.key(2), x, model=model, condition=y)
    np.testing.assert_allclose(terms.kl, 0, atol=1e-6)
    zero["prior"]["output"]["bias"] = jnp.array([1.0, -2.0, 0.0, 0.0])
    _, terms = elbo_loss({**params, **zero}, jax.random.key(2), x, model=model, condition=y)
    np.testing.assert_allclose(terms.kl, (1 + 4) / 2, rtol=1e-6)


def test_samples_follow_their_conditions(model, params):
    prior = {**params["prior"], "output": jax.tree.map(jnp.zeros_like, params["prior"]["output"])}
    prior["output"]["bias"] = jnp.array([3.0, 0.0, -40.0, -40.0])
    z = model.prior({**params, "prior": prior}, jnp.eye(3)).sample(jax.random.key(0))
    np.testing.assert_allclose(z, [[3.0, 0.0]] * 3, atol=1e-6)
    assert model.sample(params, jax.random.key(0), 3, jnp.eye(3)).shape == (3, *SPACE.shape)


def test_it_needs_a_condition():
    with pytest.raises(InputError, match="prior: conditional needs a condition"):
        given(preset="vae", prior="conditional", likelihood="bernoulli").build(SPACE)
    with pytest.raises(InputError, match="hidden: must be"):
        Conditional(hidden=(0,))

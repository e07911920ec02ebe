"""Hybrid of ELBO and prediction: it is affine in the weight, and has the ELBO and the prediction as its ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.model import Functions
from jaxvae.objectives import elbo_loss, hybrid_loss

PARAMS = {"encoder": jnp.array([0.5, 0.3]), "decoder": jnp.array(2.0), "prior": jnp.array(1.5)}


def zeros_like(x):
    return jnp.zeros_like(x)


MODEL = Functions(
    encode=lambda params, x, c: Normal(params["encoder"][0] * x + params["encoder"][1] * c, zeros_like(x)),
    decode=lambda params, z, c: Normal(params["decoder"] * z + c, zeros_like(z)),
    prior=lambda params, c: Normal(params["prior"] * c, zeros_like(c)),
)
X, C = jax.random.normal(jax.random.key(0), (2, 6, 3))


def loss(weight, key=1, **options):
    return hybrid_loss(PARAMS, jax.random.key(key), X, model=MODEL, condition=C, prediction_weight=weight, **options)


def test_without_prediction_it_is_the_elbo():
    def elbo(params):
        return elbo_loss(params, jax.random.key(1), X, model=MODEL, condition=C)[0]

    def hybrid(params):
        return hybrid_loss(params, jax.random.key(1), X, model=MODEL, condition=C, prediction_weight=0.0)[0]

    values, gradients = zip(jax.value_and_grad(elbo)(PARAMS), jax.value_and_grad(hybrid)(PARAMS))
    assert values[0] == pytest.approx(float(values[1]), rel=1e-6)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5), *gradients)


def test_it_is_affine_in_the_weight():
    ends, middle = [loss(weight)[0] for weight in (0.0, 1.0)], loss(0.25)[0]
    assert middle == pytest.approx(float(0.75 * ends[0] + 0.25 * ends[1]), rel=1e-6)


def test_the_prediction_is_that_of_the_prior():
    """E log N(x; 2 z + c, 1) with z ~ N(1.5 c, 1) is log N(x; 4 c, 1) - 2 per dimension."""
    keys = jax.random.split(jax.random.key(3), 4000)
    found = jax.vmap(lambda key: hybrid_loss(PARAMS, key, X, model=MODEL, condition=C)[1].prediction)(keys)
    wanted = (-0.5 * jnp.square(X - 4 * C) - 0.5 * jnp.log(2 * jnp.pi) - 2).sum(-1)
    error = found.std(0) / len(keys) ** 0.5
    assert (jnp.abs(found.mean(0) - wanted) < 6 * error).all()


def test_padding_and_keys_per_example():
    weights = jnp.array([1.0, 1, 1, 0, 0, 0])
    keys = jax.random.split(jax.random.key(5), 6)
    whole = hybrid_loss(PARAMS, keys, X, model=MODEL, condition=C, weights=weights)[0]
    part = hybrid_loss(PARAMS, keys[:3], X[:3], model=MODEL, condition=C[:3])[0]
    assert whole == pytest.approx(float(part), rel=1e-6)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(weight):
    with pytest.raises(InputError, match="prediction_weight: must be from 0 to 1"):
        loss(weight)

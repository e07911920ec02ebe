"""Distributions with the methods of distrax and TensorFlow Probability, against jaxvae's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss
from jaxvae.distributions import Normal, foreign
from jaxvae.distributions.sampling import point, sample_and_log_prob
from jaxvae.objectives import iwae_loss

MEAN, LOG_VAR = jnp.array([[0.5, -1.0], [2.0, 0.1]]), jnp.array([[0.1, -0.4], [-1.0, 0.3]])
ZEROS = jnp.zeros(2)


class Fake:
    """Elementwise normal as in distrax: the seed by keyword, moments as methods."""

    event_shape = ()

    def __init__(self, mean, log_var):
        self._mean, self._log_var = mean, log_var

    def sample(self, *, seed):
        return Normal(self._mean, self._log_var).sample(seed)

    def log_prob(self, value):
        return Normal(self._mean, self._log_var, event_ndim=0).log_prob(value)

    def mean(self):
        return self._mean

    def mode(self):
        raise NotImplementedError


class Together(Fake):
    def sample_and_log_prob(self, *, seed):
        value = self.sample(seed=seed)
        return value, self.log_prob(value)


def model(wrap):
    return Functions(
        encode=lambda params, x: wrap(x + params, LOG_VAR),
        decode=lambda params, z: wrap(z, jnp.zeros_like(z)),
        prior=lambda params: wrap(ZEROS, ZEROS),
    )


@pytest.mark.parametrize("family", [Fake, Together])
def test_a_foreign_distribution_is_what_it_wraps(family):
    d, own = foreign(family(MEAN, LOG_VAR)), Normal(MEAN, LOG_VAR)
    value, log_q = sample_and_log_prob(d, jax.random.key(0))
    np.testing.assert_array_equal(value, own.sample(jax.random.key(0)))
    if family is Together:
        np.testing.assert_allclose(log_q, own.log_prob(value), rtol=1e-6)
    else:
        assert log_q is None
    np.testing.assert_array_equal(point(d), MEAN)


@pytest.mark.parametrize("objective", [elbo_loss, iwae_loss])
@pytest.mark.parametrize("family", [Fake, Together])
def test_a_model_may_return_foreign_distributions(objective, family):
    key, x = jax.random.key(1), jnp.array([[0.3, 0.1], [1.0, -2.0]])
    theirs = objective(0.1, key, x, model=model(lambda *a: foreign(family(*a))))
    assert jnp.isfinite(theirs[0])
    expected = objective(0.1, key, x, model=model(Sampled))
    np.testing.assert_allclose(theirs[0], expected[0], rtol=1e-5)


class Sampled(Normal):
    """jaxvae's normal, of no known closed form."""

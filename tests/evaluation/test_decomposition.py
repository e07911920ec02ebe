"""The KL in three parts, against the same sums in NumPy and against cases whose parts are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from jaxvae import gaussian_kl, rng
from jaxvae.distributions import MultivariateNormal, Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import decompose_kl

PRIOR = Normal(jnp.zeros(2), jnp.zeros(2))


def test_equal_posteriors_say_nothing_and_hang_together_not_at_all():
    posterior = Normal(jnp.tile(jnp.array([[1.0, -0.5]]), (500, 1)), jnp.tile(jnp.array([[-0.7, 0.2]]), (500, 1)))
    parts = decompose_kl(rng.root(0), posterior, PRIOR)
    assert parts.mutual_information == pytest.approx(0, abs=1e-4)
    assert parts.total_correlation == pytest.approx(0, abs=1e-4)
    assert parts.kl == pytest.approx(float(gaussian_kl(posterior.mean, posterior.log_var)[0]), abs=0.3)


def test_codes_far_apart_say_which_example_it_was():
    means = jnp.stack([100.0 * jnp.arange(64), 100.0 * jnp.arange(64)], axis=1)
    parts = decompose_kl(rng.root(0), Normal(means, jnp.zeros((64, 2))), PRIOR)
    assert parts.mutual_information == pytest.approx(np.log(64), abs=1e-4)
    assert parts.total_correlation == pytest.approx(np.log(64), abs=1e-4)  # either dimension gives the other away


def test_the_parts_are_those_of_their_definitions():
    mean = jax.random.normal(jax.random.key(0), (40, 2))
    posterior = Normal(mean, jnp.full((40, 2), -1.0) + 0.2 * mean)
    parts = decompose_kl(rng.root(3), posterior, PRIOR, block_size=7)
    keys = rng.example_keys(rng.stream(rng.root(3), "decompose_kl"), jnp.arange(40))
    z, scale = np.float64(posterior.sample(keys)), np.exp(0.5 * np.float64(posterior.log_var))
    log_q = norm(np.float64(mean), scale).logpdf(z[:, None])
    own = np.diagonal(log_q.sum(-1))
    together = logsumexp(log_q.sum(-1), axis=1) - np.log(40)
    apart = (logsumexp(log_q, axis=1) - np.log(40)).sum(-1)
    expected = [own - together, together - apart, apart - norm.logpdf(z).sum(-1)]
    np.testing.assert_allclose(parts, np.mean(expected, axis=1), atol=1e-4)
    assert parts.aggregate_kl + parts.mutual_information == pytest.approx(parts.kl)


def test_dimensions_that_cannot_be_scored_one_by_one_are_refused():
    posterior = MultivariateNormal(jnp.zeros((3, 2)), jnp.tile(jnp.eye(2), (3, 1, 1)))
    with pytest.raises(InputError, match="posterior: must be a Normal"):
        decompose_kl(rng.root(0), posterior, PRIOR)


def test_a_bar_moves_and_the_numbers_do_not_depend_on_it():
    means = jax.random.normal(jax.random.key(1), (70, 2))
    posterior, blocks = Normal(means, jnp.zeros((70, 2)) - 1), []
    whole = decompose_kl(rng.root(0), posterior, PRIOR)

    def bar(loop):
        blocks.extend(loop)
        return blocks

    np.testing.assert_allclose(
        decompose_kl(rng.root(0), posterior, PRIOR, block_size=1, progress=bar), whole, rtol=1e-4
    )
    assert blocks == [0, 25, 50]

"""Images of which a part is seen: the hidden pixels alone are scored and sampled."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxvae.data.spaces import QUADRANTS, Quadrants
from jaxvae.distributions import Bernoulli, Completed, GreyCrossEntropy, Normal
from jaxvae.distributions.flags import is_normalized

SHAPE = (5, 7, 2)
RNG = np.random.default_rng(0)
MEAN, LOG_VAR, X = (jnp.asarray(RNG.normal(size=(3, *SHAPE)), jnp.float32) for _ in range(3))
PIXELS = Normal(MEAN, LOG_VAR, event_ndim=3)
SOME = [("bottom-left",), ("top-left", "bottom-left"), ("top-left", "bottom-left", "bottom-right")]


def completed(seen, pixels=PIXELS, given=X):
    quadrants = Quadrants(SHAPE, seen)
    return Completed(pixels, quadrants.of(given), quadrants)


@pytest.mark.parametrize("seen", SOME)
def test_log_prob_is_the_sum_over_hidden_pixels(seen):
    hidden = ~np.broadcast_to(Quadrants(SHAPE, seen).mask, SHAPE)
    each = scipy.stats.norm.logpdf(X, MEAN, np.exp(0.5 * LOG_VAR))
    np.testing.assert_allclose(completed(seen).log_prob(X), each[:, hidden].sum(-1), rtol=1e-5)
    assert Quadrants(SHAPE, seen).num_hidden == hidden.sum()


def test_bits_are_scored_too():
    bits = (X > 0).astype(jnp.float32)
    hidden = ~np.broadcast_to(Quadrants(SHAPE, SOME[0]).mask, SHAPE)
    each = scipy.stats.bernoulli.logpmf(bits, jax.nn.sigmoid(MEAN))
    found = completed(SOME[0], Bernoulli(MEAN, event_ndim=3), bits).log_prob(bits)
    np.testing.assert_allclose(found, each[:, hidden].sum(-1), rtol=1e-5)


def test_with_nothing_seen_it_is_the_distribution_of_the_pixels():
    np.testing.assert_allclose(completed(()).log_prob(X), PIXELS.log_prob(X), rtol=1e-5)
    np.testing.assert_array_equal(completed(()).sample(jax.random.key(0)), PIXELS.sample(jax.random.key(0)))


@pytest.mark.parametrize("seen", SOME)
def test_what_is_seen_stays_and_has_no_gradient(seen):
    mask = np.broadcast_to(Quadrants(SHAPE, seen).mask, SHAPE)
    one = completed(seen)
    for image in (one.mean, one.sample(jax.random.key(1))):
        np.testing.assert_array_equal(np.asarray(image)[:, mask], np.asarray(X)[:, mask])
    np.testing.assert_array_equal(np.asarray(one.mean)[:, ~mask], np.asarray(MEAN)[:, ~mask])
    grads = jax.grad(lambda x: one.log_prob(x).sum())(X)
    assert (np.asarray(grads)[:, mask] == 0).all()
    assert (np.asarray(grads)[:, ~mask] != 0).all()


def test_quadrants_make_up_the_image():
    whole = Quadrants(SHAPE, QUADRANTS)
    assert whole.mask.all()
    assert sum(whole.crop(name, X).size for name in QUADRANTS) == X.size
    np.testing.assert_array_equal(Quadrants(SHAPE, ("bottom-left",)).of(X)[:, 2:, :3], X[:, 2:, :3])


def test_it_is_a_likelihood_where_that_of_the_pixels_is_one():
    assert is_normalized(completed(SOME[0]))
    assert not is_normalized(completed(SOME[0], GreyCrossEntropy(MEAN, event_ndim=3)))
    with pytest.raises(ValueError, match="is no event"):
        completed(SOME[0]).log_prob(X[:, :2])
    assert hash(dataclasses.replace(Quadrants(SHAPE, SOME[0]))) == hash(Quadrants(SHAPE, SOME[0]))

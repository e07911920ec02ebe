"""Log-probabilities of counts of every size against sums of logarithms in long double; numbers that are no counts."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.distributions import GivenTotal, Multinomial, NegativeBinomial, Poisson
from jaxvae.rng import example_keys

COUNTS = [0, 1, 2, 7, 8, 9, 300, 20_000]
LOG_MEANS = np.log(np.float32([1e-30, 1e-8, 0.01, 1, 100, 299, 301, 1.9e4, 2.1e4, 1e8, 1e30]))
LOG_TOTALS = np.float32([-200, np.log(1e-6), -3, 0, 2.05, 2.1, 10, np.log(1e8), 59, 61, 300])


def log_factorial(count):
    return np.log(np.arange(1, count + 1, dtype=np.longdouble)).sum()


def poisson(count, log_rate):
    log_rate = np.longdouble(log_rate)
    return count * log_rate - np.exp(log_rate) - log_factorial(count)


def negative_binomial(count, log_mean, log_total):
    """The Poisson's formula with softplus for exp, and Gamma(x + t) / (Gamma(t) t^x) as a product of x factors."""
    log_mean, log_total = np.longdouble([log_mean, log_total])
    total, odds = np.exp(log_total), log_mean - log_total
    rising = np.log1p(np.arange(count) / total).sum()
    softplus = np.maximum(odds, 0) + np.log1p(np.exp(-abs(odds)))
    return count * log_mean - (count + total) * softplus - log_factorial(count) + rising


def assert_same(got, expected, cases):
    error = np.abs(np.float64(got) - np.float64(expected)) / (1 + np.abs(np.float64(expected)))
    assert error.max() < 1e-4, (cases[error.argmax()], got[error.argmax()], expected[error.argmax()])


def test_poisson_of_every_size():
    cases = np.array(list(itertools.product(COUNTS, LOG_MEANS)))
    got = jax.jit(lambda x, log_rate: Poisson(log_rate, event_ndim=0).log_prob(x))(*jnp.asarray(cases.T, jnp.float32))
    assert_same(got, [poisson(int(count), log_rate) for count, log_rate in cases], cases)


def test_negative_binomial_of_every_size():
    cases = np.array(list(itertools.product(COUNTS, LOG_MEANS, LOG_TOTALS)))
    got = jax.jit(lambda x, *both: NegativeBinomial(*both, event_ndim=0).log_prob(x))(
        *jnp.asarray(cases.T, jnp.float32)
    )
    assert_same(got, [negative_binomial(int(count), *both) for count, *both in cases], cases)


def test_gradients_of_every_size_are_finite_and_vanish_at_the_mean():
    counts, log_totals = jnp.meshgrid(jnp.array([1.0, 9.0, 2e4]), jnp.asarray(LOG_TOTALS))
    for make in (lambda mean: Poisson(mean, 0), lambda mean: NegativeBinomial(mean, log_totals, event_ndim=0)):
        gradient = jax.jit(jax.grad(lambda mean, make=make: make(mean).log_prob(counts).sum()))(jnp.log(counts))
        np.testing.assert_array_less(np.abs(gradient), 1e-6 * counts)


def test_without_dispersion_it_is_a_poisson_distribution():
    log_mean, x = jnp.linspace(-3, 12, 16)[:, None], jnp.arange(16.0)[:, None] ** 4
    dense = NegativeBinomial(log_mean, jnp.float32(50)).log_prob(x)
    np.testing.assert_allclose(dense, Poisson(log_mean).log_prob(x), rtol=1e-6, atol=1e-6)


def test_without_additional_zeros_it_is_not_inflated_and_with_them_alone_it_is_certain():
    log_mean, log_total, x = jnp.linspace(-3, 6, 8)[:, None], jnp.linspace(-1, 2, 8)[:, None], jnp.arange(8.0)[:, None]
    plain = NegativeBinomial(log_mean, log_total).log_prob(x)
    never, always = (NegativeBinomial(log_mean, log_total, jnp.float32(logit)) for logit in (-jnp.inf, 60.0))
    np.testing.assert_allclose(never.log_prob(x), plain, rtol=1e-6)
    np.testing.assert_allclose(always.log_prob(jnp.zeros((8, 1))), 0, atol=1e-6)
    np.testing.assert_allclose(always.log_prob(x)[1:], plain[1:] - 60, rtol=1e-5)


@pytest.mark.parametrize("family", [Poisson(jnp.zeros(1)), NegativeBinomial(jnp.zeros(1), jnp.zeros(1), jnp.zeros(1))])
def test_other_numbers_have_no_probability(family):
    function = jax.jit(jax.value_and_grad(lambda d, value: d.log_prob(value)))
    for value in (-1.0, 0.5, jnp.inf, jnp.nan):
        score, gradient = function(family, jnp.full(1, value))
        assert score == -jnp.inf
        assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradient))


def test_integers_of_every_type_are_counts():
    for dtype in ("uint8", "int32", "float32", "bfloat16"):
        value = jnp.array([200]).astype(dtype)
        assert Poisson(jnp.full(1, 5.0)).log_prob(value) == Poisson(jnp.full(1, 5.0)).log_prob(jnp.array([200.0]))


def test_a_rate_of_zero_is_certain():
    never = Poisson(jnp.full(1, -jnp.inf))
    assert jax.value_and_grad(lambda d: d.log_prob(jnp.zeros(1)))(never)[0] == 0
    assert never.log_prob(jnp.ones(1)) == -jnp.inf
    assert never.sample(jax.random.key(0)) == 0


def test_dispersion_for_all_examples_has_a_key_for_each():
    d = NegativeBinomial(jnp.ones((3, 4)), jnp.zeros(4))
    keys = example_keys(jax.random.key(0), jnp.arange(3))
    row = NegativeBinomial(jnp.ones(4), jnp.zeros(4)).sample(keys[1])
    np.testing.assert_array_equal(d.sample(keys)[1], row)


LOGITS = np.random.default_rng(3).normal(size=4)
ROWS = np.array([row for row in itertools.product(range(6), repeat=4) if sum(row) == 5])


def test_a_bag_is_the_sum_of_all_its_orders():
    """A row of words is a product of categorical variables; the coefficient counts the rows of one bag."""
    log_p = special.log_softmax(LOGITS)
    orders = np.array(list(itertools.product(range(4), repeat=5)))
    bags = np.array([np.bincount(row, minlength=4) for row in orders])
    got = Multinomial(jnp.asarray(LOGITS), jnp.float32(5)).log_prob(jnp.asarray(ROWS))
    for bag, score in zip(ROWS, got, strict=True):
        same = (bags == bag).all(1)
        assert float(score) == pytest.approx(special.logsumexp(log_p[orders[same]].sum(1)), rel=1e-5)
        assert float(score) == pytest.approx(log_p[orders[same][0]].sum() + np.log(same.sum()), rel=1e-5)
    np.testing.assert_allclose(got, stats.multinomial.logpmf(ROWS, 5, np.exp(log_p)), rtol=1e-5)
    assert np.exp(got).sum() == pytest.approx(1, rel=1e-5)


def test_large_documents_keep_their_digits():
    logits, words = np.random.default_rng(4).normal(size=(2, 3000)), np.array([2_000, 200_000])
    shares = special.softmax(logits, -1)
    x = np.stack([np.random.default_rng(5).multinomial(num, row) for num, row in zip(words, shares)])
    got = Multinomial(jnp.asarray(logits), jnp.asarray(words, jnp.float32)).log_prob(jnp.asarray(x))
    expected = [stats.multinomial.logpmf(row, num, share) for row, num, share in zip(x, words, shares)]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_another_total_has_no_probability():
    d = Multinomial(jnp.zeros(3), jnp.float32(4))
    function = jax.jit(jax.value_and_grad(lambda d, value: d.log_prob(value)))
    for value in ([1.0, 1, 1], [2.0, 2, 1], [4.5, -0.5, 0], [jnp.nan, 2, 2]):
        score, gradient = function(d, jnp.array(value))
        assert score == -jnp.inf
        assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradient))


LOG_SHARES = special.log_softmax(np.random.default_rng(6).normal(size=(2, 3)), -1)
SHARES = {
    "poisson": (Poisson(jnp.asarray(LOG_SHARES)), lambda x, mean: stats.poisson.logpmf(x, mean).sum(1)),
    "negative_binomial": (
        NegativeBinomial(jnp.asarray(LOG_SHARES), jnp.float32(np.log(2.5))),
        lambda x, mean: stats.nbinom.logpmf(x, 2.5, 2.5 / (2.5 + mean)).sum(1),
    ),
    "multinomial": (
        Multinomial(jnp.asarray(LOG_SHARES), jnp.ones(())),
        lambda x, mean: [stats.multinomial.logpmf(*row) for row in zip(x, x.sum(1), mean / mean.sum(1, keepdims=True))],
    ),
}


@pytest.mark.parametrize("name", SHARES)
def test_means_are_shares_of_the_total_of_each_example(name):
    shares, log_prob = SHARES[name]
    d, x = GivenTotal(shares, jnp.float32(30)), np.array([[3, 0, 9], [200, 11, 40]])
    np.testing.assert_allclose(
        d.log_prob(jnp.asarray(x)), log_prob(x, np.exp(LOG_SHARES) * x.sum(1)[:, None]), rtol=2e-5
    )
    np.testing.assert_allclose(d.mean, 30 * np.exp(LOG_SHARES), rtol=1e-5)
    np.testing.assert_allclose(d.like(jnp.asarray(x)).mean, np.exp(LOG_SHARES) * x.sum(1)[:, None], rtol=1e-5)
    assert d.sample(jax.random.key(0)).shape == (2, 3)
    several = jnp.stack([jnp.asarray(x), jnp.asarray(x[::-1])])
    np.testing.assert_allclose(d.log_prob(several)[0], d.log_prob(jnp.asarray(x)), rtol=1e-6)


@pytest.mark.parametrize("name", SHARES)
def test_an_example_without_counts_has_a_finite_gradient(name):
    function = jax.jit(jax.value_and_grad(lambda d: d.log_prob(jnp.zeros((2, 3))).sum()))
    score, gradient = function(GivenTotal(SHARES[name][0], 1.0))
    assert np.isfinite(score)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))

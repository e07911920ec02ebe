"""Whatever comes: never a finite number that is wrong, and a finite one where float32 can hold it.

The reference is textbook formulas in float64, whose terms also say how much a float32 sum of them may be off.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from jaxvae.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    GreyCrossEntropy,
    Normal,
    Poisson,
    kl_divergence,
)

pytestmark = pytest.mark.slow
SHAPE = (4, 3)
EDGES = [0.0, 1e-30, 1e-4, 0.299, 0.301, 0.5, 1.0, 2.0, 17.0, 88.0, 255.0, 1e4, 1e18]


def hostile(bound):
    """`[4, 3]` float32 with what is rarely thought of; infinities and NaN too."""
    edges = [sign * edge for edge in EDGES if edge <= bound for sign in (1, -1)]
    usual = st.floats(-float(np.float32(bound)), float(np.float32(bound)), width=32, allow_subnormal=False)
    return arrays(
        np.float32, SHAPE, elements=st.sampled_from([*edges, np.inf, -np.inf, np.nan]) | usual, fill=st.nothing()
    )


REAL, LOG_VAR, PIXEL = hostile(1e18), hostile(100.0), hostile(300.0)
CLASSES = arrays(np.int32, SHAPE, elements=st.integers(-2, 6) | st.sampled_from([-(2**31), 2**31 - 1]))


def cross_entropy(x, logits):
    certain = np.where(x == (logits > 0), 0, np.where(np.isnan(x), x, -np.inf))
    joint = np.where(np.isinf(logits), certain, x * logits)
    return np.where((x < 0) | (x > 1), -np.inf, joint), np.where(np.isinf(logits), 0, -np.logaddexp(0, logits))


def continuous_bernoulli(x, logits):
    size = np.abs(logits)
    rest = np.where(size < 1e-3, size**2 / 24 - size / 2, np.log(-np.expm1(-size) / np.where(size, size, 1)))
    return np.where((x < 0) | (x > 1), -np.inf, x * logits), -np.maximum(logits, 0), -rest


def normal(x, mean, log_var):
    return -0.5 * np.log(2 * np.pi), -0.5 * log_var, -0.5 * ((x - mean) * np.exp(-0.5 * log_var)) ** 2


def categorical(x, logits):
    there = (x >= 0) & (x < 3)
    chosen = np.take_along_axis(logits, np.where(there, x, 0).astype(int)[:, None], 1)[:, 0]
    return np.where(there, chosen, -np.inf), -special.logsumexp(logits, 1)


def poisson(x, log_rate):
    joint = np.where(x == 0, 0, x * log_rate)
    return np.where((x >= 0) & (x % 1 == 0), joint, -np.inf), -np.exp(log_rate), -special.gammaln(np.abs(x) + 1)


def normal_kl(mean, log_var, prior_mean, prior_log_var):
    ratio = log_var - prior_log_var
    return 0.5 * np.expm1(ratio), -0.5 * ratio, 0.5 * ((mean - prior_mean) * np.exp(-0.5 * prior_log_var)) ** 2


def bernoulli_kl(q, p):
    certain = np.where(np.isinf(q), np.logaddexp(0, -np.sign(q) * p), special.expit(q) * (q - p))
    return certain, *(np.where(np.isinf(q), 0, sign * np.logaddexp(0, d)) for d, sign in ((q, -1), (p, 1)))


LOG_PROBS = {
    "bernoulli": (Bernoulli, cross_entropy, PIXEL, [REAL]),
    "grey_cross_entropy": (GreyCrossEntropy, cross_entropy, PIXEL, [REAL]),
    "continuous_bernoulli": (ContinuousBernoulli, continuous_bernoulli, PIXEL, [REAL]),
    "normal": (Normal, normal, REAL, [REAL, LOG_VAR]),
    "poisson": (Poisson, poisson, PIXEL, [REAL]),
    "categorical": (
        lambda logits: Categorical(logits, event_ndim=0),
        categorical,
        CLASSES.map(lambda x: x[:, 0]),
        [REAL],
    ),
}
KLS = {
    "normal": (Normal, normal_kl, [REAL, LOG_VAR]),
    "bernoulli": (Bernoulli, bernoulli_kl, [REAL]),
}


def assert_never_wrong(got, terms):
    """Finite where the exact sum of the terms is and float32 can hold each of them; right where it is finite."""
    terms = np.stack(np.broadcast_arrays(*terms))
    axes = (0, *range(2, terms.ndim))
    exact, size = terms.sum(axes), np.abs(terms).sum(axes)
    got = np.asarray(got, np.float64)
    finite = np.isfinite(got)
    assert np.isfinite(exact[finite]).all(), (got, exact)
    np.testing.assert_array_less(np.abs(got[finite] - exact[finite]), 1e-5 * size[finite] + 1e-5)
    assert finite[size < 1e37].all(), (got, exact)


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", LOG_PROBS)
def test_log_prob(name):
    make, formula, values, parameters = LOG_PROBS[name]
    log_prob = jax.jit(lambda x, *parameters: make(*parameters).log_prob(x))

    @given(values, st.tuples(*parameters))
    def check(x, parameters):
        doubles = [np.float64(parameter) for parameter in parameters]
        assert_never_wrong(log_prob(x, *parameters), formula(np.float64(x), *doubles))

    check()


@np.errstate(all="ignore")
@pytest.mark.parametrize("name", KLS)
def test_kl(name):
    make, formula, parameters = KLS[name]
    num = len(parameters)
    kl = jax.jit(lambda *both: kl_divergence(make(*both[:num]), make(*both[num:])))

    @given(st.tuples(*parameters, *parameters))
    def check(both):
        assert_never_wrong(kl(*both), formula(*map(np.float64, both)))

    check()


@pytest.mark.parametrize("make", [Bernoulli, GreyCrossEntropy, ContinuousBernoulli])
def test_means_and_samples_of_pixels_are_pixels(make):
    both = jax.jit(lambda logits: (make(logits).mean, make(logits).sample(jax.random.key(0))))

    @given(REAL)
    def check(logits):
        for pixels in both(logits):
            wrong = ~((pixels >= 0) & (pixels <= 1))
            assert not np.isfinite(logits[wrong]).any()

    check()


@np.errstate(all="ignore")
def test_a_normal_sample_is_the_mean_and_so_many_deviations():
    sample = jax.jit(lambda mean, log_var: Normal(mean, log_var).sample(jax.random.key(0)))
    noise = np.float64(sample(jnp.zeros(SHAPE), jnp.zeros(SHAPE)))

    @given(REAL, LOG_VAR)
    def check(mean, log_var):
        terms = np.float64(mean), np.exp(0.5 * np.float64(log_var)) * noise
        assert_never_wrong(sample(mean, log_var).ravel(), [term.ravel() for term in terms])

    check()

"""Annealed importance sampling of linear-Gaussian models, where log p(x) is known: weights are unbiased both ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from jaxvae import Functions
from jaxvae.distributions import Categorical, Chain, Delta, GreyCrossEntropy, Normal, PlanarFlow
from jaxvae.errors import InputError
from jaxvae.evaluation import annealed_log_likelihood, bidirectional
from jaxvae.evaluation.hmc import Path, hmc_step, leapfrog, point_at

W = np.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -0.4]])
B = np.array([0.5, -1.0, 0.2])
S = 0.6
X = np.array([[0.3, -2.0, 1.1], [1.5, 0.4, -0.2], [-0.9, 0.1, 0.6]])
PARAMS = {"W": np.float32(W), "b": np.float32(B)}
KEY = jax.random.key(0)


def exact(x, loadings=W, offset=B):
    """Log N(x; b, W W^T + s^2 I)."""
    return multivariate_normal(cov=loadings @ loadings.T + S**2 * np.eye(3)).logpdf(x - offset)


def assert_mean(samples, expected):
    """Their mean is the expected one, within six standard errors."""
    assert abs(samples.mean() - expected) < 6 * samples.std(ddof=1) / len(samples) ** 0.5


def likelihood(mean):
    return Normal(mean, jnp.full(3, 2 * np.log(S)))


LINEAR_GAUSSIAN = Functions(
    encode=lambda params, x: Delta(x[:, :2]),  # from the prior, the posterior does not matter
    decode=lambda params, z: likelihood(z @ params["W"].T + params["b"]),
    prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
)


@pytest.fixture(scope="module")
def estimate():
    # Two by two, the last block filled up; the last example is so far out that its log p(x) overflows.
    x = np.float32([*X, np.full(3, 1e25)])
    options = {"num_temperatures": 150, "num_chains": 600, "num_leapfrog": 4, "block_size": 2}
    return annealed_log_likelihood(PARAMS, KEY, x, model=LINEAR_GAUSSIAN, **options)


def test_it_is_the_evidence_of_the_linear_gaussian_model(estimate):
    np.testing.assert_allclose(estimate.log_px[:3], exact(X), atol=0.05)
    np.testing.assert_allclose(estimate.acceptance[:3], 0.65, atol=0.05)


def test_where_float32_ends_there_is_no_nan(estimate):
    assert estimate.log_px[3] == -np.inf
    assert estimate.acceptance[3] == 0


FEW = {"model": LINEAR_GAUSSIAN, "num_temperatures": 8, "num_chains": 2, "num_leapfrog": 3}


@pytest.mark.slow
def test_noise_does_not_depend_on_the_blocks():
    shown = []

    def progress(blocks):
        shown.extend(blocks)
        return blocks

    options = {**FEW, "num_temperatures": 1}  # no steps of HMC, which enlarge rounding
    whole = annealed_log_likelihood(PARAMS, KEY, np.float32(X), block_size=5, **options)
    blocks = annealed_log_likelihood(PARAMS, KEY, np.float32(X), block_size=2, progress=progress, **options)
    np.testing.assert_allclose(blocks.log_px, whole.log_px, atol=1e-4)
    assert len(set(whole.log_px)) == 3
    assert shown == [0, 2]


def sandwich(num_temperatures):
    return bidirectional(PARAMS, KEY, 2000, block_size=2000, **{**FEW, "num_temperatures": num_temperatures})


@pytest.fixture(scope="module")
def few():
    return sandwich(8)


def test_weights_are_unbiased_both_ways(few):
    """E[w] = p(x) upwards and E[w'] = 1 / p(x) downwards, which holds only while every HMC step leaves its density."""
    log_px = exact(few.x)
    assert_mean(np.exp(few.lower - log_px), 1.0)
    assert_mean(np.exp(log_px - few.upper), 1.0)


def test_the_truth_lies_between(few):
    log_px = exact(few.x)
    for error in (log_px - few.lower, few.upper - log_px):
        assert error.mean() > 6 * error.std() / len(error) ** 0.5


@pytest.mark.slow
def test_more_temperatures_close_the_gap(few):
    assert 0 < sandwich(64).gap < 0.3 * few.gap


V = np.array([[0.8, -0.3], [0.2, 0.9]])


class Linear:
    """z -> N(V z, 1/4 I), as a link of a chain."""

    def __call__(self, value):
        return Normal(value @ jnp.float32(V.T), jnp.full(2, np.log(0.25)))


jax.tree_util.register_static(Linear)
TWO_LAYERS = Functions(
    encode=lambda params, x, c: Chain(Normal(0.3 * x[:, :2], jnp.full((len(x), 2), -1.0)), (Linear(),)),
    decode=lambda params, z, c: likelihood(z[0] @ params["W"].T + c),
    prior=lambda params, c: Chain(Normal(jnp.zeros(2), jnp.zeros(2)), (Linear(),), backwards=True),
)


@pytest.mark.slow
def test_from_the_posterior_of_several_layers_under_a_condition_it_is_the_evidence_too():
    """z2 ~ N(0, I), z1 ~ N(V z2, 1/4 I), x ~ N(W z1 + c, s^2 I)."""
    condition = np.float32([[0.5, -1.0, 0.2], [0.0, 0.3, -0.7], [1.0, 1.0, 1.0]])
    options = {"num_temperatures": 100, "num_chains": 600, "num_leapfrog": 4, "start": "posterior"}
    estimate = annealed_log_likelihood(PARAMS, KEY, np.float32(X), model=TWO_LAYERS, condition=condition, **options)
    covariance_of_z = V @ V.T + 0.25 * np.eye(2)
    truth = exact(X, W @ np.linalg.cholesky(covariance_of_z), condition)
    np.testing.assert_allclose(estimate.log_px, truth, atol=0.05)


PRECISION = np.array([[9.0, 3.0], [3.0, 2.0]])
CENTRE = np.array([1.0, -2.0])
GAUSSIAN = Path(
    log_start=lambda z: -0.5 * jnp.square(z).sum(),
    log_ratio=lambda z: -0.5 * (z - CENTRE) @ jnp.float32(PRECISION) @ (z - CENTRE),
)


def test_a_step_leaves_the_density_between_as_it_is():
    """At temperature t it is the normal of precision I + t P and mean (I + t P)^-1 t P c."""
    temperature, num = 0.4, 20_000
    covariance = np.linalg.inv(np.eye(2) + temperature * PRECISION)
    mean = covariance @ (temperature * PRECISION @ CENTRE)
    z = np.float32(np.random.default_rng(0).multivariate_normal(mean, covariance, num))

    @jax.jit
    @jax.vmap
    def step(key, z):
        options = {"temperature": temperature, "step_size": 0.8, "num_leapfrog": 3}
        point, acceptance = hmc_step(key, point_at(GAUSSIAN, z), GAUSSIAN, **options)
        return point.z, acceptance

    moved, acceptance = (np.asarray(a) for a in step(jax.random.split(KEY, num), z))
    rejected = (moved == z).all(axis=1)
    assert_mean(rejected - (1.0 - acceptance), 0.0)
    assert 0.2 < rejected.mean() < 0.8  # so that what is not accepted matters
    whitened = (moved - mean) @ np.linalg.cholesky(np.linalg.inv(covariance))
    for moment, expected in ((whitened, 0.0), (whitened**2, 1.0), (whitened**4, 3.0)):
        for values in moment.T:
            assert_mean(values, expected)
    assert_mean(whitened.prod(axis=1), 0.0)


def test_the_way_of_leapfrog_leads_back():
    z, velocity = jnp.array([0.3, -1.0]), jnp.array([-1.5, 4.0])

    @jax.jit
    def walk(z, velocity):
        options = {"temperature": 0.7, "step_size": 0.3, "num_leapfrog": 7}
        point, velocity = leapfrog(point_at(GAUSSIAN, z), velocity, GAUSSIAN, **options)
        return point.z, velocity

    there, velocity_there = walk(z, velocity)
    back, velocity_back = walk(there, -velocity_there)
    assert abs(there - z).max() > 0.5
    np.testing.assert_allclose(back, z, atol=1e-5)
    np.testing.assert_allclose(velocity_back, -velocity, atol=1e-5)


DELTA_PRIOR = Functions(LINEAR_GAUSSIAN.encode, LINEAR_GAUSSIAN.decode, lambda params: Delta(jnp.zeros(2)))
BENT = LINEAR_GAUSSIAN._replace(
    encode=lambda params, x: PlanarFlow(
        Normal(x[:, :2], 0 * x[:, :2]), *jnp.ones((2, len(x), 1, 2)), jnp.ones((len(x), 1))
    )
)
CODES = LINEAR_GAUSSIAN._replace(prior=lambda params: Categorical(jnp.zeros((2, 3))))
GREY = Functions(LINEAR_GAUSSIAN.encode, lambda params, z: GreyCrossEntropy(z @ params["W"].T), LINEAR_GAUSSIAN.prior)
REFUSED = {
    "delta prior": ({"model": DELTA_PRIOR}, r"start: the model's prior is a Delta, without a density"),
    "delta posterior": ({"start": "posterior"}, r"start: the model's posterior is a Delta"),
    "flow without an inverse": ({"model": BENT, "start": "posterior"}, r"start posterior: .* PlanarFlow has only that"),
    "codes": ({"model": CODES}, r"start: the model's prior, Categorical, is of whole numbers"),
    "start": ({"start": "encoder"}, r"start: must be one of prior, posterior, got 'encoder'"),
    "count": ({"num_chains": 0}, r"num_chains: must be 1 or more, got 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_annealed_is_refused(case):
    options, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        annealed_log_likelihood(PARAMS, KEY, np.float32(X), **{**FEW, **options})


def test_what_is_no_likelihood_simulates_nothing():
    with pytest.raises(InputError, match="model: its likelihood is GreyCrossEntropy, which cannot simulate examples"):
        bidirectional(PARAMS, KEY, 3, **{**FEW, "model": GREY})

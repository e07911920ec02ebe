"""log p(x) by quadrature against the linear-Gaussian model, where it is known, however narrow the posterior."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest
from scipy import stats

from jaxvae import Functions
from jaxvae.distributions import Bernoulli, ContinuousBernoulli, GreyCrossEntropy, Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import log_evidence, log_joint

OFFSET = np.array([0.5, -1.0, 0.2])
ROTATION = np.array([[0.8, -0.6], [0.6, 0.8]])


def linear_gaussian(dim):
    """p(z) = N(0, I), p(x|z) = N(W z + b, s^2 I)."""
    return Functions(
        encode=lambda params, x: None,  # quadrature asks no encoder
        decode=lambda params, z: Normal(z @ params["W"].T + OFFSET, 2 * jnp.log(params["scale"])),
        prior=lambda params: Normal(jnp.zeros(dim), jnp.zeros(dim)),
    )


MODELS = {dim: linear_gaussian(dim) for dim in (1, 2)}


def with_posterior_widths(*widths):
    """Parameters whose posterior is about as wide as said along the axes of a rotated ellipse."""
    dim, scale = len(widths), min(widths)
    directions = np.linalg.qr(np.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -0.4]])[:, :dim])[0]
    turn = ROTATION if dim == 2 else np.eye(1)
    return {"W": directions @ np.diag(scale / np.array(widths)) @ turn, "scale": scale}


def examples(params):
    """Some that the model may well draw, the last a long way out."""
    z = np.array([[0.313, -0.871], [-1.77, 0.04], [3.3, -2.9]])[:, : params["W"].shape[1]]
    return z @ params["W"].T + OFFSET + params["scale"] * np.array([0.3, -1.0, 0.5])


def exact(params, x):
    covariance = params["W"] @ params["W"].T + params["scale"] ** 2 * np.eye(3)
    return stats.multivariate_normal(OFFSET, covariance).logpdf(x)


WIDTHS = [(0.7,), (0.03,), (0.003,), (0.9, 0.5), (0.1, 0.03), (0.05, 0.005)]


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_it_is_the_linear_gaussian_models_evidence(widths):
    params = with_posterior_widths(*widths)
    x = examples(params)
    evidence = log_evidence(params, jnp.float32(x), model=MODELS[len(widths)])
    np.testing.assert_allclose(evidence.log_px, exact(params, x), atol=1e-3)
    assert (evidence.error < 1e-3).all()


def test_examples_in_blocks_are_the_same_examples():
    params = with_posterior_widths(0.1, 0.03)
    x = jnp.float32(examples(params))
    whole = log_evidence(params, x, model=MODELS[2])
    alone = log_evidence(params, x, model=MODELS[2], block_size=1)
    np.testing.assert_allclose(alone.log_px, whole.log_px, atol=1e-5)


@pytest.mark.parametrize("tolerance", [3.0, 0.1, 1e-3])
def test_the_error_is_as_small_as_asked_for_and_no_less_than_the_truth(tolerance):
    params = with_posterior_widths(0.08, 0.06)
    x = examples(params)
    evidence = log_evidence(params, jnp.float32(x), model=MODELS[2], tolerance=tolerance)
    assert (evidence.error <= tolerance).all()
    assert (abs(evidence.log_px - exact(params, x)) <= evidence.error + 1e-4).all()


def test_the_error_says_that_there_were_too_few_points():
    params = with_posterior_widths(0.05, 0.005)
    x = examples(params)
    evidence = log_evidence(params, jnp.float32(x), model=MODELS[2], max_points=700)
    off = abs(evidence.log_px - exact(params, x))
    assert off.max() > 0.1
    assert (evidence.error > off).all()


def test_the_error_says_that_the_region_is_too_small():
    params = with_posterior_widths(0.5)
    x = 9.0 * params["W"].T + OFFSET
    small, large = (log_evidence(params, x, model=MODELS[1], half_width=width) for width in (5.0, 12.0))
    assert small.error.item() > 0.1
    assert small.log_px.item() < exact(params, x) - 0.1
    np.testing.assert_allclose(large.log_px, exact(params, x), atol=1e-3)


def test_two_narrow_modes_are_found():
    """p(x|z) = N(z^2, s^2) has a mode at either root of x."""
    scale, x = 0.05, np.array([0.5, 2.2, 7.0])
    model = Functions(
        encode=None,
        decode=lambda params, z: Normal(jnp.square(z), jnp.full_like(z, 2 * np.log(scale))),
        prior=lambda params: Normal(jnp.zeros(1), jnp.zeros(1)),
    )

    z = np.linspace(-6, 6, 20_001)
    joint = stats.norm.pdf(x[:, None], z**2, scale) * stats.norm.pdf(z)
    evidence = log_evidence(None, jnp.float32(x)[:, None], model=model)
    np.testing.assert_allclose(evidence.log_px, np.log(np.trapezoid(joint, z)), atol=1e-3)


FAMILIES = {
    "bernoulli": lambda z: Bernoulli(z, event_ndim=2),
    "continuous_bernoulli": lambda z: ContinuousBernoulli(z, event_ndim=2),
    "grey_cross_entropy": lambda z: GreyCrossEntropy(z, event_ndim=2),
    "normal": lambda z: Normal(z, 0.3 * z, event_ndim=2),
    "numpyro": lambda z: numpyro.Bernoulli(logits=z),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_joint_of_all_pairs_is_that_of_each(family):
    """In particular where all pairs come from one matrix product."""
    keys = jax.random.split(jax.random.key(0), 3)
    weights = 2 * jax.random.normal(keys[0], (2, 5, 4))
    x = jax.random.bernoulli(keys[1], 0.5, (3, 5, 4)).astype(jnp.float32)
    z = jax.random.normal(keys[2], (7, 2))
    prior = numpyro.Normal(jnp.zeros(2), jnp.ones(2)) if family == "numpyro" else Normal(jnp.zeros(2), jnp.zeros(2))
    model = Functions(None, lambda params, z: FAMILIES[family](jnp.tensordot(z, params, 1)), lambda params: prior)

    def pair(one, point):
        log_likelihood = model.decode(weights, point[None]).log_prob(one[None]).sum()
        return log_likelihood + jax.scipy.stats.norm.logpdf(point).sum()

    @jax.jit
    def both(x, z):
        each = jax.vmap(lambda one: jax.vmap(lambda point: pair(one, point))(z))(x)
        return log_joint(weights, x, z, model=model), each

    np.testing.assert_allclose(*both(x, z), rtol=1e-4)


def test_more_than_two_dimensions_are_refused():
    with pytest.raises(InputError, match=r"1 or 2 latent dimensions, the prior has 3; use importance_weighted_bound"):
        log_evidence(None, jnp.zeros((1, 3)), model=linear_gaussian(3))

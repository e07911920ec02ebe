"""Free bits in their four meanings, against the formulas by hand in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss
from jaxvae.distributions import MultivariateNormal, Normal
from jaxvae.errors import InputError
from jaxvae.objectives import batch_free_bits_loss

KEY = jax.random.key(0)
X = jnp.array([[0.2, 2.0], [1.0, 0.4], [0.1, 0.3]])
KL = np.float64(X) ** 2 / 2
"""KL of each example and dimension: posteriors N(x, I), prior N(0, I)."""
WEIGHTS = np.array([1.0, 2.0, 0.5])
BY_HAND = {
    "dimension": lambda free: np.maximum(KL, free).sum(1),
    "total": lambda free: np.maximum(KL.sum(1), free),
    "mask": lambda free: np.where(free < KL, KL, 0).sum(1),
}
BELOW = {
    "dimension": lambda free: free > KL,
    "total": lambda free: (KL.sum(1) < free)[:, None] & np.ones_like(KL, bool),
    "mask": lambda free: free > KL,
}
MODEL = Functions(
    encode=lambda shift, x: Normal(x + shift, jnp.zeros_like(x)),
    decode=lambda shift, z: Normal(0 * z, jnp.zeros_like(z)),
    prior=lambda shift: Normal(jnp.zeros(2), jnp.zeros(2)),
)


def loss_and_gradient(loss, **options):
    """Mean KL that the loss counts, and its gradient in the posterior means `[B, D]`."""

    def counted(shift):
        value, terms = loss(shift, jax.random.clone(KEY), X, model=MODEL, weights=jnp.array(WEIGHTS), **options)
        return value + jnp.average(jax.lax.stop_gradient(terms.log_likelihood), weights=WEIGHTS)

    return jax.value_and_grad(counted)(jnp.zeros_like(X))


@pytest.mark.parametrize("free", [0.0, 0.06, 0.3, 1.9, 9.0])
@pytest.mark.parametrize("of", BY_HAND)
def test_of_each_example(of, free):
    value, gradient = loss_and_gradient(elbo_loss, free_bits=free, free_bits_of=of, beta=2.0)
    assert value == pytest.approx(2 * np.average(BY_HAND[of](free), weights=WEIGHTS), rel=1e-5, abs=1e-6)
    slope = 2 * np.where(BELOW[of](free), 0, X) * WEIGHTS[:, None] / WEIGHTS.sum()
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("free", [0.0, 0.1, 0.4, 9.0, [0.4, 0.4], [0.2, 9.0]])
def test_of_the_mean_of_the_batch(free):
    free = np.array(free)
    value, gradient = loss_and_gradient(batch_free_bits_loss, free_bits=jnp.array(free), beta=2.0)
    mean = np.average(KL, axis=0, weights=WEIGHTS)
    assert value == pytest.approx(2 * np.maximum(mean, free).sum(), rel=1e-5)
    slope = 2 * np.where(mean < free, 0, X) * WEIGHTS[:, None] / WEIGHTS.sum()
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)


def test_the_mean_of_the_batch_lets_an_example_say_little():
    """One dimension is above its free bits on average, though two of three examples are below."""
    free = 0.3
    assert (KL[:, 1] < free).sum() == 2
    _, by_batch = loss_and_gradient(batch_free_bits_loss, free_bits=free)
    _, by_example = loss_and_gradient(elbo_loss, free_bits=free)
    assert (by_batch[:, 1] > 0).all()
    assert (by_example[1:, 1] == 0).all()


def test_padding_has_no_part_in_the_mean():
    padded = jnp.concatenate([X, jnp.full((1, 2), jnp.nan)])
    weights = jnp.array([*WEIGHTS, 0.0])
    loss, terms = batch_free_bits_loss(jnp.zeros((4, 2)), KEY, padded, model=MODEL, weights=weights, free_bits=0.2)
    mean = np.average(KL, axis=0, weights=WEIGHTS)
    expected = np.maximum(mean, 0.2).sum() - np.average(terms.log_likelihood[:3], weights=WEIGHTS)
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("of", ["dimension", "mask"])
def test_dimensions_without_a_kl_of_their_own_have_free_bits_together_alone(of):
    full = MODEL._replace(prior=lambda shift: MultivariateNormal(jnp.zeros(2), jnp.eye(2)))
    options = {"model": full, "free_bits": 9.0}
    with pytest.raises(InputError, match=r"free_bits: .* give free_bits_of total"):
        elbo_loss(jnp.zeros_like(X), KEY, X, free_bits_of=of, **options)
    with pytest.raises(InputError, match=r"free_bits: .* give free_bits_of total"):
        batch_free_bits_loss(jnp.zeros_like(X), KEY, X, **options)
    value, terms = elbo_loss(jnp.zeros_like(X), KEY, X, free_bits_of="total", **options)
    assert value == pytest.approx(float(9 - terms.log_likelihood.mean()), rel=1e-6)


def test_other_meanings_and_shapes_are_refused():
    with pytest.raises(InputError, match=r"free_bits_of: must be one of dimension, total, mask, got 'totl'.*total"):
        elbo_loss(jnp.zeros_like(X), KEY, X, model=MODEL, free_bits=0.1, free_bits_of="totl")
    with pytest.raises(ValueError, match=r"free_bits \(2,\) of the total must be one number, or one per example"):
        elbo_loss(jnp.zeros_like(X), KEY, X, model=MODEL, free_bits=jnp.ones(2), free_bits_of="total")

"""Ways in which published likelihoods came out wrong, one test each; what other files test is not repeated here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_terms, presets, rng
from jaxvae.data import Split
from jaxvae.data.batches import sequential_batches
from jaxvae.data.spaces import Pixels
from jaxvae.distributions import Bernoulli, Normal
from jaxvae.evaluation import evaluate_elbo, log_marginal_likelihood
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.options import given
from jaxvae.runs.evaluation import evaluate_split
from jaxvae.runs.parts import build_parts

GREY = np.full((40, 3, 3, 1), 102, np.uint8)  # 0.4 of full scale
BINARIZED = Pixels((3, 3, 1), "ink", binarize=True)


def model_and_params():
    model = presets.build("vae", (3, 3, 1), latent_dim=2, hidden=(8,))
    return model, jax.jit(model.init)(rng.root(0), jnp.zeros((1, 3, 3, 1)))


def scored(images, **options):
    model, params = model_and_params()
    batches = sequential_batches(images, rng.root(1), batch_size=16, space=BINARIZED)
    return evaluate_elbo(params, rng.root(2), batches, model=model, **options)


def test_pixels_are_drawn_and_not_cut_at_a_half():
    """A threshold leaves images of far less entropy: all of these would be empty."""
    (batch,) = sequential_batches(GREY, rng.root(0), batch_size=40, space=BINARIZED)
    assert set(np.unique(batch.x)) == {0.0, 1.0}
    assert batch.x.mean() == pytest.approx(0.4, abs=6 * (0.24 / 360) ** 0.5)


@pytest.mark.slow
def test_a_short_last_batch_is_scored_and_weighs_what_it_holds():
    assert scored(GREY).num_examples == 40
    assert scored(GREY).elbo == pytest.approx(scored(GREY[:32]).elbo * 32 / 40 + _tail() * 8 / 40, rel=1e-6)


def _tail():
    model, params = model_and_params()
    *_, last = sequential_batches(GREY, rng.root(1), batch_size=16, space=BINARIZED)
    keys = rng.example_keys(rng.stream(rng.root(2), "evaluate"), last.ids)
    return float(np.float64(elbo_terms(params, keys, last.x, model=model).elbo)[:8].mean())


def test_the_bound_is_taken_at_draws_of_the_posterior_and_not_at_its_mean():
    """At the mean log q is at its highest: what comes out bounds nothing."""
    model, params = model_and_params()
    x = jnp.asarray(GREY[:5] / 255).round()
    at_mean = model.decode(params, model.encode(params, x).mean).log_prob(x)
    one, other = (elbo_terms(params, rng.root(seed), x, model=model).log_likelihood for seed in (0, 1))
    assert (abs(one - at_mean) > 1e-6).all()
    assert (one != other).all()


def test_weights_are_averaged_over_samples_before_logarithms_are_over_images():
    model = Functions(
        encode=lambda params, x: Normal(jnp.zeros((len(x), 1)), jnp.zeros((len(x), 1))),
        decode=lambda params, z: Bernoulli(5 * z),
        prior=lambda params: Normal(jnp.zeros(1), jnp.zeros(1)),
    )
    x = np.array([[0.0], [1.0]], np.float32)
    estimate = log_marginal_likelihood(None, rng.root(0), x, model=model, num_samples=4000)
    # By symmetry p(x) is 1/2; the mean of the log-likelihoods, or a mean over images first, is another number.
    np.testing.assert_allclose(estimate.log_px, np.log(0.5), atol=0.06)


@pytest.mark.parametrize("options", [{"beta": 0.2}, {"free_bits": 3.0}, {"beta_warmup_steps": 9}])
def test_nothing_of_the_training_loss_is_left_on_when_a_split_is_scored(options):
    recipes = [given(preset="vae", hidden=(8,), latent_dim=2, **one) for one in ({}, options)]
    params = model_and_params()[1]
    models = [build_parts(recipe, BINARIZED).model for recipe in recipes]
    split = Split(GREY, space=BINARIZED)
    scores = [evaluate_split(model, params, split, seed=0, reports_elbo=True) for model in models]
    assert scores[0] == scores[1]
    assert scores[0]["elbo"] == pytest.approx(scores[0]["log_likelihood"] - scores[0]["kl"])
    assert scores[0]["kl"] == pytest.approx(sum(scores[0]["kl_per_dimension"]), rel=1e-6)


@pytest.mark.parametrize("name", [name for name, row in LIKELIHOODS.items() if row.support == "binary"])
def test_no_probability_is_kept_from_0_and_1(name):
    """A clamp of 1e-3 costs 0.8 nats on an MNIST image, and hides a confident mistake."""
    head = LIKELIHOODS[name]().build(None)
    sure = head(jnp.full((1, 784), 30.0))
    assert sure.log_prob(jnp.ones((1, 784))) == pytest.approx(0, abs=1e-9)
    assert head(jnp.full((1, 784), 200.0)).log_prob(jnp.zeros((1, 784))) == pytest.approx(-200 * 784)

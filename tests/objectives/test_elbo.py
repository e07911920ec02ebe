"""The loss and its terms: what each argument does, on models small enough to say what must come out."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest

from jaxvae import VAE, Functions, elbo_loss, elbo_terms, rng
from jaxvae.distributions import Bernoulli, MultivariateNormal, Normal, kl, register_kl
from jaxvae.errors import InputError
from jaxvae.nets import MLPDecoder, MLPEncoder
from jaxvae.priors import StandardNormal

STATIC = ("model", "num_samples", "free_bits")
jitted_terms = jax.jit(elbo_terms, static_argnames=STATIC[:2])
loss_and_gradient = jax.jit(jax.value_and_grad(elbo_loss, has_aux=True), static_argnames=STATIC)
KEY = jax.random.key(0)
IDS = jnp.array([3, 14, 15, 92])


def small_vae(width=8, **pieces):
    return VAE(MLPEncoder((width,), 4), MLPDecoder((width,), (3, 3, 1)), StandardNormal(2), **pieces)


MODEL = small_vae()


@pytest.fixture(scope="module")
def x():
    return jax.random.bernoulli(jax.random.key(1), 0.5, (4, 3, 3, 1)).astype(jnp.float32)


@pytest.fixture(scope="module")
def params(x):
    return jax.jit(MODEL.init)(jax.random.key(2), x)


def example_keys(ids=IDS):
    return rng.example_keys(KEY, ids)


def assert_trees_close(actual, expected):
    jax.tree.map(lambda a, e: np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6), actual, expected)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 4.0])
def test_loss_is_minus_the_mean_of_log_likelihood_less_beta_times_kl(params, x, beta):
    loss, terms = elbo_loss(params, KEY, x, model=MODEL, beta=beta)
    assert loss == -(terms.log_likelihood - beta * terms.kl).mean()
    assert terms.kl.min() > 0.01  # so that beta matters


def test_terms_add_up(params, x):
    terms = elbo_terms(params, KEY, x, model=MODEL)
    assert terms.kl_per_dimension.shape == (4, 2)
    np.testing.assert_array_equal(terms.kl, terms.kl_per_dimension.sum(-1))
    np.testing.assert_array_equal(terms.elbo, terms.log_likelihood - terms.kl)
    assert -elbo_loss(params, KEY, x, model=MODEL)[0] == pytest.approx(float(terms.elbo.mean()))


def test_beta_may_be_traced_and_changes_without_a_retrace(params, x):
    traces = []

    @jax.jit
    def loss(beta):
        traces.append(beta)
        return elbo_loss(params, KEY, x, model=MODEL, beta=beta)[0]

    for beta in (0.0, 0.5, 2.0):
        assert loss(beta) == pytest.approx(float(elbo_loss(params, KEY, x, model=MODEL, beta=beta)[0]), rel=1e-5)
    assert len(traces) == 1


def test_an_equal_model_built_again_does_not_retrace(params, x):
    traces = []

    def counting_likelihood(outputs):
        traces.append(outputs)
        return Bernoulli(outputs, event_ndim=3)

    loss = jax.jit(elbo_loss, static_argnames="model")
    loss(params, KEY, x, model=small_vae(likelihood=counting_likelihood))
    count = len(traces)
    loss(params, KEY, x, model=small_vae(likelihood=counting_likelihood))
    assert len(traces) == count
    other = small_vae(width=5, likelihood=counting_likelihood)
    loss(jax.jit(other.init)(jax.random.key(2), x), KEY, x, model=other)
    assert len(traces) > count


def test_terms_average_the_draws_and_draw_k_is_the_same_however_many_there_are(params, x):
    @jax.jit
    def draw(key):
        return MODEL.decode(params, MODEL.encode(params, x).sample(key)).log_prob(x)

    draws = [draw(key) for key in rng.sample_keys(jax.random.key(5), 3)]
    for num_samples in (1, 3):
        terms = jitted_terms(params, jax.random.key(5), x, model=MODEL, num_samples=num_samples)
        np.testing.assert_allclose(terms.log_likelihood, np.mean(draws[:num_samples], axis=0), rtol=1e-5)
    assert abs(draws[1] - draws[0]).min() > 1e-4


def test_with_a_key_each_examples_are_independent_of_their_order(params, x):
    order = jnp.array([2, 0, 3, 1])
    terms = jitted_terms(params, example_keys(), x, model=MODEL, num_samples=2)
    permuted = jitted_terms(params, example_keys(IDS[order]), x[order], model=MODEL, num_samples=2)
    assert_trees_close(permuted, jax.tree.map(lambda term: term[order], terms))


def test_with_a_key_each_examples_are_independent_of_the_batch_size(params, x):
    terms = jitted_terms(params, example_keys(), x, model=MODEL)
    part = jitted_terms(params, example_keys(IDS[:1]), x[:1], model=MODEL)
    assert_trees_close(part, jax.tree.map(lambda term: term[:1], terms))


def test_the_same_example_meets_other_noise_under_another_key(params, x):
    terms = jitted_terms(params, example_keys(), jnp.broadcast_to(x[:1], x.shape), model=MODEL)
    assert len(np.unique(terms.log_likelihood)) == 4
    assert len(np.unique(terms.kl)) == 1


def test_padding_changes_neither_loss_nor_gradient(params, x):
    weights = jnp.array([1.0, 1.0, 0.0, 0.0])
    (alone, _), gradient = loss_and_gradient(params, example_keys(IDS[:2]), x[:2], model=MODEL)
    (padded, _), padded_gradient = loss_and_gradient(params, example_keys(), x, model=MODEL, weights=weights)
    assert_trees_close((padded, padded_gradient), (alone, gradient))


def test_weights_weigh(params, x):
    weights = jnp.array([1.0, 2.0, 0.0, 0.5])
    loss, terms = elbo_loss(params, KEY, x, model=MODEL, weights=weights)
    assert loss == pytest.approx(-np.average(terms.elbo, weights=weights), rel=1e-5)


def test_a_batch_of_nothing_but_padding_adds_nothing(params, x):
    (value, _), gradient = loss_and_gradient(params, KEY, x, model=MODEL, weights=jnp.zeros(4))
    assert value == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (4, 1)])
def test_weights_of_a_wrong_shape_are_named(params, x, shape):
    with pytest.raises(ValueError, match=r"weights \(.*\) .* one number per example.* \(4,\)"):
        elbo_loss(params, KEY, x, model=MODEL, weights=jnp.ones(shape))


def fixed_normal(mean):
    """q(z|x) = N(mean, I) for every x, p(x|z) = N(z, I): the KL of dimension d is mean_d^2 / 2."""
    return Functions(
        encode=lambda params, x: Normal(jnp.broadcast_to(params, x.shape), jnp.zeros_like(x)),
        decode=lambda params, z: Normal(jnp.zeros_like(z), jnp.zeros_like(z)),
        prior=lambda params: Normal(jnp.zeros(len(mean)), jnp.zeros(len(mean))),
    )


@pytest.mark.parametrize(
    ("free_bits", "charged", "slope"),
    [(0.0, 0.02 + 2.0, [0.2, 2.0]), (0.5, 0.5 + 2.0, [0.0, 2.0]), (3.0, 3.0 + 3.0, [0.0, 0.0])],
)
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_free_bits_are_charged_per_dimension_while_the_terms_stay_true(free_bits, charged, slope, beta):
    mean, x = jnp.array([0.2, 2.0]), jnp.ones((4, 2))
    (value, terms), gradient = loss_and_gradient(mean, KEY, x, model=fixed_normal(mean), free_bits=free_bits, beta=beta)
    np.testing.assert_allclose(terms.kl_per_dimension, jnp.broadcast_to(mean**2 / 2, (4, 2)), rtol=1e-6)
    assert value == pytest.approx(float(beta * charged - terms.log_likelihood.mean()), rel=1e-6)
    np.testing.assert_allclose(gradient, beta * np.array(slope), rtol=1e-6)


def test_free_bits_may_be_traced_one_per_dimension_or_one_per_example():
    mean, x = jnp.array([0.2, 2.0]), jnp.ones((4, 2))
    kl, model = np.asarray(mean**2 / 2), fixed_normal(mean)

    def charged(free):
        value, terms = elbo_loss(mean, jax.random.clone(KEY), x, model=model, free_bits=free)
        return value + terms.log_likelihood.mean()

    for free in (0.0, 0.5, 3.0):
        expected = np.maximum(kl, free).sum()
        for call, many in ((charged, jnp.float32(free)), (jax.jit(charged), free), (charged, jnp.full(4, free))):
            assert call(many) == pytest.approx(expected, rel=1e-5)
    assert charged(jnp.array([0.5, 3.0])) == pytest.approx(0.5 + 3.0, rel=1e-5)
    per_example = jnp.array([0.0, 0.5, 3.0, 0.0])
    expected = np.maximum(kl, per_example[:, None]).sum(1).mean()
    assert charged(per_example) == charged(per_example[:, None]) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(
        ValueError, match=r"free_bits \(3,\) must be one number, one per dimension of the KL, \(2,\), or"
    ):
        charged(jnp.ones(3))


ESTIMATED = Functions(
    encode=lambda params, x: Normal(x, jnp.zeros_like(x)),
    decode=lambda params, z: Normal(z, jnp.zeros_like(z)),
    prior=lambda params: numpyro.Normal(jnp.zeros(2), 1.5),
)


def test_an_estimated_kl_below_zero_is_charged_where_nothing_is_free(monkeypatch):
    """A sampled KL may be negative; a schedule that ends at 0 charges what a plain 0 charges."""
    monkeypatch.setattr(kl, "_CLOSED_FORMS", dict(kl._CLOSED_FORMS))

    @register_kl(Normal, numpyro.Normal)
    def per_dimension(q, p, value):
        return dataclasses.replace(q, event_ndim=0).log_prob(value) - p.log_prob(value)

    loss = jax.jit(lambda free: elbo_loss(None, KEY, jnp.zeros((64, 2)), model=ESTIMATED, free_bits=free))
    value, terms = loss(0.0)
    assert (terms.kl_per_dimension < 0).any()
    assert value == pytest.approx(float(-terms.elbo.mean()), rel=1e-6)


@pytest.mark.parametrize("free_bits", [0.1, jnp.array([0.1, 0.2])])
def test_free_bits_need_a_kl_for_each_dimension(free_bits):
    full = ESTIMATED._replace(prior=lambda params: MultivariateNormal(jnp.zeros(2), jnp.eye(2)))
    for model in (ESTIMATED, full):
        with pytest.raises(InputError, match=r"free_bits: .* KL of all dimensions together"):
            elbo_loss(None, KEY, jnp.zeros((2, 2)), model=model, free_bits=free_bits)


def test_the_condition_reaches_encoder_decoder_and_prior():
    seen, condition, x = {}, jnp.arange(4), jnp.ones((4, 2))

    def remember(name):
        def normal(*arguments):
            seen[name] = arguments[-1]
            return Normal(jnp.zeros((4, 2)), jnp.zeros((4, 2)))

        return normal

    elbo_loss(None, KEY, x, model=Functions(*map(remember, Functions._fields)), condition=condition)
    assert all(seen[name] is condition for name in ("encode", "decode", "prior"))


@pytest.mark.parametrize(("event_ndim", "shape"), [(0, r"\(4, 2\)"), (2, r"\(\)")])
def test_a_likelihood_of_a_wrong_shape_is_named(event_ndim, shape):
    model = fixed_normal(jnp.zeros(2))._replace(decode=lambda params, z: Normal(z, jnp.zeros_like(z), event_ndim))
    with pytest.raises(ValueError, match=rf"log_likelihood has shape {shape} for x of shape \(4, 2\)"):
        elbo_loss(jnp.zeros(2), KEY, jnp.ones((4, 2)), model=model)


def test_a_posterior_of_a_wrong_shape_is_named():
    model = fixed_normal(jnp.zeros(2))._replace(encode=lambda params, x: Normal(x[0], x[0]))
    with pytest.raises(ValueError, match=r"kl has shape \(\) for x of shape \(4, 2\)"):
        elbo_loss(jnp.zeros(2), KEY, jnp.ones((4, 2)), model=model)


@pytest.mark.parametrize("log_var", [-50.0, 50.0])
@pytest.mark.parametrize("scale", [-1e4, 1e4])
def test_extremes_stay_finite_in_value_and_gradient(log_var, scale):
    model = Functions(
        encode=lambda params, x: Normal(params["mean"] * x, params["log_var"] * jnp.ones_like(x)),
        decode=lambda params, z: Bernoulli(params["logit"] + 0 * z),
        prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
    )
    params = {"mean": jnp.float32(scale), "log_var": jnp.float32(log_var), "logit": jnp.float32(scale)}
    x = jnp.array([[0.0, 1.0], [1.0, 0.0]])
    (loss, _), gradient = loss_and_gradient(params, KEY, x, model=model)
    assert jnp.isfinite(loss)
    assert all(jnp.isfinite(leaf) and leaf != 0 for leaf in gradient.values())

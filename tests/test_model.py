"""VAE: shapes, purity and equality of its methods, with and without a condition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import VAE, distributions, elbo_loss, likelihoods, posteriors, priors
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Real
from jaxvae.errors import InputError
from jaxvae.evaluation import log_marginal_likelihood
from jaxvae.facts import Facts
from jaxvae.nets import MLP, MLPDecoder, MLPEncoder
from jaxvae.priors import StandardNormal

SHAPE, D = (4, 3, 1), 2
X = jnp.linspace(0, 1, 60).reshape(5, *SHAPE)
LABELS = jnp.eye(3)[jnp.array([0, 1, 2, 0, 1])]


def make_model(width=6, posterior="normal", likelihood="bernoulli"):
    return assemble(
        Facts(Real(SHAPE), D),
        networks=MLP((width,)),
        posterior=posteriors.POSTERIORS[posterior](),
        prior=priors.PRIORS["layers" if posterior == "layers" else "standard"](),
        likelihood=likelihoods.LIKELIHOODS[likelihood](),
    )


MODEL = make_model()
init = jax.jit(MODEL.init)
sample = jax.jit(MODEL.sample, static_argnums=2)


@pytest.fixture(scope="module", params=[None, LABELS], ids=["unconditional", "conditional"])
def condition(request):
    return request.param


@pytest.fixture(scope="module")
def params(condition):
    return init(jax.random.key(0), X, condition)


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


@pytest.mark.parametrize("posterior", ["normal", "multivariate_normal", "delta"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "normal_pixel"])
def test_shapes(posterior, likelihood):
    model = make_model(posterior=posterior, likelihood=likelihood)

    def everything(*keys):
        params = model.init(keys[0], X)
        q = model.encode(params, X)
        z = q.sample(keys[1])
        p = model.decode(params, z)
        codes, images = (z, q.mean), (p.mean, p.sample(keys[2]), model.reconstruct(params, X))
        return params, codes, images, (q.log_prob(z), p.log_prob(X)), model.sample(params, keys[3], 7)

    params, codes, images, scores, sample = jax.eval_shape(everything, *map(jax.random.key, range(4)))
    assert set(params) == {"encoder", "decoder"}
    assert all(code.shape == (5, D) for code in codes)
    assert all(image.shape == X.shape for image in images)
    assert all(score.shape == (5,) for score in scores)
    assert sample.shape == (7, *SHAPE)


def test_prior_is_a_standard_normal(params, condition):
    prior = MODEL.prior(params, condition)
    assert isinstance(prior, distributions.Normal)
    assert_same((prior.mean, prior.log_var), (jnp.zeros(D), jnp.zeros(D)))


def test_init_is_pure(params, condition):
    assert_same(init(jax.random.key(0), X, condition), params)
    other = init(jax.random.key(1), X, condition)
    assert (other["encoder"]["output"]["kernel"] != params["encoder"]["output"]["kernel"]).all()
    assert (other["decoder"]["output"]["kernel"] != params["decoder"]["output"]["kernel"]).all()


def test_init_needs_shapes_only(params, condition):
    """One blank example gives the same parameters as five real ones."""
    blank = None if condition is None else jnp.zeros((1, 3))
    assert_same(init(jax.random.key(0), jnp.zeros((1, *SHAPE)), blank), params)


def test_sample_is_pure(params, condition):
    first = sample(params, jax.random.key(1), 5, condition)
    assert_same(sample(params, jax.random.key(1), 5, condition), first)
    assert (sample(params, jax.random.key(2), 5, condition) != first).any()


def test_more_samples_begin_with_the_same_ones(params, condition):
    few = sample(params, jax.random.key(1), 3, condition if condition is None else condition[:3])
    many = sample(params, jax.random.key(1), 5, condition)
    np.testing.assert_allclose(many[:3], few, rtol=1e-6)
    assert len(np.unique(many.reshape(5, -1), axis=0)) == 5


def test_sample_is_the_mean_of_the_decoder_at_draws_from_the_prior():
    """With a decoder that passes z through, the samples are N(0, I) within six standard errors."""
    model = VAE(MLPEncoder((), 2 * D), MLPDecoder((), (D,)), StandardNormal(D), likelihood=likelihoods.FixedNormal())
    params = {"decoder": {"output": {"kernel": jnp.eye(D), "bias": jnp.zeros(D)}}}
    z = np.asarray(model.sample(params, jax.random.key(0), 5000))
    np.testing.assert_array_less(abs(z.mean(0)), 6 / 5000**0.5)
    np.testing.assert_array_less(abs(z.var(0) - 1), 6 * (2 / 5000) ** 0.5)
    assert abs(np.mean(z[:, 0] * z[:, 1])) < 6 / 5000**0.5


def test_sample_jits_with_a_static_number(params, condition):
    jitted = sample(params, jax.random.key(1), 5, condition)
    np.testing.assert_allclose(jitted, MODEL.sample(params, jax.random.key(1), 5, condition), rtol=1e-6)


def test_reconstruct_decodes_the_posteriors_mean(params, condition):
    z = MODEL.encode(params, X, condition).mean
    assert_same(MODEL.reconstruct(params, X, condition), MODEL.decode(params, z, condition).mean)


def test_the_condition_reaches_both_networks():
    params, other = init(jax.random.key(0), X, LABELS), LABELS[::-1]
    z = jnp.ones((5, D))
    changed = [0, 1, 3, 4]  # in the middle both say class 2
    encoded = (MODEL.encode(params, X, c).mean for c in (LABELS, other))
    decoded = (MODEL.decode(params, z, c).mean.reshape(5, -1) for c in (LABELS, other))
    for first, second in (encoded, decoded):
        np.testing.assert_array_equal(np.flatnonzero((first != second).any(-1)), changed)


def test_models_compare_by_value():
    assert make_model() == MODEL
    assert hash(make_model()) == hash(MODEL)
    assert make_model(width=7) != MODEL
    assert make_model(posterior="multivariate_normal") != MODEL
    assert make_model(likelihood="mse") != MODEL
    assert VAE(MODEL.encoder, MODEL.decoder, StandardNormal(D + 1)) != MODEL


def test_pieces_that_carry_numbers_compare_by_value():
    assert likelihoods.FixedNormal(0.5) == likelihoods.FixedNormal(0.5) != likelihoods.FixedNormal(0.6)
    assert StandardNormal(2) == StandardNormal(2) != StandardNormal(3)


def prior_of_the_condition(params, condition=None):
    return distributions.Normal(condition @ params["prior"], jnp.full((len(condition), D), -40.0))


@pytest.fixture(scope="module")
def of_the_condition(params_of_labels):
    model = VAE(MODEL.encoder, MODEL.decoder, prior_of_the_condition)
    return model, {**params_of_labels, "prior": jnp.arange(6.0).reshape(3, D)}


@pytest.fixture(scope="module")
def params_of_labels():
    return init(jax.random.key(0), X, LABELS)


def test_a_prior_of_the_condition_is_drawn_from_row_by_row(of_the_condition):
    """Its variance is next to nothing: each sample is the decoded mean of its own condition."""
    model, params = of_the_condition
    expected = model.decode(params, LABELS @ params["prior"], LABELS).mean
    np.testing.assert_allclose(model.sample(params, jax.random.key(1), 5, LABELS), expected, rtol=1e-5)
    keys = jax.random.split(jax.random.key(2), 5)
    np.testing.assert_allclose(jax.jit(model.sample_each)(params, keys, LABELS), expected, rtol=1e-5)


def test_a_prior_of_the_condition_has_noise_of_its_own_for_each():
    model = VAE(
        MLPEncoder((), 2 * D),
        MLPDecoder((), (D,)),
        lambda params, condition: distributions.Normal(jnp.zeros((len(condition), D)), jnp.zeros((len(condition), D))),
        likelihood=likelihoods.FixedNormal(),
    )
    kernel = jnp.concatenate([jnp.eye(D), jnp.zeros((1, D))])
    params = {"decoder": {"output": {"kernel": kernel, "bias": jnp.zeros(D)}}}
    z = np.asarray(model.sample(params, jax.random.key(0), 5000, jnp.zeros((1, 1))))
    np.testing.assert_array_less(abs(z.mean(0)), 6 / 5000**0.5)
    np.testing.assert_array_less(abs(z.var(0) - 1), 6 * (2 / 5000) ** 0.5)


def test_one_condition_for_all_samples(of_the_condition, params_of_labels):
    for model, params in (of_the_condition, (MODEL, params_of_labels)):
        one = model.sample(params, jax.random.key(1), 4, LABELS[:1])
        each = model.sample(params, jax.random.key(1), 4, jnp.repeat(LABELS[:1], 4, axis=0))
        assert one.shape == (4, *SHAPE)
        assert_same(one, each)


@pytest.mark.parametrize("num", [1, 4, 6])
def test_other_numbers_of_conditions_are_refused(of_the_condition, num):
    model, params = of_the_condition
    with pytest.raises(InputError, match=rf"^condition: shape \(5, 3\) for {num} samples; give \[{num}, "):
        model.sample(params, jax.random.key(1), num, LABELS)


@pytest.mark.slow
def test_a_prior_of_the_condition_is_trained_and_scored(of_the_condition):
    model, params = of_the_condition
    gradient = jax.grad(lambda params: elbo_loss(params, jax.random.key(3), X, model=model, condition=LABELS)[0])
    assert np.isfinite(gradient(params)["prior"]).all()
    scored = log_marginal_likelihood(params, jax.random.key(4), X, model=model, num_samples=2, condition=LABELS)
    assert scored.log_px.shape == (5,)
    assert model.reconstruct(params, X, LABELS).shape == X.shape

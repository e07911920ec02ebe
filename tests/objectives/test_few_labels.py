"""Few labels: the sum over classes against NumPy, known classes against the ELBO, and gradients through q(y|x)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data.spaces import Categories, Pixels
from jaxvae.errors import InputError
from jaxvae.objectives import elbo_loss, few_labels_loss
from jaxvae.options import given

CLASSES, NUM = 3, 5
SPACE = Pixels((2, 2, 1), "binary")


@pytest.fixture(scope="module")
def model():
    recipe = given(preset="few_labels_vae", latent_dim=2, hidden=(8,), likelihood="bernoulli")
    return recipe.build(SPACE, condition_space=Categories(CLASSES))


@pytest.fixture(scope="module")
def params(model):
    return model.init(jax.random.key(0), SPACE.zeros(1), Categories(CLASSES).zeros(1))


X = jax.random.bernoulli(jax.random.key(1), 0.5, (NUM, *SPACE.shape)).astype(float)
Y = jnp.eye(CLASSES)[jnp.array([0, 2, 1, 1, 0])]
KEYS = rng.example_keys(jax.random.key(2), jnp.arange(NUM))


def loss(params, model, condition, **options):
    classifier = dict(model.extras)["classifier"]
    return few_labels_loss(params, KEYS, X, model=model, classifier=classifier, condition=condition, **options)


def bounds_by_hand(params, model):
    """L(x, y) of each class, one after the other, with the noise of `few_labels_loss`: the same for all classes."""
    each = []
    for number in range(CLASSES):
        y = jnp.eye(CLASSES)[jnp.full(NUM, number)]
        _, terms = elbo_loss(params, rng.sample_keys(KEYS, 1)[0], X, model=model, condition=y)
        each.append(terms.elbo - np.log(CLASSES))
    return np.stack(each, axis=1)


def test_unknown_classes_are_summed_out(model, params):
    value, terms = loss(params, model, 0 * Y)
    q = np.asarray(jax.nn.softmax(dict(model.extras)["classifier"](params, X)), np.float64)
    wanted = (q * (bounds_by_hand(params, model) - np.log(q))).sum(1)
    np.testing.assert_allclose(terms.bound, wanted, rtol=1e-5)
    np.testing.assert_allclose(terms.log_class, 0)
    assert float(value) == pytest.approx(-wanted.mean(), rel=1e-5)


def test_known_classes_have_the_elbo_and_the_classifiers_part(model, params):
    value, terms = loss(params, model, Y, num_examples=100, num_labelled=20, classification_weight=0.3)
    own = bounds_by_hand(params, model)[np.arange(NUM), Y.argmax(1)]
    np.testing.assert_allclose(terms.bound, own, rtol=1e-5)
    log_q = np.asarray(jax.nn.log_softmax(dict(model.extras)["classifier"](params, X)))[np.arange(NUM), Y.argmax(1)]
    np.testing.assert_allclose(terms.log_class, log_q, rtol=1e-5)
    assert float(value) == pytest.approx(-(own + 0.3 * 5 * log_q).mean(), rel=1e-5)


def test_unlabelled_examples_count_by_their_weight(model, params):
    mixed = jnp.where(jnp.arange(NUM)[:, None] < 2, Y, 0)
    value, terms = loss(params, model, mixed, unlabelled_weight=0.25, classification_weight=0.0)
    wanted = terms.bound * jnp.array([1, 1, 0.25, 0.25, 0.25])
    assert float(value) == pytest.approx(-float(wanted.mean()), rel=1e-6)
    np.testing.assert_allclose(terms.bound, loss(params, model, mixed)[1].bound, rtol=1e-6)


def test_beta_weighs_the_kl_of_every_class(model, params):
    known = jnp.where(jnp.arange(NUM)[:, None] < 2, Y, 0)
    at = {beta: loss(params, model, known, beta=beta) for beta in (0.0, 1.0, 4.0)}
    losses = [float(at[beta][0]) for beta in (0.0, 1.0, 4.0)]
    assert losses[2] - losses[0] == pytest.approx(4 * (losses[1] - losses[0]), rel=1e-4)
    _, terms = elbo_loss(params, rng.sample_keys(KEYS, 1)[0], X, model=model, condition=Y)
    of_known = [float(loss(params, model, Y, classification_weight=0.0, beta=beta)[0]) for beta in (1.0, 4.0)]
    assert of_known[1] - of_known[0] == pytest.approx(3 * float(terms.kl.mean()), rel=1e-4)
    np.testing.assert_array_equal(at[4.0][1].bound, at[1.0][1].bound)


def test_a_classifier_that_is_sure_makes_both_the_same(model, params):
    sure = {**params, "classifier": jax.tree.map(jnp.zeros_like, params["classifier"])}
    sure["classifier"]["output"]["bias"] = jnp.array([0.0, 60.0, 0.0])
    known = jnp.eye(CLASSES)[jnp.ones(NUM, int)]
    np.testing.assert_allclose(loss(sure, model, known)[1].bound, loss(sure, model, 0 * Y)[1].bound, rtol=1e-5)


def test_the_gradient_of_the_classifier_is_that_of_sampled_classes(model, params):
    """REINFORCE with classes drawn from q(y|x): d/dphi E_q[f(y) - log q(y)] = E_q[(f - log q) d log q]."""
    logits = jax.random.normal(jax.random.key(5), (NUM, CLASSES))
    bounds = jnp.asarray(bounds_by_hand(params, model))

    def summed(logits):
        log_q = jax.nn.log_softmax(logits)
        return (jnp.exp(log_q) * (bounds - log_q)).sum()

    def reinforced(key):
        y = jax.random.categorical(key, logits)
        score = jax.grad(lambda a: jnp.take_along_axis(jax.nn.log_softmax(a), y[:, None], 1).sum())(logits)
        log_q = jax.nn.log_softmax(logits)
        reward = jnp.take_along_axis(bounds - log_q, y[:, None], 1)
        return score * (reward - bounds.mean(1, keepdims=True))

    draws = jax.vmap(reinforced)(jax.random.split(jax.random.key(6), 20_000))
    error = draws.std(0) / len(draws) ** 0.5
    assert (jnp.abs(draws.mean(0) - jax.grad(summed)(logits)) < 6 * error + 1e-6).all()


def test_padding_changes_nothing(model, params):
    weights = jnp.array([1.0, 1, 0, 0, 0])
    value = loss(params, model, jnp.where(jnp.arange(NUM)[:, None] < 1, Y, 0), weights=weights)[0]
    hostile = X.at[3].set(jnp.nan)
    classifier = dict(model.extras)["classifier"]
    given_ = {"model": model, "classifier": classifier, "condition": jnp.where(jnp.arange(NUM)[:, None] < 1, Y, 0)}
    other = few_labels_loss(params, KEYS, hostile, **given_, weights=weights)[0]
    assert float(value) == pytest.approx(float(other), rel=1e-6)


def test_it_needs_classes(model, params):
    with pytest.raises(InputError, match="condition: few_labels needs the classes"):
        loss(params, model, None)

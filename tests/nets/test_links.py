"""Networks between stochastic layers: what a condition changes in them, and in models of several layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_loss
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Categories, Pixels
from jaxvae.facts import Facts
from jaxvae.likelihoods import BernoulliPixels
from jaxvae.nets import MLP, MLPEncoder
from jaxvae.nets.links import init_links, links
from jaxvae.posteriors import Layers
from jaxvae.priors import PRIORS

KEY = jax.random.key(0)
X = jnp.linspace(0, 1, 24).reshape(4, 6)
LABELS = jnp.eye(3)[jnp.array([0, 1, 2, 0])]
NETWORKS = (MLPEncoder((5,), 4), MLPEncoder((5,), 2))
CHANGED = [0, 1, 3]
"""Rows that have another class where the labels are reversed but for the third."""
OTHER = LABELS[jnp.array([1, 0, 2, 1])]


def test_a_link_takes_the_condition_of_each_row_of_any_number_of_samples():
    value = jax.random.normal(KEY, (4, 3))
    params = init_links(KEY, value, NETWORKS, LABELS)
    assert params[0]["Dense_0"]["kernel"].shape == (3 + 3, 5)
    first, _ = links(params, NETWORKS, LABELS)
    samples = jnp.stack([value, value + 1])
    joined = jnp.concatenate([value + 1, LABELS], axis=-1)
    expected, _ = jnp.split(NETWORKS[0].apply({"params": params[0]}, joined), 2, axis=-1)
    np.testing.assert_allclose(first(samples).mean[1], expected, rtol=1e-5)


@pytest.fixture(scope="module")
def model():
    facts = Facts(Pixels((6,), "ink"), 2, condition_space=Categories(3))
    parts = {"posterior": Layers((2,), (5,)), "prior": PRIORS["layers"](), "likelihood": BernoulliPixels()}
    return assemble(facts, networks=MLP((7,)), **parts)


@pytest.fixture(scope="module")
def params(model):
    return jax.jit(model.init)(KEY, X, LABELS)


def test_the_upper_layers_of_posterior_and_prior_know_the_condition(model, params):
    """With the same lower value, an upper layer's mean changes in the rows whose condition changes, and only there."""
    z = jnp.ones((4, 2))
    for piece in (lambda c: model.encode(params, X, c), lambda c: model.prior(params, c)):
        means = [piece(condition).links[0](z).mean for condition in (LABELS, OTHER)]
        assert np.flatnonzero((means[0] != means[1]).any(-1)).tolist() == CHANGED


def test_every_network_learns_from_the_condition(model, params):
    gradient = jax.jit(jax.grad(lambda p, c: elbo_loss(p, KEY, X, model=model, condition=c)[0]))
    found = gradient(params, LABELS)
    for name in ("posterior", "prior"):
        kernel = found[name][0]["Dense_0"]["kernel"]
        assert (abs(kernel[-3:]).max(axis=1) > 0).all(), "one row for each class"
    apart = gradient(params, jnp.zeros_like(LABELS))
    np.testing.assert_array_equal(apart["prior"][0]["Dense_0"]["kernel"][-3:], 0)


def test_samples_follow_their_own_rows_condition(model, params):
    keys = jax.random.split(jax.random.key(2), 4)
    sample = jax.jit(model.sample_each)
    first, second = (sample(params, keys, condition) for condition in (LABELS, OTHER))
    assert np.flatnonzero((first != second).any(-1)).tolist() == CHANGED
    alone = model.sample_each(params, keys[2:3], LABELS[2:3])
    np.testing.assert_allclose(first[2:3], alone, rtol=1e-5)

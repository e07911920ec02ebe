"""Codes and samples of a conditional model: each is decoded under the condition that it should have."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import VAE
from jaxvae.data import Dataset, Split
from jaxvae.data.conditions import Classes, conditioned, fit_condition
from jaxvae.errors import InputError
from jaxvae.likelihoods import FixedNormal
from jaxvae.nets import MLPDecoder, MLPEncoder
from jaxvae.priors import StandardNormal
from jaxvae.runs import Run
from jaxvae.runs.samples import sample_grid
from jaxvae.runs.trained import Trained

D, CLASSES = 2, ("cat", "dog", "owl")
MODEL = VAE(MLPEncoder((), 2 * D), MLPDecoder((), (D + 3,)), StandardNormal(D), likelihood=FixedNormal())
"""Model whose decoder returns the code and the condition, side by side."""
PARAMS = {
    "encoder": {"output": {"kernel": jnp.eye(4 + 3, 2 * D, -4), "bias": jnp.zeros(2 * D)}},
    "decoder": {"output": {"kernel": jnp.eye(D + 3), "bias": jnp.zeros(D + 3)}},
}
"""Parameters whose posterior mean is the first two numbers of the condition."""
SPLIT = Split(np.ones((5, 4), np.float32), np.int32([2, 0, 1, 1, 0]), {"age": np.arange(5.0)})
DATA = Dataset("pets", SPLIT, SPLIT, classes=CLASSES)


def trained(condition="label", chosen=None):
    data = conditioned(DATA, fit_condition(condition, DATA))
    run = Run(None, MODEL, PARAMS, 0, {"condition": data.condition.to_json()})
    return Trained(run, data, None, chosen)


@pytest.fixture
def own():
    return np.eye(3, dtype=np.float32)[SPLIT.label]


def test_images_are_encoded_under_their_own_conditions(own):
    images, codes, conditions = trained().test_images([4, 0])
    np.testing.assert_array_equal(conditions, own[[4, 0]])
    np.testing.assert_allclose(codes, own[[4, 0], :D], atol=1e-6)
    assert images.shape == (2, 4)


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 3, 2)])
def test_every_code_of_an_image_is_decoded_under_the_images_condition(own, shape):
    codes = np.random.default_rng(0).normal(size=(*shape, D)).astype(np.float32)
    decoded = trained().decode(codes, own)
    np.testing.assert_allclose(decoded[..., :D], codes, atol=1e-6)
    assert all((decoded[image][..., D:] == own[image]).all() for image in range(5))


def test_one_image_lends_its_condition_to_variations_of_it(own):
    decoded = trained().decode(np.zeros((4, 3, D)), own[:1])
    assert decoded.shape == (4, 3, D + 3)
    assert (decoded[..., D:] == own[0]).all()


def test_a_chosen_condition_replaces_all_others(own):
    tool = trained(chosen="dog")
    assert (tool.decode(np.zeros((5, D)), own)[:, D:] == [0, 1, 0]).all()
    assert tool.titled("codes") == "codes; decoded as dog"
    np.testing.assert_allclose(tool.test_images([0])[1], own[:1, :D], atol=1e-6)
    assert tool.latent_dim == D


def test_a_run_without_conditions_refuses_one():
    tool = Trained(Run(None, MODEL, PARAMS, 0, {}), DATA, None, "dog")
    with pytest.raises(InputError, match="condition: the run has none; leave it out"):
        tool.chosen()


def grid(tool, *args, **options):
    return sample_grid(MODEL, PARAMS, jax.random.key(0), *args, split=tool.data.test, **options)


def test_samples_fill_a_row_for_each_class():
    tool = trained()
    found = grid(tool, 4, condition=tool.run.condition)
    assert (found.columns, found.rows) == (4, CLASSES)
    np.testing.assert_array_equal(found.images[:, D:], np.eye(3).repeat(4, axis=0))
    assert len(np.unique(found.images[:, 0])) == 12, "each sample has noise of its own"


def test_samples_of_one_class_and_of_a_model_without_conditions_fill_one_grid():
    found = grid(trained(), 20, condition=Classes(CLASSES), chosen="2")
    assert (found.columns, found.rows) == (16, ())
    assert (found.images[:, D:] == [0, 0, 1]).all()
    assert found.title.endswith(", as 2")


def test_samples_under_attributes_have_those_of_test_images():
    tool = trained("age")
    decoder = {"output": {"kernel": jnp.eye(D + 1, D + 3), "bias": jnp.zeros(D + 3)}}
    options = {"split": tool.data.test, "condition": tool.run.condition}
    found = sample_grid(MODEL, {"decoder": decoder}, jax.random.key(0), 2, **options)
    np.testing.assert_allclose(found.images[:, D], tool.data.test.conditions()[:, 0].repeat(2), rtol=1e-6)
    assert found.rows == ("test 0", "test 1", "test 2", "test 3", "test 4")

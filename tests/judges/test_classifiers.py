"""Classifiers of images: they learn the digits, the same way for the same seed, and refuse what are no images."""

import numpy as np
import pytest

from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.judges.classifiers import fit_classifier, pooled, probabilities


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.mark.slow
def test_digits_are_recognised(digits):
    train, test = digits.train, digits.test
    network, params = fit_classifier(train.x, train.label, steps=500)
    found = probabilities(network, params, test.x, at_once=100)
    assert found.shape == (test.num_examples, 10)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert np.mean(found.argmax(1) == test.label) > 0.95
    assert pooled(network, params, test.x[:3]).shape == (3, 128)


def test_a_seed_decides_everything(digits):
    x, y = digits.train.x[:100], digits.train.label[:100]
    (_, one), (_, again), (_, other) = (fit_classifier(x, y, steps=5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one["logits.kernel"], again["logits.kernel"])
    assert (one["logits.kernel"] != other["logits.kernel"]).any()


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((4, 9)), np.arange(4), "images: must be"),
        (np.zeros((4, 8, 8, 1)), np.arange(3), "labels: shape"),
        (np.zeros((4, 8, 8, 1)), np.zeros(4, int), "labels: must be 0 to K - 1"),
        (np.zeros((4, 8, 8, 1)), np.array([-1, 0, 1, 1]), "labels: must be 0 to K - 1"),
    ],
)
def test_what_cannot_be_classified_is_refused(images, labels, says):
    with pytest.raises(InputError, match=says):
        fit_classifier(images, labels)

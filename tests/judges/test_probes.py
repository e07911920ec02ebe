"""Probes: they learn what images show, doubt what they do not show, and repeat themselves."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxvae.errors import InputError
from jaxvae.judges import probes
from jaxvae.judges.probes import fit_probe, nearest_neighbour_accuracy

PIXELS, LABELS = load_digits(return_X_y=True)
IMAGES = (PIXELS / 16).reshape(-1, 8, 8, 1)
TRAIN, TEST = slice(0, 1000), slice(1000, 1797)


@pytest.fixture(scope="module")
def probe():
    return fit_probe(IMAGES[TRAIN], LABELS[TRAIN])


def test_it_reads_digits_that_it_has_not_seen(probe):
    assert probe.accuracy(IMAGES[TEST], LABELS[TEST]) > 0.93
    np.testing.assert_array_equal(probe.classes, np.arange(10))


def test_probabilities_are_those_of_a_distribution(probe):
    found = probe.probabilities(IMAGES[TEST])
    assert found.shape == (797, 10)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probe.predict(IMAGES[TEST]), found.argmax(axis=1))


def test_it_is_sure_of_digits_and_not_of_what_lies_between_them(probe):
    first, second = np.random.default_rng(0).permutation(len(IMAGES))[:1796].reshape(2, -1)
    apart = LABELS[first] != LABELS[second]
    halfway = (IMAGES[first] + IMAGES[second])[apart] / 2
    assert probe.sure(IMAGES[TEST]).mean() > 0.6
    assert probe.sure(halfway).mean() < 0.05


def test_bytes_and_floats_are_the_same_image(probe):
    grey = np.round(IMAGES[:50] * 255).astype(np.uint8)
    np.testing.assert_array_equal(probe.probabilities(grey), probe.probabilities((grey / 255).astype(np.float32)))


def test_two_classes_with_any_labels_and_the_seed_decides():
    light = np.random.default_rng(0).uniform(size=(60, 3)) * 0.5
    images = np.concatenate([light, light + 0.5])
    labels = np.repeat([4, 7], 60)
    found = [fit_probe(images, labels, seed=seed) for seed in (1, 1, 2)]
    assert found[0].accuracy(images, labels) > 0.95
    assert set(found[0].predict(images)) == {4, 7}
    probabilities = [probe.probabilities(images) for probe in found]
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    assert not np.array_equal(probabilities[0], probabilities[2])


@pytest.mark.parametrize(
    ("labels", "message"),
    [([3] * 6, r"labels: nothing but \[3\]; .*two or more"), ([1, 2], r"labels: shape \(2,\) for 6 images")],
)
def test_bad_labels_are_refused(labels, message):
    with pytest.raises(InputError, match=message):
        fit_probe(np.zeros((6, 4)), labels)


def test_neighbours_vote():
    train = np.array([[0, 0], [0, 1], [1, 0], [9, 9], [9, 8.0]])
    labels = [0, 0, 0, 1, 1]
    test = np.array([[0, 0.1], [9, 9.1], [7, 7]])
    assert nearest_neighbour_accuracy(train, labels, test, [0, 1, 1], k=1) == 1.0
    assert nearest_neighbour_accuracy(train, labels, test, [0, 1, 1], k=5) == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="k: 6 neighbours of 5 training codes"):
        nearest_neighbour_accuracy(train, labels, test, [0, 1, 1], k=6)


def test_sure_is_what_it_says(probe):
    best = probe.probabilities(IMAGES[TEST]).max(axis=1)
    np.testing.assert_array_equal(probe.sure(IMAGES[TEST]), best >= probes.SURE)

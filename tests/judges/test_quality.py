"""Frechet distance, precision and recall, against closed forms and SciPy."""

import numpy as np
import pytest
from scipy import linalg

from jaxvae.errors import InputError
from jaxvae.judges.quality import frechet_distance, precision_recall


def normals(seed, num, mean, deviations):
    draw = np.random.default_rng(seed)
    return mean + draw.normal(size=(num, len(deviations))) * deviations


def test_the_frechet_distance_is_that_of_the_two_normals():
    draw = np.random.default_rng(0)
    one, other = draw.normal(size=(50, 4)), draw.normal(size=(60, 4)) @ draw.normal(size=(4, 4)) + 1
    a, b = (np.cov(rows, rowvar=False) for rows in (one, other))
    root = linalg.sqrtm(a @ b).real
    wanted = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(a + b - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(wanted, rel=1e-8)
    assert frechet_distance(other, one) == pytest.approx(wanted, rel=1e-8)


def test_the_frechet_distance_of_diagonal_normals():
    one, other = normals(0, 200_000, 0.0, [1.0, 2.0]), normals(1, 200_000, 1.0, [3.0, 2.0])
    # |m|^2 = 2 and (1 - 3)^2; the error of a mean is 0.007 and that of a deviation 0.005.
    assert frechet_distance(one, other) == pytest.approx(6.0, abs=0.15)


def test_the_frechet_distance_of_fewer_samples_than_features_is_finite_and_0_to_itself():
    rows = np.random.default_rng(0).normal(size=(5, 20))
    assert frechet_distance(rows, rows) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(rows, rows + 1) == pytest.approx(20.0, rel=1e-6)


def test_samples_of_one_mode_are_precise_and_do_not_recall():
    modes = np.concatenate([normals(0, 200, 0.0, [1.0] * 3), normals(1, 200, 50.0, [1.0] * 3)])
    found = precision_recall(modes, normals(2, 200, 0.0, [0.5] * 3))
    assert found.precision > 0.95
    assert found.recall < 0.5
    swapped = precision_recall(normals(2, 200, 0.0, [0.5] * 3), modes)
    assert (swapped.recall, swapped.precision) == found


def test_samples_far_away_have_neither():
    assert precision_recall(normals(0, 50, 0.0, [1.0]), normals(1, 50, 1e3, [1.0])) == (0.0, 0.0)


def test_blocks_change_nothing(monkeypatch):
    one, other = normals(0, 25, 0.0, [1.0, 1.0]), normals(1, 35, 0.5, [1.0, 1.0])
    whole = precision_recall(one, other)
    monkeypatch.setattr("jaxvae.judges.quality.BLOCK", 7)
    assert precision_recall(one, other) == whole


@pytest.mark.parametrize(
    ("real", "generated", "says"),
    [
        ([[0.0]], [[0.0], [1.0]], "real: must be"),
        ([[0.0], [1.0]], [[0.0, 1.0], [1.0, 1.0]], "generated: 2 features"),
    ],
)
def test_features_that_cannot_be_compared_are_refused(real, generated, says):
    with pytest.raises(InputError, match=says):
        frechet_distance(real, generated)


def test_too_few_for_the_neighbour_are_refused():
    with pytest.raises(InputError, match="k: must be from 1 to 2"):
        precision_recall(np.zeros((3, 1)), np.zeros((9, 1)), k=3)

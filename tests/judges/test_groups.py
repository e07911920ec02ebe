"""What codes say of groups: all where groups are apart, nothing where they are random; pairs are counted for Rand."""

import itertools

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges.groups import clusters_agree, neighbours_agree, separability

NOISE = np.random.default_rng(0)
GROUPS = np.arange(240) % 3
APART = NOISE.normal(0, 0.1, (240, 2)) + np.array([[0, 0], [5, 0], [0, 5]])[GROUPS]
ALIKE = NOISE.normal(size=(240, 2))
TWO = GROUPS == 1


def adjusted_rand(a, b):
    """Hubert & Arabie's index from the numbers of pairs that are together in one partition, the other, or both."""
    pairs = [*itertools.combinations(range(len(a)), 2)]
    in_a, in_b = (np.array([one[i] == one[j] for i, j in pairs]) for one in (a, b))
    both, expected = (in_a & in_b).sum(), in_a.sum() * in_b.sum() / len(pairs)
    return (both - expected) / ((in_a.sum() + in_b.sum()) / 2 - expected)


def test_groups_that_are_apart_are_told():
    assert neighbours_agree(APART, GROUPS) == clusters_agree(APART, GROUPS) == 1
    assert separability(APART, GROUPS) == separability(APART, TWO) == 1


def test_groups_at_random_are_not_told():
    assert abs(neighbours_agree(ALIKE, GROUPS) - 1 / 3) < 6 * (2 / 9 / 240) ** 0.5
    assert abs(separability(ALIKE, TWO) - 0.5) < 6 * ((1 / 80 + 1 / 160) / 12) ** 0.5  # deviation of Mann-Whitney's U
    assert abs(clusters_agree(ALIKE, GROUPS)) < 0.05


def test_clusters_are_compared_by_pairs():
    mixed = np.where(np.arange(240) < 60, 0, GROUPS)  # clusters are those of the codes all the same
    assert clusters_agree(APART, mixed) == pytest.approx(adjusted_rand(GROUPS, mixed))


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (GROUPS[:9], r"groups: shape \(9,\) for codes \(240, 2\); give one for each"),
        (np.zeros(240), "groups: 1 of 240 codes or more; give 2 or more"),
        (np.arange(240) == 3, "groups: 2 of 1 codes or more"),
    ],
)
def test_groups_that_cannot_be_judged_are_refused(groups, told):
    with pytest.raises(InputError, match=told):
        neighbours_agree(APART, groups)


def test_more_neighbours_than_a_fold_has_are_refused():
    with pytest.raises(InputError, match="k: 200 neighbours of 240 codes"):
        neighbours_agree(APART, GROUPS, k=200)

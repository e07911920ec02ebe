"""Levels, gaps and posteriors."""

import numpy as np
import pytest
from PIL import Image

from figures import evidence, kl

AXIS = np.linspace(-5, 5, 201)


def test_levels_of_a_normal_are_at_three_two_and_one_standard_deviations():
    density = np.exp(-0.5 * (AXIS[:, None] ** 2 + (AXIS / 0.7) ** 2))
    np.testing.assert_allclose(evidence.mass_levels(density), np.exp([-4.5, -2, -0.5]), rtol=0.05)


@pytest.mark.parametrize("dim", [1, 2])
def test_both_posteriors_are_drawn_in_their_colours(tmp_path, dim):
    def density(mean):
        one = np.exp(-0.5 * (AXIS - mean) ** 2)
        return one if dim == 1 else one[:, None] * one

    panel = evidence.Posteriors("gap", np.zeros((4, 4, 1)), [AXIS] * dim, density(-1.0), density(2.0))
    evidence.save_posteriors(tmp_path / "deep" / "p.png", [panel, panel])
    pixels = np.asarray(Image.open(tmp_path / "deep" / "p.png").convert("RGB")).reshape(-1, 3).astype(int)
    assert ((pixels[:, 2] - pixels[:, 0]) > 50).any(), "blue"
    assert ((pixels[:, 0] - pixels[:, 2]) > 150).any(), "orange"


def test_gaps_may_be_below_zero(tmp_path):
    evidence.save_gaps(tmp_path / "g.png", [1, 10], [[3.0, 0.5], [0.2, -0.01]])
    assert (tmp_path / "g.png").stat().st_size > 5000


def test_the_difference_is_the_largest_where_there_are_dots():
    curve = kl.Curve("", np.arange(3.0), np.array([1.0, 2.0, 9.0]), np.array([1.5, 1.9, np.nan]))
    assert curve.difference == 0.5

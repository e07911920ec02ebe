"""Posterior collapse is told in one line, with the remedies, and only where it is there."""

import pytest

from jaxvae.runs import TrainConfig
from jaxvae.runs.collapse import warning

CONFIG = TrainConfig(latent_dim=20, steps=400)


@pytest.mark.parametrize("active", [2, 20])
def test_a_tenth_of_the_units_is_enough(active):
    assert warning(CONFIG, [{"test_active_units": active}]) is None


def test_fewer_are_told_with_remedies():
    line = warning(CONFIG, [{"test_active_units": 1}])
    assert line.startswith("posterior collapse: 1 of 20 latent units active; try --beta-warmup-steps 100, ")
    for remedy in ("--free-bits", "--hidden", "--latent-dim"):
        assert remedy in line


def test_of_several_seeds_those_that_collapsed_are_counted():
    line = warning(CONFIG, [{"test_active_units": 1}, {"test_active_units": 9}, {"test_active_units": 0}])
    assert "posterior collapse with 2 of 3 seeds: 0 of 20" in line


def test_a_posterior_that_is_a_point_has_no_units_to_count():
    assert warning(CONFIG, [{"test_log_likelihood": -3.0}]) is None

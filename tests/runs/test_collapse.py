"""Posterior collapse is told in one line, with remedies that fit the cause, and only where it is there."""

import pytest

from jaxvae.data import load
from jaxvae.options import given
from jaxvae.runs.collapse import warning
from jaxvae.runs.settle import settle

DIGITS = load("digits")


def settled(**options):
    return settle(given(**{"latent_dim": 20, "steps": 4000, **options}), DIGITS)


def told(active, **options):
    return warning(settled(**options), [{"test_active_units": active}])


@pytest.mark.parametrize("active", [2, 20])
def test_a_tenth_of_the_units_is_enough(active):
    assert told(active) is None


def test_fewer_are_told_with_remedies():
    line = told(1)
    assert line.startswith("posterior collapse: 1 of 20 latent units active; try --beta 0:1@1000, ")
    for remedy in ("--free-bits", "--hidden", "--latent-dim"):
        assert remedy in line


def test_a_kl_of_almost_nothing_is_told_however_many_units_seem_active():
    line = warning(settled(), [{"test_active_units": 15, "test_kl": 0.04}])
    assert line.startswith("posterior collapse: 15 of 20 latent units active, KL 0.04 nats; try")
    assert warning(settled(), [{"test_active_units": 15, "test_kl": 0.5}]) is None


def test_a_short_run_is_to_be_longer():
    assert "; try a longer run (--steps 4000; this one had 100 steps)" in told(0, steps=100)
    assert "; try a longer run (--epochs 364; this one had 55 steps)" in told(0, epochs=5)


def test_a_weight_above_1_is_named_first():
    assert "; try a smaller --beta (it is 4), or" in told(0, beta=4.0)


def test_what_was_given_is_not_advised_again():
    line = told(0, beta_warmup_steps=300, free_bits=0.1)
    assert "0:1@" not in line
    assert "--free-bits" not in line
    assert "--free-bits" not in told(0, preset="iwae")


def test_only_options_of_the_script_are_named():
    line = warning(settled(), [{"test_active_units": 0}], {"steps", "hidden"})
    assert line.endswith("; try a smaller decoder (--hidden)")
    assert warning(settled(), [{"test_active_units": 0}], set()).endswith("latent units active")


def test_of_several_seeds_those_that_collapsed_are_counted():
    line = warning(settled(), [{"test_active_units": 1}, {"test_active_units": 9}, {"test_active_units": 0}])
    assert "posterior collapse with 2 of 3 seeds: 0 of 20" in line


def test_silence_where_there_is_nothing_to_tell():
    assert warning(settled(), [{"test_log_likelihood": -3.0}]) is None
    assert told(0, preset="kl_only") is None
    assert warning(settled(), [{"test_active_units": 0, "test_num_examples": 1}]) is None
    assert warning(settled(), [{"test_active_units": 0, "test_num_examples": 300}]) is not None


def test_layers_above_count():
    config = settled(upper_latent_dims=(20,))
    assert "of 40" in warning(config, [{"test_active_units": 3}])

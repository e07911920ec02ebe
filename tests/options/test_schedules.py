"""Schedules: their words, and their values against a formula in NumPy."""

import jax
import numpy as np
import optax
import pytest

from jaxvae.errors import InputError
from jaxvae.options import Recipe
from jaxvae.options.command_line import parse
from jaxvae.options.schedules import KINDS, Schedule, ends, parse_number

STEPS = np.arange(0, 41)
EXPECTED = {
    "line": np.clip(STEPS / 20, 0, 1),
    "cosine": np.where(STEPS < 20, (1 - np.cos(np.pi * STEPS / 20)) / 2, 1),
    "step": (STEPS >= 20) * 1.0,
    "cycle": np.minimum(2 * (STEPS % 20) / 20, 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_values(kind):
    schedule = Schedule(1.0, 3.0, 20, kind)
    np.testing.assert_allclose([float(schedule(step)) for step in STEPS], 1 + 2 * EXPECTED[kind], atol=1e-5)
    assert Schedule.parse(str(schedule)) == schedule


def test_a_line_is_optax_own_to_the_last_bit():
    other = optax.linear_schedule(0.0, 0.7, 300)
    assert [float(Schedule(0.0, 0.7, 300)(step)) for step in range(301)] == [float(other(step)) for step in range(301)]


def test_cycles_are_those_of_fu_et_al():
    """Four cycles, half of each rising, by the loop of the paper's published code, without its rounding."""
    num_steps, cycles, ratio = 400, 4, 0.5
    expected, period = np.ones(num_steps), num_steps // cycles
    for first in range(0, num_steps, period):
        rising = np.arange(int(ratio * period))
        expected[first + rising] = rising / (ratio * period)
    schedule = jax.jit(jax.vmap(Schedule.parse(f"cycle:0:1@{period}")))
    np.testing.assert_allclose(schedule(np.arange(num_steps)), expected, atol=1e-6)
    np.testing.assert_array_equal(schedule(np.arange(0, 30_000_000, period)), 0)


def test_a_schedule_takes_no_other_warm_up():
    with pytest.raises(InputError, match="beta-warmup-steps: beta is a schedule already, 0:1@5; leave one of them out"):
        parse(Recipe, ["--beta", "0:1@5", "--beta-warmup-steps", "9"])


def test_numbers_are_numbers():
    assert (parse_number("2e-1"), ends(0.2)) == (0.2, (0.2,))
    assert ends(parse_number("0:1@5")) == (0.0, 1.0)


@pytest.mark.parametrize("word", ["0:1", "0@5", "0:1@0", "0:inf@5", "a:1@5", "lin:0:1@5", "0:1@5.5", "::@", "0:1:2@5"])
def test_other_words_are_refused(word):
    with pytest.raises(InputError, match="schedule: must"):
        parse_number(word)

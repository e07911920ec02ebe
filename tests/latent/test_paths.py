"""Lines and arcs between codes, against SciPy's and against what they are defined by."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial

from jaxvae.errors import InputError
from jaxvae.latent import halfway, interpolate, path_through, slerp

CODES = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


def unit(z):
    return z / np.linalg.norm(z)


def test_a_line_has_equal_steps_and_both_ends():
    z0, z1 = CODES[:2]
    line = np.asarray(interpolate(z0, z1, 6))
    np.testing.assert_array_equal(line[[0, -1]], [z0, z1])
    np.testing.assert_allclose(np.diff(line, axis=0), np.tile((z1 - z0) / 5, (5, 1)), atol=1e-6)


def test_halfway_is_the_mean_and_the_middle_of_the_line():
    z0, z1 = CODES[:2]
    np.testing.assert_allclose(halfway(z0, z1), np.mean([z0, z1], axis=0), rtol=1e-6)
    np.testing.assert_allclose(halfway(z0, z1), interpolate(z0, z1, 3)[1], rtol=1e-6)


def test_an_arc_is_scipys_on_the_unit_sphere():
    z0, z1 = (unit(code.astype(np.float64)) for code in CODES[:2])
    expected = scipy.spatial.geometric_slerp(z0, z1, np.linspace(0, 1, 7))
    np.testing.assert_allclose(slerp(z0, z1, 7), expected, atol=1e-6)


def test_along_an_arc_the_norm_goes_linearly_and_the_angle_in_equal_steps():
    z0, z1 = CODES[0], 3 * CODES[1]
    arc = np.asarray(slerp(z0, z1, 5))
    norms = np.linalg.norm(arc, axis=1)
    np.testing.assert_allclose(norms, np.linspace(np.linalg.norm(z0), np.linalg.norm(z1), 5), rtol=1e-5)
    angles = [np.arccos(unit(a) @ unit(b)) for a, b in itertools.pairwise(arc)]
    np.testing.assert_allclose(angles, angles[0], rtol=1e-4)
    np.testing.assert_allclose(arc[[0, -1]], [z0, z1], rtol=1e-5)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 3), (0, 1), (1, 0), (0, 0)], ids=str)
def test_between_parallel_codes_and_to_zero_an_arc_is_straight(first, last):
    z = CODES[0]
    np.testing.assert_allclose(slerp(first * z, last * z, 5), interpolate(first * z, last * z, 5), atol=1e-6)


@pytest.mark.parametrize("tilt", [0, 1e-8, 1e-5, 1e-3, 5e-2])
def test_opposite_codes_are_joined_by_half_a_turn(tilt):
    z0 = np.array([3.0, 0.0, 4.0], np.float32)
    z1 = -z0 + np.array([0.0, tilt, 0.0], np.float32)
    arc = np.asarray(slerp(z0, z1, 9))
    np.testing.assert_allclose(np.linalg.norm(arc, axis=1), 5, rtol=1e-4)
    steps = np.linspace(0, np.pi, 9)[:, None]
    expected = np.cos(steps) * z0 + np.sin(steps) * np.array([0, 5, 0])
    np.testing.assert_allclose(arc, expected, atol=1e-3 + tilt)
    np.testing.assert_allclose(arc[[0, -1]], [z0, z1], atol=2e-6)


def test_in_one_dimension_opposite_codes_are_joined_through_zero():
    arc = slerp(jnp.array([2.0]), jnp.array([-2.0]), 3)[:, 0]
    np.testing.assert_allclose(arc, [2, 0, -2], atol=1e-6)


@pytest.mark.parametrize("path", [interpolate, slerp])
def test_many_pairs_at_once_are_the_pairs_one_by_one(path):
    one_by_one = [path(z0, z1, 4) for z0, z1 in zip(CODES[:2], CODES[2:])]
    np.testing.assert_allclose(path(CODES[:2], CODES[2:], 4), np.stack(one_by_one, axis=1), atol=1e-6)
    compiled = jax.jit(jax.vmap(lambda z0, z1: path(z0, z1, 4)))
    np.testing.assert_allclose(compiled(CODES[:2], CODES[2:]), one_by_one, atol=1e-6)


JACOBIANS = jax.jit(jax.jacobian(lambda z0, z1: slerp(z0, z1, 4), argnums=(0, 1)))


@pytest.mark.parametrize("times", [-1, 0, 2])
def test_an_arc_has_finite_derivatives_where_its_formula_has_none(times):
    assert all(np.isfinite(jacobian).all() for jacobian in JACOBIANS(CODES[0], times * CODES[0]))
    assert all(np.isfinite(jacobian).all() for jacobian in JACOBIANS(times * CODES[0], CODES[0]))


def test_between_equal_codes_the_derivatives_are_the_straight_lines():
    by_first, by_last = JACOBIANS(CODES[0], CODES[0])
    t = np.linspace(0, 1, 4)[:, None, None]
    np.testing.assert_allclose(by_first, (1 - t) * np.eye(5), atol=1e-5)
    np.testing.assert_allclose(by_last, t * np.eye(5), atol=1e-5)


@pytest.mark.parametrize(("spherical", "between"), [(False, interpolate), (True, slerp)])
def test_a_path_goes_through_every_code_once(spherical, between):
    path = np.asarray(path_through(CODES, 3, spherical=spherical))
    assert path.shape == (3 * 3 + 1, 5)
    np.testing.assert_allclose(path[::3], CODES, atol=1e-6)
    for leg, (z0, z1) in enumerate(itertools.pairwise(CODES)):
        np.testing.assert_allclose(path[3 * leg : 3 * leg + 4], between(z0, z1, 4), atol=1e-6)


def test_a_closed_path_comes_back_to_where_it_began():
    path = np.asarray(path_through(CODES, 2, closed=True))
    assert path.shape == (2 * 4, 5)
    np.testing.assert_allclose(path[:7], path_through(CODES, 2), atol=1e-6)
    np.testing.assert_allclose(path[7], halfway(CODES[3], CODES[0]), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interpolate(CODES[0], CODES[1], 1), "num: must be at least 2, got 1"),
        (lambda: slerp(CODES[0], CODES[1], 0), "num: .* got 0"),
        (lambda: slerp(CODES[0], CODES[1, :3], 4), r"z1: must have z0's shape \(5,\), got \(3,\)"),
        (lambda: path_through(CODES[:1], 4), "codes: .* got 1"),
        (lambda: path_through(CODES, 0), "num_per_leg: .* got 0"),
    ],
)
def test_no_path_is_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()

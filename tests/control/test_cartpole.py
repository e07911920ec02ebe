"""CartPole, against the published equations and the gains of an LQR; its frames, against areas and lines."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from jaxvae.control import cartpole
from jaxvae.control.environments import CartPole
from jaxvae.control.frames import (
    CART_HEIGHT,
    CART_TOP,
    CART_WIDTH,
    POLE_LENGTH,
    POLE_WIDTH,
    SIDE,
    VIEW,
    covered,
    draw,
)
from jaxvae.control.rollouts import returns
from jaxvae.control.views import TrueState
from jaxvae.control.worlds import Viewed

STATE = [0.3, -0.7, 0.15, 1.1]


@pytest.mark.parametrize("action", [0, 1])
def test_a_step_obeys_the_two_laws_of_motion(action):
    """Cart and pole together, and the pole about its end, in the form before it is solved for the accelerations."""
    x, v, a, w = STATE
    after = np.asarray(cartpole.step(jnp.array(STATE), jnp.array(action)), np.float64)
    np.testing.assert_allclose(after[[0, 2]], [x + 0.02 * v, a + 0.02 * w], rtol=1e-6)
    moving, spinning = (after[[1, 3]] - [v, w]) / 0.02
    force, cart, pole, half = (2 * action - 1) * 10.0, 1.0, 0.1, 0.5
    momentum = (cart + pole) * moving + pole * half * (spinning * math.cos(a) - w**2 * math.sin(a))
    torque = 4 / 3 * pole * half**2 * spinning + pole * half * moving * math.cos(a)
    assert momentum == pytest.approx(force, rel=1e-4)
    assert torque == pytest.approx(pole * 9.8 * half * math.sin(a), abs=1e-4)


def test_episodes_end_where_gymnasiums_do():
    ends = [[2.41, 0, 0, 0], [0, 0, -0.21, 0], [2.39, 9, 0.209, 9], [-2.41, 0, 0, 0]]
    assert cartpole.failed(jnp.array(ends)).tolist() == [True, True, False, True]
    starts = jax.vmap(cartpole.begin)(jax.random.split(jax.random.key(0), 100))
    assert 0.04 < np.abs(starts).max() <= 0.05


def test_the_gains_of_an_lqr_reach_the_greatest_return():
    linear = [np.asarray(jax.jacobian(lambda s: cartpole.step(s, jnp.array(1)))(jnp.zeros(4)), np.float64)]
    push = np.asarray(cartpole.step(jnp.zeros(4), jnp.array(1)), np.float64)[:, None] / 10
    cost = np.diag([1.0, 1.0, 10.0, 1.0]), np.array([[0.01]])
    riccati = solve_discrete_are(linear[0], push, *cost)
    gains = -np.linalg.solve(cost[1] + push.T @ riccati @ push, push.T @ riccati @ linear[0])[0]
    controllers = jnp.float32([[*gains, 0], [*-gains, 0]])
    found = returns(
        Viewed(CartPole(), TrueState()), controllers, jax.random.split(jax.random.key(0), 8), steps=cartpole.STEPS
    )
    assert found[0].tolist() == [500] * 8
    assert (found[1] < 30).all()


def test_the_ink_is_the_area_of_cart_and_pole():
    for position, angle in ((0, 0), (1.234, 0.2), (-2.0, -0.1)):
        frame = np.asarray(draw(jnp.array([position, 5, angle, -5])), np.float64)[..., 0]
        area = CART_WIDTH * CART_HEIGHT + POLE_LENGTH * POLE_WIDTH  # a parallelogram of this height and base
        assert frame.sum() == pytest.approx(area, rel=1e-5)
        assert 0 <= frame.min() <= frame.max() <= 1
        centres = (frame @ (np.arange(SIDE) + 0.5)) / np.maximum(frame.sum(axis=1), 1e-9)
        middle = (position / VIEW + 1) * SIDE / 2
        # A pixel that is covered in part has its ink in its middle.
        assert centres[28] == pytest.approx(middle, abs=0.1)
        assert centres[10] == pytest.approx(middle + (CART_TOP - 10.5) * math.tan(angle), abs=0.1)


def test_a_frame_shows_no_velocities_and_every_small_move():
    still, moving, moved = (draw(jnp.array(state)) for state in ([1, 0, 0, 0], [1, 3.0, 0, -2], [1.001, 0, 0, 0]))
    np.testing.assert_array_equal(still, moving)
    assert np.abs(still - moved).max() == pytest.approx(0.001 / VIEW * SIDE / 2, rel=1e-2)


def test_shares_of_pixels_at_the_edges():
    assert covered(-3.0, 0.25)[:2].tolist() == [0.25, 0]
    assert covered(SIDE - 0.5, SIDE + 9.0)[-2:].tolist() == [0, 0.5]
    assert float(covered(40.0, 50.0).sum()) == 0

"""Games: their frames obey the rules of Breakout, actions stick, and rewards are summed, kept and dreamt."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.control import minatar
from jaxvae.control.dream import Dream
from jaxvae.control.memory import init_memory
from jaxvae.control.minatar import GAMES, MinAtar
from jaxvae.control.recordings import joined, load_episodes, save_episodes
from jaxvae.control.rollouts import choose, num_parameters, record, returns
from jaxvae.control.views import TrueState
from jaxvae.control.worlds import Viewed
from jaxvae.errors import InputError
from jaxvae.nets import Bound, MixtureDensityLSTM

BREAKOUT, STEPS, NUM = GAMES["breakout"], 40, 6
WORLD = Viewed(BREAKOUT, TrueState())
PADDLE, BALL, TRAIL, BRICKS = range(4)
FOLLOWING = jnp.float32([[-1, 0, 0, 0, 1, -0.1], [1, 0, 0, 0, -1, -0.1]])
"""Weights of ball_x, ball_y, last_x, last_y, pos and 1: to the left of a ball on the left, and to the right."""


@pytest.fixture(scope="module")
def keys():
    return jax.random.split(jax.random.key(0), NUM)


@pytest.fixture(scope="module")
def episodes(keys):
    """Episodes of a paddle that follows the ball, and no random actions but those that stick."""
    controllers = jnp.tile(FOLLOWING.reshape(-1), (NUM, 1))
    found = record(WORLD, controllers, keys, randomness=0.0, steps=STEPS)
    return jax.tree.map(np.asarray, found._replace(states=found.states.state))


def test_frames_rewards_and_ends_obey_the_rules(episodes):
    frames = np.asarray(jax.vmap(jax.vmap(BREAKOUT.frame))(episodes.states))
    assert frames.shape == (NUM, STEPS + 1, 10, 10, 4)
    assert set(np.unique(frames)) == {0, 1}
    bricks = frames[..., BRICKS].sum((2, 3))
    assert (bricks[:, 0] == 30).all()
    np.testing.assert_array_equal(episodes.rewards, bricks[:, :-1] - bricks[:, 1:])
    assert episodes.rewards.sum() >= NUM
    paddle, (row, column) = frames[:, :, 9, :, PADDLE].argmax(-1), np.nonzero(frames[..., BALL])[2:]
    moves = np.array([0, -1, 1])[np.asarray(episodes.states.action)[:, 1:]]
    there = episodes.there
    np.testing.assert_array_equal(paddle[:, 1:][there], np.clip(paddle[:, :-1] + moves, 0, 9)[there])
    row, column = row.reshape(NUM, -1), column.reshape(NUM, -1)
    assert (np.abs(np.diff(row)) <= 1).all()
    assert (np.abs(np.diff(column)) <= 1).all()
    assert episodes.ended.any()
    assert (row[:, 1:][episodes.ended] == 9).all()
    assert (row[:, 1:][there & ~episodes.ended] < 9).all()
    numbers = np.asarray(jax.vmap(jax.vmap(BREAKOUT.numbers))(episodes.states))
    np.testing.assert_allclose(4.5 * (numbers[..., [0, 1, 4]] + 1), np.stack([column, row, paddle], -1), atol=1e-5)


def test_the_last_action_is_taken_again_now_and_then(episodes, keys):
    taken, chosen = np.asarray(episodes.states.action), episodes.actions
    there = episodes.there
    assert ((taken[:, 1:] == chosen) | (taken[:, 1:] == taken[:, :-1]))[there].all()
    told_apart = there & (chosen != taken[:, :-1])
    stuck = (taken[:, 1:] != chosen)[told_apart]
    assert abs(stuck.mean() - 0.1) < 6 * (0.09 / len(stuck)) ** 0.5
    world = Viewed(MinAtar(BREAKOUT.name, BREAKOUT.quantities, stickiness=1.0), TrueState())
    stuck = record(world, jnp.zeros((NUM, 12)), keys, randomness=1.0, steps=5)
    assert (stuck.states.state.game.pos == 4).all()


def test_returns_are_the_sums_of_rewards(episodes, keys):
    controllers = jnp.stack([jnp.zeros(12), FOLLOWING.reshape(-1)])
    assert num_parameters(WORLD, 5) == 12
    found = returns(WORLD, controllers, keys, steps=STEPS)
    np.testing.assert_array_equal(found[1], episodes.rewards.sum(1))
    assert found[1].mean() > 2 * found[0].mean(), "who follows the ball meets it"


def test_the_action_is_that_of_the_largest_score():
    draw = np.random.default_rng(0)
    weights, features = draw.normal(size=(50, 3, 5)), draw.normal(size=(50, 4))
    scores = np.einsum("naf,nf->na", weights[..., :-1], features) + weights[..., -1]
    expected = np.argmax(np.concatenate([np.zeros((50, 1)), scores], axis=1), axis=1)
    found = jax.vmap(choose)(jnp.float32(weights.reshape(50, -1)), jnp.float32(features))
    np.testing.assert_array_equal(found, expected)
    assert set(expected) == {0, 1, 2, 3}


def test_a_file_gives_episodes_back(episodes, tmp_path):
    save_episodes(tmp_path / "episodes.npz", episodes)
    again = load_episodes(tmp_path / "episodes.npz", BREAKOUT)
    jax.tree.map(np.testing.assert_array_equal, again, episodes)
    assert [path.name for path in tmp_path.iterdir()] == ["episodes.npz"]
    both = joined(again, episodes)
    np.testing.assert_array_equal(both.states.game.brick_map[NUM:], episodes.states.game.brick_map)


def test_a_dream_has_the_reward_that_is_expected():
    network = MixtureDensityLSTM(4, 2, 2, num_actions=3, predicts_reward=True)
    memory = Bound(init_memory(jax.random.key(1), network), network)
    dream = Dream(memory, jnp.ones((1, 2)), jnp.ones(()))
    assert dream.num_actions == 3
    begin = dream.begin(jax.random.key(0))
    after = dream.step(jax.random.key(2), begin, jnp.array(2))
    follows = memory(begin.seen.z, after.seen.memory[0], method="predict")
    np.testing.assert_allclose(dream.reward(after), jax.nn.sigmoid(follows.reward), rtol=1e-6)
    assert 0 < after.reward < 1
    lost = begin._replace(seen=begin.seen._replace(z=jnp.full(2, jnp.inf)))
    assert dream.reward(dream.step(jax.random.key(2), lost, jnp.array(2))) == 0


def test_without_gymnax_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnax", None)
    monkeypatch.setattr(minatar, "_made", minatar._made.__wrapped__)
    with pytest.raises(
        InputError, match=r"^world: needs gymnax, which is not installed; pip install 'jaxvae\[control\]'$"
    ):
        _ = BREAKOUT.num_actions

"""Episodes: counted as by a loop in Python, seen as the views say, and dreamt."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import VAE, likelihoods, nets, priors, rng
from jaxvae.control import cartpole
from jaxvae.control.ablations import Learned, ablations
from jaxvae.control.dream import Dream
from jaxvae.control.environments import CartPole
from jaxvae.control.frames import draw
from jaxvae.control.memory import init_memory
from jaxvae.control.probes import outputs_before
from jaxvae.control.rollouts import choose, record, returns
from jaxvae.control.views import TrueState
from jaxvae.control.vision import Vision
from jaxvae.control.worlds import Viewed
from jaxvae.nets import Bound, MixtureDensityLSTM

STEPS = 30
KNOWN = Viewed(CartPole(), TrueState())


@pytest.fixture(scope="module")
def learned():
    """V and M that have learned nothing."""
    model = VAE(
        nets.MLPEncoder((4,), 6), nets.MLPDecoder((4,), (32, 32, 1)), priors.StandardNormal(3),
        likelihood=likelihoods.bernoulli,
    )  # fmt: skip
    params = jax.jit(model.init)(jax.random.key(0), jnp.zeros((1, 32, 32, 1)))
    network = MixtureDensityLSTM(5, 3, 2)
    return Learned(
        CartPole(), Vision(params, model), Bound(init_memory(jax.random.key(1), network), network), jnp.ones((2, 3))
    )


def test_returns_are_those_of_a_loop_in_python():
    controllers = jnp.float32([[0, 0, 1, 0, 0], [0.1, 0.3, 1, 1, 0.01], [0, 0, 0, 0, 1]])
    keys = jax.random.split(jax.random.key(0), 2)
    found = returns(KNOWN, controllers, keys, steps=STEPS)
    step = jax.jit(cartpole.step)
    for row, controller in zip(found, controllers):
        for count, key in zip(row, jax.random.split(jax.random.key(0), 2)):
            state, steps = cartpole.begin(rng.stream(key, "begin")), 0
            while steps < STEPS and not cartpole.failed(state):
                state, steps = step(state, choose(controller, state)), steps + 1
            assert int(count) == steps
    assert found[1].tolist() == [STEPS, STEPS]
    assert (found[2] < 12).all()


def test_a_recorded_episode_is_a_path_of_the_dynamics():
    keys = jax.random.split(jax.random.key(0), 6)
    episodes = record(KNOWN, jnp.zeros((6, 5)), keys, randomness=1.0, steps=STEPS)
    states, there = np.asarray(episodes.states.state), np.asarray(episodes.there)
    after = jax.vmap(jax.vmap(cartpole.step))(states[:, :-1], episodes.actions)
    np.testing.assert_allclose(states[:, 1:][there], np.asarray(after)[there], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(states[:, 1:][~there], states[:, :-1][~there])
    assert (np.diff(there.astype(int), axis=1) <= 0).all(), "what has ended does not begin again"
    last = there.sum(axis=1) - 1
    assert (np.asarray(episodes.ended)[np.arange(6), last] == (last < STEPS - 1)).all()
    assert (np.asarray(episodes.ended).sum(axis=1) <= 1).all()
    assert 0.2 < np.asarray(episodes.actions)[there].mean() < 0.8


def test_a_controller_is_recorded_as_it_acts_where_nothing_is_random():
    controllers = jnp.float32([[0, 0, 1, 0, 0], [0.1, 0.3, 1, 1, 0.01]])
    first, second = (jax.random.split(jax.random.key(3), 2) for _ in range(2))
    episodes = record(KNOWN, controllers, first, randomness=0.0, steps=STEPS)
    counts = returns(KNOWN, controllers, second, steps=STEPS)
    assert episodes.there.sum(axis=1).tolist() == np.diagonal(counts).tolist()


def test_each_row_shows_what_its_name_says(learned):
    rows = ablations(jax.random.key(0), learned, (0.5, 2.0))
    assert [*rows] == [
        "state", "pixels", "z", "z, h of an untrained M", "z, h", "dream, temperature 0.5", "dream, temperature 2",
    ]  # fmt: skip
    state, shown = jnp.array([0.5, 1, 0.1, 1]), {}
    for name in [*rows][:5]:
        view = rows[name].test.view
        seen = view.look(CartPole(), view.begin(CartPole(), state), jnp.array(1), state)
        shown[name] = np.asarray(view.features(seen))
        assert shown[name].shape == (rows[name].num_features,)
    z = learned.vision.encode(draw(state))
    memory = learned.memory(z, jnp.array(1), (jnp.zeros(5),) * 2, method="step")
    np.testing.assert_allclose(shown["z"], z, rtol=1e-5)
    np.testing.assert_allclose(shown["z, h"], np.concatenate([z, memory[0]]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(shown["z, h of an untrained M"][:3], z, rtol=1e-5)
    assert np.abs(shown["z, h of an untrained M"][3:] - memory[0]).max() > 1e-3
    np.testing.assert_array_equal(shown["pixels"], rows["pixels"].test.view.begin(CartPole(), state.at[1].set(-5)))


def test_the_memory_of_an_episode_is_what_a_controller_sees(learned):
    keys = jax.random.split(jax.random.key(0), 2)
    episodes = record(learned.world, jnp.ones((2, 9)), keys, randomness=0.5, steps=6)
    seen = episodes.states.seen
    outputs = outputs_before(learned.memory, seen.z[:, :-1], episodes.actions)
    there = np.asarray(episodes.there)
    np.testing.assert_allclose(outputs[there], np.asarray(seen.memory[0])[:, :-1][there], rtol=1e-4, atol=1e-5)


def test_a_dream_samples_what_the_network_predicts(learned):
    """Its steps have the predicted mean, and a deviation that follows the temperature."""
    for temperature in (1e-8, 1.0, 4.0):
        dream = Dream(learned.memory, learned.starts, jnp.asarray(temperature))
        begin = dream.begin(jax.random.key(0))
        after = jax.jit(jax.vmap(dream.step, in_axes=(0, None, None)))(
            jax.random.split(jax.random.key(0), 4000), begin, jnp.array(1)
        )
        state = learned.memory(begin.seen.z, jnp.array(1), begin.seen.memory, method="step")
        follows = learned.memory(begin.seen.z, state[0], method="predict")
        code, z = follows.code.tempered(temperature), np.float64(after.seen.z)
        weights = jax.nn.softmax(code.logits)
        variance = (weights * (jnp.exp(code.log_vars) + code.means**2)).sum(-1) - code.mean**2
        assert (np.abs(z.mean(0) - code.mean) < 6 * z.std(0) / 4000**0.5 + 1e-5).all()
        np.testing.assert_allclose(z.var(0), variance, rtol=0.15, atol=1e-6)
        assert after.over.tolist() == [bool(follows.end > 0)] * 4000

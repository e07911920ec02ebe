"""Recurrent mixture density network: nothing of the future is read, and steps one by one are those of a sequence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.nets import Bound, MixtureDensityLSTM


@pytest.fixture(scope="module")
def network():
    net = MixtureDensityLSTM(width=5, latent_dim=2, components=3)
    return Bound(jax.jit(net.init)(jax.random.key(0), jnp.zeros((1, 1, 2)), jnp.zeros((1, 1), int))["params"], net)


def sequences():
    noise = np.random.default_rng(0)
    return jnp.float32(noise.normal(size=(4, 3, 2))), jnp.asarray(noise.integers(2, size=(4, 3)))


def test_steps_one_by_one_are_those_of_a_sequence(network):
    z, actions = sequences()
    together, outputs = jax.jit(network.__call__)(z, actions), network(z, actions, method="outputs")
    state = (jnp.zeros((3, 5)),) * 2
    for number in range(4):
        state = network(z[number], actions[number], state, method="step")
        np.testing.assert_allclose(state[0], outputs[number], rtol=1e-5, atol=1e-6)
    one = network(z[3], state[0], method="predict")
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b[3], rtol=1e-4, atol=1e-5), one, together)
    assert together.code.means.shape == (4, 3, 2, 3)
    assert together.end.shape == (4, 3)


def test_a_later_code_or_action_changes_no_earlier_prediction(network):
    z, actions = sequences()
    predict = jax.jit(network.__call__)
    before, after = predict(z, actions), predict(z.at[2:].add(1), actions.at[2:].set(0))
    for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after)):
        np.testing.assert_array_equal(a[:2], b[:2])
        assert not np.isfinite(a).all() or np.abs(a[2:] - b[2:]).max() > 1e-3  # rewards that are not predicted are sure


def test_variances_stay_above_the_least_one(network):
    z, _ = sequences()
    far = jax.tree.map(lambda each: jnp.full_like(each, -1e4), network.params)
    follows = network.network.apply({"params": far}, z[0], jnp.ones((3, 5)), method="predict")
    np.testing.assert_allclose(follows.code.log_vars, -10, atol=1e-4)

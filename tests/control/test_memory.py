"""M: windows hold every step once, the loss is SciPy's, and a system that is learned is predicted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.control.memory import Windows, fit_memory, init_memory, memory_loss, windows
from jaxvae.control.probes import explained_change, linear_r2
from jaxvae.control.rollouts import Episodes
from jaxvae.errors import InputError
from jaxvae.nets import Bound, MixtureDensityLSTM


def episodes(num=3, length=7, dimensions=2):
    noise = np.random.default_rng(0)
    there = np.arange(length) < np.array([7, 3, 5, 1, 7, 4])[:num, None]
    ended = there & ~np.pad(there, ((0, 0), (0, 1)))[:, 1:]
    codes, actions = noise.normal(size=(num, length + 1, dimensions)), noise.integers(2, size=(num, length))
    return codes, Episodes(None, actions, noise.uniform(size=(num, length)), there, ended)


def test_windows_hold_every_step_once_with_what_follows_it():
    codes, recorded = episodes()
    cut, there = windows(codes, recorded, 4), recorded.there
    assert cut.codes.shape == (5, 5, 2), "of six windows one has no step"
    kept = cut.there
    for name in ("actions", "rewards", "ended"):
        np.testing.assert_array_equal(getattr(cut, name)[kept], getattr(recorded, name)[there])
    np.testing.assert_array_equal(cut.codes[:, :-1][kept], codes[:, :-1][there])
    np.testing.assert_array_equal(cut.codes[:, 1:][kept], codes[:, 1:][there])
    with pytest.raises(InputError, match="no step"):
        windows(codes, recorded._replace(there=there & False), 4)


@pytest.mark.parametrize("predicts_reward", [False, True])
def test_the_loss_is_that_of_scipy_and_padding_changes_nothing(predicts_reward):
    network = MixtureDensityLSTM(4, 2, 3, predicts_reward=predicts_reward)
    params = jax.jit(init_memory, static_argnums=1)(jax.random.key(0), network)
    batch = Windows(*map(jnp.asarray, windows(*episodes(), 7)))
    loss = jax.jit(jax.value_and_grad(memory_loss), static_argnums=1)
    follows = jax.jit(Bound(params, network).__call__)(batch.codes.swapaxes(0, 1)[:-1], batch.actions.T)
    means, deviations = np.float64(follows.code.means), np.exp(np.float64(follows.code.log_vars) / 2)
    parts = stats.norm.logpdf(np.asarray(batch.codes).swapaxes(0, 1)[1:, ..., None], means, deviations)
    log_p = special.logsumexp(parts + special.log_softmax(np.float64(follows.code.logits), -1), axis=-1).sum(-1)
    sign = np.where(np.asarray(batch.ended).T, 1, -1)
    log_p = log_p + special.log_expit(sign * np.float64(follows.end))
    if predicts_reward:
        rewards, logits = np.asarray(batch.rewards).T, np.float64(follows.reward)
        log_p = log_p + rewards * special.log_expit(logits) + (1 - rewards) * special.log_expit(-logits)
    else:
        assert (jax.nn.sigmoid(follows.reward) == 1).all()
    expected = -log_p[np.asarray(batch.there).T].mean()
    np.testing.assert_allclose(loss(params, network, batch)[0], expected, rtol=1e-5)
    other = batch._replace(codes=batch.codes.at[1, 4:].set(1e6))
    value, gradient = loss(params, network, other)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_it_learns_what_an_action_does_and_a_killed_training_goes_on(tmp_path):
    """Each action moves the code by its own step, and the episode ends with the code below -1."""
    noise = np.random.default_rng(0)
    actions = noise.integers(2, size=(64, 8))
    steps = np.where(actions == 1, 0.5, -0.5)[..., None]
    codes = np.concatenate([np.zeros((64, 1, 1)), np.cumsum(steps, axis=1)], axis=1)
    codes = codes + noise.normal(size=(64, 1, 1)) / 5
    ended = codes[:, 1:, 0] < -1
    taken = Episodes(None, actions, np.ones(ended.shape), np.ones_like(ended), ended)
    data = windows(codes, taken, 8)
    network, options = MixtureDensityLSTM(6, 1, 2), {"steps": 600, "batch_size": 16, "learning_rate": 0.01}

    def run(folder, note=lambda step: None):
        return fit_memory(jax.random.key(0), network, data, folder, note=note, **options)

    def kill(step):
        if step == 550:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", kill)
    seen = []
    end = run(tmp_path / "killed", seen.append)
    assert seen[0] == 500
    jax.tree.map(np.testing.assert_array_equal, end, run(tmp_path / "whole"))
    memory = Bound(end.params, network)
    follows = memory(jnp.asarray(data.codes).swapaxes(0, 1)[:-1], jnp.asarray(data.actions).T)
    assert np.abs(follows.code.mean - data.codes.swapaxes(0, 1)[1:]).mean() < 0.05, "a step is 0.5"
    assert 0.9 < explained_change(memory, codes, taken)[0] <= 1
    assert np.mean(np.asarray(follows.end > 0) == data.ended.T) > 0.97


def test_r2_is_one_of_a_linear_function_and_none_of_noise():
    noise = np.random.default_rng(0)
    x = noise.normal(size=(4000, 3))
    y = np.stack([x @ [1, -2, 3] + 4, x @ [1, 0, 0] + noise.normal(size=4000), noise.normal(size=4000)], axis=1)
    found = linear_r2(x[:2000], y[:2000], x[2000:], y[2000:])
    np.testing.assert_allclose(found, [1, 0.5, 0], atol=0.05)

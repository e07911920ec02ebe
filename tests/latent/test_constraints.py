"""Latent constraints on normals, where the best critic and the right codes are known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import rng
from jaxvae.errors import InputError
from jaxvae.latent.constraints import ActorNet, CriticNet, actor_loss, critic_loss, far, fit_constraints

NONE = jnp.zeros((1, 0))


def two_classes(num):
    """Codes of two classes at -2 and 2 along the first of two dimensions, with deviation 0.3."""
    draw = np.random.default_rng(0)
    labels = np.arange(num) % 2
    means = draw.normal(size=(num, 2)) * [0.2, 1.0] + np.stack([4 * labels - 2, 0 * labels], 1)
    return means, np.full((num, 2), 2 * np.log(0.3)), np.eye(2)[labels]


def test_the_best_critic_is_the_log_density_ratio():
    """With codes from N(1, 0.5^2) and others from N(0, 1), log N(z; 1, 0.5^2) - log N(z; 0, 1) is a quadratic."""

    def features(z):
        return jnp.stack([jnp.ones_like(z[:, 0]), z[:, 0], z[:, 0] ** 2], 1)

    @jax.jit
    def step(weights, state, key):
        def loss(weights):
            real, fake = jax.random.normal(key, (2, 4000, 1))
            none = jnp.zeros((4000, 0))
            return critic_loss(lambda z, y: features(z) @ weights, key, 1 + 0.5 * real, none, fake, none, penalty=0.0)

        updates, state = optimizer.update(jax.grad(loss)(weights), state)
        return optax.apply_updates(weights, updates), state

    optimizer = optax.adam(optax.cosine_decay_schedule(0.1, 600))
    weights, state = jnp.zeros(3), optimizer.init(jnp.zeros(3))
    for number in range(600):
        weights, state = step(weights, state, rng.stream(jax.random.key(0), "step", number))
    # log ratio = log 2 - 2 (z - 1)^2 + z^2 / 2
    np.testing.assert_allclose(weights, [np.log(2) - 2, 4.0, -1.5], atol=0.15)


def test_the_penalty_counts_slopes_above_1():
    labels = jnp.zeros((8, 0))
    z = jax.random.normal(jax.random.key(0), (8, 2))

    def loss(slope, penalty):
        return critic_loss(lambda z, y: slope * z[:, 0], jax.random.key(1), z, labels, z, labels, penalty=penalty)

    for slope, wanted in ((0.5, 0.0), (3.0, 4.0)):
        assert loss(slope, 1.0) - loss(slope, 0.0) == pytest.approx(wanted, abs=1e-4)


def test_a_critic_is_told_wrong_labels():
    """A critic that knows labels from codes has a lower loss than one that does not look."""
    means, _, labels = map(jnp.asarray, two_classes(200))
    side = lambda y: 2 * y[:, 1] - 1  # noqa: E731
    knows, blind = (
        critic_loss(critic, jax.random.key(0), means, labels, 0 * means, labels, penalty=0.0)
        for critic in (lambda z, y: 10 * jnp.sign(z[:, 0]) * side(y), lambda z, y: 10 * jnp.abs(jnp.sign(z[:, 0])))
    )
    assert knows + 4 < blind


def test_an_actor_begins_with_small_moves_and_pays_for_them():
    actor, z, y = ActorNet((8,)), jnp.ones((5, 3)), jnp.eye(5)[:, :2]
    moved = actor.apply({"params": jax.tree.map(jnp.zeros_like, actor.init(jax.random.key(0), z, y)["params"])}, z, y)
    np.testing.assert_allclose(moved, 0.5 * z)  # gates are half open, and lead nowhere
    np.testing.assert_allclose(far(z, moved, jnp.full(3, 0.5)), np.log(2))
    loss = actor_loss(lambda z, y: z[:, 0], z, moved, y, jnp.full(3, 0.5), 2.0)
    np.testing.assert_allclose(loss, np.log1p(np.exp(-0.5)) + 2 * np.log(2), rtol=1e-6)


@pytest.mark.slow
def test_actor_and_edits_reach_the_class_that_is_asked_for():
    means, log_vars, labels = two_classes(400)
    constraints = fit_constraints(jax.random.key(0), means, log_vars, labels, hidden=(64, 64), steps=1500)
    wanted = np.eye(2)[np.arange(500) % 2]
    sides = 2 * wanted[:, 1] - 1
    made = np.asarray(constraints.generate(jax.random.key(1), wanted))
    assert np.mean(np.abs(made[:, 0] - 2 * sides) < 1.5) > 0.95
    assert 0.5 < made[:, 1].std() < 1.6, "the other dimension keeps its spread"
    others = np.asarray(constraints.edit(means, labels[:, ::-1]))
    assert np.mean(np.sign(others[:, 0]) == 1 - 2 * labels[:, 1]) > 0.9
    realism = [float(constraints.realism(means, y).mean()) for y in (labels, labels[:, ::-1])]
    assert realism[0] > 0 > realism[1]


@pytest.mark.slow
def test_a_key_decides_everything():
    means, log_vars, labels = two_classes(40)
    one, again, other = (
        fit_constraints(jax.random.key(seed), means, log_vars, labels, hidden=(8,), steps=2) for seed in (0, 0, 1)
    )
    codes = [np.asarray(made.generate(jax.random.key(5), labels)) for made in (one, again, other)]
    np.testing.assert_array_equal(codes[0], codes[1])
    assert (codes[0] != codes[2]).any()


def test_without_labels_there_is_realism_alone():
    means, log_vars, _ = two_classes(40)
    made = fit_constraints(jax.random.key(0), means, log_vars, np.zeros((40, 0)), hidden=(8,), steps=2)
    assert made.generate(jax.random.key(0), np.zeros((3, 0))).shape == (3, 2)
    assert CriticNet((4,)).init(jax.random.key(0), jnp.zeros((1, 2)), NONE)["params"].keys() == {"code", "Dense_0"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m, v, y: (m, v[:, :1], y), "log_vars: must be"),
        (lambda m, v, y: (m, v, y[:-1]), "labels: must be"),
        (lambda m, v, y: (m, v, 0 * y), "labels: all are equal"),
    ],
)
def test_what_does_not_fit_is_refused(change, says):
    with pytest.raises(InputError, match=says):
        fit_constraints(jax.random.key(0), *change(*two_classes(10)))

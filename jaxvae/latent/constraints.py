r"""Latent constraints: conditional generation and editing with a model that was trained without conditions.

    constraints = fit_constraints(key, means, log_vars, labels)
    z = constraints.generate(key, wanted)                 # the actor's codes, for decode(z)
    z = constraints.edit(z, wanted)                       # codes moved by gradients of the critic

The model stays as it is. A critic D(z, y) tells codes of examples with their labels y from samples of the prior, from
codes with wrong labels, and from the codes of an actor G(z, y), which moves samples of the prior to where the critic
cannot tell them any more. Nothing here knows what the codes stand for: images, text and melodies are all the same.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax.typing import ArrayLike

from jaxvae import rng
from jaxvae.distributions.base import at_least_float32
from jaxvae.distributions.normal import reparameterize
from jaxvae.errors import InputError
from jaxvae.nets.network import Network
from jaxvae.types import Array, Bar, Key, Params

PENALTY = 10.0
"""Weight of the critic's gradient penalty."""
PRIOR_SHARE = 0.1
"""Share of the actor's inputs in the critic's batch that are samples of the prior as they are."""
EDIT_RATE = 0.03
"""Learning rate of Adam on codes."""


class CriticNet(Network):
    """Dense layers on code and label, each first through a layer of its own; the output is a logit."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, z: Array, y: Array) -> Array:
        """Map `[B, D]` and `[B, K]` to `[B]`."""
        return nn.Dense(1)(_read(z, y, self.hidden))[..., 0]


class ActorNet(Network):
    """Dense layers on code and label; gates decide how far each dimension moves: G(z, y) = (1 - g) z + g dz."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, z: Array, y: Array) -> Array:
        """Map `[B, D]` and `[B, K]` to `[B, D]`."""
        outputs = nn.Dense(2 * z.shape[-1])(_read(z, y, self.hidden))
        gates, moved = jnp.split(outputs, 2, axis=-1)
        gates = nn.sigmoid(gates)
        return (1 - gates) * z + gates * moved


def _read(z: Array, y: Array, hidden: tuple[int, ...]) -> Array:
    """Return the hidden values of code and label; without labels those of the code."""
    first, *others = hidden
    h = nn.Dense(first, name="code")(z)
    h = nn.relu(h + nn.Dense(first, use_bias=False, name="label")(y) if y.shape[-1] else h)
    for width in others:
        h = nn.relu(nn.Dense(width)(h))
    return h


@dataclasses.dataclass(frozen=True, eq=False)
class Constraints:
    """Critic and actor of the codes of one model."""

    critic: CriticNet
    actor: ActorNet
    params: Params
    """Parameters by name, `critic` and `actor`."""
    scale: np.ndarray
    """`[D]` mean deviation of the posteriors, the unit of a code's distance."""

    def generate(self, key: Key, labels: ArrayLike) -> Array:
        """Return `[N, D]` codes of the actor for labels `[N, K]`, from samples of N(0, I)."""
        labels = at_least_float32(labels)
        return self.move(jax.random.normal(key, (len(labels), len(self.scale))), labels)

    def move(self, z: ArrayLike, labels: ArrayLike) -> Array:
        """Return the actor's codes `[N, D]` of codes `[N, D]` and labels `[N, K]`."""
        return _apply(self.actor, self.params["actor"], at_least_float32(z), at_least_float32(labels))

    def realism(self, z: ArrayLike, labels: ArrayLike) -> Array:
        """Return `[N]` logits, positive where the critic takes codes for examples of these labels."""
        return _apply(self.critic, self.params["critic"], at_least_float32(z), at_least_float32(labels))

    def edit(self, z: ArrayLike, labels: ArrayLike, *, steps: int = 300, distance: float = 0.1) -> Array:
        """Return codes `[N, D]`, moved by gradients of the critic until they pass for examples of the labels.

        Adam descends  softplus(-D(z', y)) + distance * mean_d log(1 + (z'_d - z_d)^2 / scale_d^2).

        Args:
            z: `[N, D]` codes, such as posterior means.
            labels: `[N, K]` wanted labels.
            steps: number of steps of Adam.
            distance: weight of the distance from where a code began.
        """
        options = {"steps": steps, "distance": distance}
        start, labels = at_least_float32(z), at_least_float32(labels)
        return _edit(self.critic, self.params["critic"], self.scale, start, labels, **options)


@functools.partial(jax.jit, static_argnums=0)
def _edit(
    critic: CriticNet, params: Params, scale: Array, start: Array, labels: Array, *, steps: int, distance: float
) -> Array:
    """Return codes that Adam has moved, see `Constraints.edit`."""
    optimizer = optax.adam(EDIT_RATE)

    def loss(moved: Array) -> Array:
        return jnp.sum(nn.softplus(-_apply(critic, params, moved, labels)) + distance * far(start, moved, scale))

    def step(_: Array, carry: Any) -> Any:
        moved, state = carry
        updates, state = optimizer.update(jax.grad(loss)(moved), state)
        return optax.apply_updates(moved, updates), state

    moved: Array = jax.lax.fori_loop(0, steps, step, (start, optimizer.init(start)))[0]
    return moved


def far(z: Array, moved: Array, scale: ArrayLike) -> Array:
    """Return `[N]` distances mean_d log(1 + (z'_d - z_d)^2 / scale_d^2), which forgive a few large moves."""
    return jnp.log1p(jnp.square((moved - z) / at_least_float32(scale))).mean(-1)


def critic_loss(
    critic: Callable[[Array, Array], Array],
    key: Key,
    real: Array,
    labels: Array,
    fake: Array,
    fake_labels: Array,
    *,
    penalty: float = PENALTY,
) -> Array:
    r"""Compute the loss of a critic that tells real pairs of code and label from three kinds of others.

        loss = mean softplus(-D(z, y)) + 1/2 mean softplus(D(z~, y~)) + 1/2 mean softplus(D(z, y'))
               + penalty mean ( |grad_z D(z^, y)| - 1 )_+^2

    z~ are the others' codes, y' labels of other examples (left out where there is one kind), and z^ lies between z and
    z~. Without labels the optimal D is the log density ratio of z and z~.

    Args:
        critic: function `(z, y) -> [B]` logits.
        key: one key.
        real: `[B, D]` codes of examples.
        labels: `[B, K]` their labels; K = 0 for none.
        fake: `[B, D]` codes of the prior or the actor.
        fake_labels: `[B, K]` labels that these were made for.
        penalty: weight of the gradient penalty; 0 leaves it out.

    Reference: Engel, Hoffman & Roberts 2018, https://arxiv.org/abs/1711.05772, section 3; Gulrajani et al. 2017,
    https://arxiv.org/abs/1704.00028 (the penalty, here one-sided).
    """
    positive = nn.softplus(-critic(real, labels)).mean()
    negative = nn.softplus(critic(fake, fake_labels)).mean()
    if labels.shape[-1]:
        shuffled = labels[jax.random.permutation(rng.stream(key, "others"), len(labels))]
        # A label that happens to be right is no wrong pair.
        wrong = (shuffled != labels).any(-1)
        mismatched = jnp.where(wrong, nn.softplus(critic(real, shuffled)), 0).sum() / jnp.maximum(wrong.sum(), 1)
        negative = 0.5 * (negative + mismatched)
    loss = positive + negative
    if penalty:
        share = jax.random.uniform(rng.stream(key, "between"), (len(real), 1))
        middle = share * real + (1 - share) * fake
        slopes = jax.grad(lambda z: critic(z, labels).sum())(middle)
        norms = jnp.sqrt(jnp.square(slopes).sum(-1) + 1e-12)
        loss = loss + penalty * jnp.square(jnp.maximum(norms - 1, 0)).mean()
    return loss


def actor_loss(
    critic: Callable[[Array, Array], Array], z: Array, moved: Array, labels: Array, scale: ArrayLike, distance: float
) -> Array:
    """Compute the loss of an actor: mean of softplus(-D(z', y)) + distance times `far(z, z')`."""
    return (nn.softplus(-critic(moved, labels)) + distance * far(z, moved, scale)).mean()


def fit_constraints(
    key: Key,
    means: ArrayLike,
    log_vars: ArrayLike,
    labels: ArrayLike,
    *,
    hidden: tuple[int, ...] = (256, 256, 256),
    steps: int = 5000,
    critic_steps: int = 3,
    batch_size: int = 128,
    learning_rate: float = 3e-4,
    distance: float = 0.1,
    bar: Bar | None = None,
) -> Constraints:
    """Train critic and actor on the codes of examples; the prior is N(0, I).

    Args:
        key: one key.
        means: `[N, D]` posterior means of training examples.
        log_vars: `[N, D]` their log-variances: the critic sees samples, as the decoder does.
        labels: `[N, K]` labels: one-hot classes, or attributes of 0 and 1.
        hidden: widths of the layers of both networks.
        steps: number of steps of the actor.
        critic_steps: number of steps of the critic before each of these.
        batch_size: number of codes in a step.
        learning_rate: learning rate of both Adams.
        distance: weight of the distance that the actor moves a code.
        bar: wrapper of the steps that shows progress.

    Raises:
        InputError: shapes do not fit, or all labels are equal.

    Reference: Engel, Hoffman & Roberts 2018, https://arxiv.org/abs/1711.05772, section 3 and appendix.
    """
    means, log_vars, labels = (np.asarray(array, np.float32) for array in (means, log_vars, labels))
    _check(means, log_vars, labels)
    scale = np.exp(0.5 * log_vars).mean(0)
    critic, actor = CriticNet(hidden), ActorNet(hidden)
    blank = jnp.zeros((1, means.shape[1])), jnp.zeros((1, labels.shape[1]))
    params = {
        "critic": critic.init(rng.stream(key, "critic"), *blank)["params"],
        "actor": actor.init(rng.stream(key, "actor"), *blank)["params"],
    }
    optimizer = optax.adam(learning_rate, b1=0.0, b2=0.9)
    states = {name: optimizer.init(own) for name, own in params.items()}
    codes = tuple(map(jnp.asarray, (means, log_vars, labels)))

    def draw(key: Key) -> tuple[Array, ...]:
        ids = jax.random.randint(rng.stream(key, "examples"), (batch_size,), 0, len(means))
        mean, log_var, y = (array[ids] for array in codes)
        real = reparameterize(rng.stream(key, "posterior"), mean, log_var)
        return real, y, jax.random.normal(rng.stream(key, "prior"), real.shape)

    def judge(own: Params) -> Callable[[Array, Array], Array]:
        return functools.partial(_apply, critic, own)

    def of_critic(own: Params, others: Params, key: Key) -> Array:
        real, y, z = draw(key)
        moved = jax.lax.stop_gradient(_apply(actor, others, z, y))
        plain = jax.random.bernoulli(rng.stream(key, "plain"), PRIOR_SHARE, (batch_size, 1))
        return critic_loss(judge(own), rng.stream(key, "critic"), real, y, jnp.where(plain, z, moved), y)

    def of_actor(own: Params, others: Params, key: Key) -> Array:
        _, y, z = draw(key)
        return actor_loss(judge(others), z, _apply(actor, own, z, y), y, scale, distance)

    def update(name: str, loss: Any, params: Params, states: Any, key: Key) -> tuple[Params, Any]:
        other = "actor" if name == "critic" else "critic"
        gradient = jax.grad(loss)(params[name], params[other], key)
        updates, state = optimizer.update(gradient, states[name])
        return {**params, name: optax.apply_updates(params[name], updates)}, {**states, name: state}

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params: Params, states: Any, number: int) -> tuple[Params, Any]:
        own = rng.stream(key, "steps", number)

        def critic_step(number: Array, carry: tuple[Params, Any]) -> tuple[Params, Any]:
            return update("critic", of_critic, *carry, rng.stream(own, "critic step", number))

        params, states = jax.lax.fori_loop(0, critic_steps, critic_step, (params, states))
        return update("actor", of_actor, params, states, rng.stream(own, "actor step"))

    numbers = range(steps)
    for number in numbers if bar is None else bar(numbers):
        params, states = step(params, states, number)
    return Constraints(critic, actor, params, scale)


@functools.partial(jax.jit, static_argnums=0)
def _apply(network: Network, params: Params, z: Array, y: Array) -> Array:
    """Return the outputs of critic or actor."""
    outputs: Any = network.apply({"params": params}, z, y)
    return outputs


def _check(means: np.ndarray, log_vars: np.ndarray, labels: np.ndarray) -> None:
    if means.ndim != 2 or log_vars.shape != means.shape:
        raise InputError(f"log_vars: must be [N, D] as the means {means.shape}, got {log_vars.shape}")
    if labels.ndim != 2 or len(labels) != len(means):
        raise InputError(f"labels: must be [N, K] for {len(means)} codes, got {labels.shape}")
    if labels.shape[1] and (labels == labels[0]).all():
        raise InputError("labels: all are equal; a constraint needs two kinds or more")

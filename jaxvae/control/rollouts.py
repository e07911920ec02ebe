"""Episodes of linear controllers, of many at once in one program."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxvae import rng
from jaxvae.control.worlds import World
from jaxvae.types import Array, Key

LONGEST_HOLD = 8
"""Greatest number of steps for which a random action is held."""


def choose(controller: Array, features: Array) -> Array:
    """Return the action with the largest linear function of `[F]` features; that of action 0 is 0.

    Args:
        controller: `[(A - 1) * (F + 1)]` weights and bias of each further action.
        features: `[F]`.
    """
    rows = controller.reshape(-1, len(features) + 1)
    scores = jax.vmap(lambda row: features @ row[:-1] + row[-1])(rows)
    return jnp.argmax(jnp.concatenate([jnp.zeros(1), scores])).astype(jnp.int32)


def num_parameters(world: World, num_features: int) -> int:
    """Return the number of parameters of a controller, see `choose`."""
    return (world.num_actions - 1) * (num_features + 1)


@functools.partial(jax.jit, static_argnames="steps")
def returns(world: World, controllers: Array, keys: Key, *, steps: int) -> Array:
    """Return `[P, E]` sums of rewards until the end of E episodes of P controllers.

    Args:
        world: pytree with the functions of a `World`.
        controllers: `[P, N]`, see `choose`.
        keys: `[E]` keys, the same episodes for all controllers.
        steps: greatest number of steps.
    """

    def step(carry: tuple[Array, Array, Any]) -> tuple[Array, Array, Any]:
        number, sums, states = carry
        going = ~world.over(states)
        actions = jax.vmap(jax.vmap(choose, (None, 0)))(controllers, jax.vmap(jax.vmap(world.features))(states))
        noise = jax.vmap(lambda key: rng.stream(key, "step", number))(keys)
        after = jax.vmap(jax.vmap(world.step), (None, 0, 0))(noise, states, actions)
        return (
            number + 1,
            sums + going * world.reward(after),
            jax.tree.map(functools.partial(_where, going), after, states),
        )

    def any_going(carry: tuple[Array, Array, Any]) -> Array:
        number, _, states = carry
        return (number < steps) & ~world.over(states).all()

    shape = len(controllers), len(keys)
    first = jax.vmap(lambda key: world.begin(rng.stream(key, "begin")))(keys)
    states = jax.tree.map(lambda each: jnp.broadcast_to(each, (shape[0], *each.shape)), first)
    start = jnp.zeros((), jnp.int32), jnp.zeros(shape), states
    return jax.lax.while_loop(any_going, step, start)[1]


class Episodes(NamedTuple):
    """Recorded episodes, padded to one length."""

    states: Any
    """`[N, T + 1, ...]` states of the world; one that has ended stays."""
    actions: Array
    """`[N, T]`."""
    rewards: Array
    """`[N, T]`, 0 where the step was not taken."""
    there: Array
    """`[N, T]` booleans, True where the step was taken."""
    ended: Array
    """`[N, T]` booleans, True where the step ended the episode."""


@functools.partial(jax.jit, static_argnames="steps")
def record(
    world: World,
    controllers: Array,
    keys: Key,
    *,
    randomness: Array | float,
    longest_hold: Array | int = LONGEST_HOLD,
    steps: int,
) -> Episodes:
    """Record an episode of each of N controllers, some of whose actions are random.

    Random actions are held for a few steps, a number that is drawn for each episode: independent ones would cancel, and
    a cart would stay where it is.

    Args:
        world: pytree with the functions of a `World`.
        controllers: `[N, P]`, see `choose`.
        keys: `[N]`.
        randomness: probability that the next few steps have a random action; 1 for nothing else.
        longest_hold: greatest number of steps for which a random action is held.
        steps: greatest number of steps.
    """
    hold = jax.vmap(lambda key: jax.random.randint(rng.stream(key, "hold"), (), 1, longest_hold + 1))(keys)

    def act(key: Key, hold: Array, number: Array, controller: Array, features: Array) -> Array:
        held = rng.stream(key, "held", number // hold)
        is_random = jax.random.bernoulli(rng.stream(held, "whether"), randomness)
        share = world.num_actions * jax.random.uniform(rng.stream(held, "which"))
        drawn = world.num_actions - 1 - share.astype(jnp.int32)
        return jnp.where(is_random, drawn, choose(controller, features))

    def step(states: Any, number: Array) -> tuple[Any, tuple[Any, Array, Array, Array, Array]]:
        going = ~world.over(states)
        features = jax.vmap(world.features)(states)
        actions = jax.vmap(act, in_axes=(0, 0, None, 0, 0))(keys, hold, number, controllers, features)
        noise = jax.vmap(lambda key: rng.stream(key, "step", number))(keys)
        after = jax.vmap(world.step)(noise, states, actions)
        after = jax.tree.map(functools.partial(_where, going), after, states)
        return after, (after, actions, going * world.reward(after), going, going & world.over(after))

    begin = jax.vmap(lambda key: world.begin(rng.stream(key, "begin")))(keys)
    _, (after, *others) = jax.lax.scan(step, begin, jnp.arange(steps))
    states = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), begin, after)
    states, others = jax.tree.map(lambda each: jnp.moveaxis(each, 0, 1), (states, others))
    return Episodes(states, *others)


def _where(going: Array, after: Array, before: Array) -> Array:
    return jnp.where(going.reshape(*going.shape, *[1] * (after.ndim - going.ndim)), after, before)

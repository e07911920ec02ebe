"""Programs that differ in numbers alone: joined and mapped, each computes what it does alone."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae.training.programs import Unlike, join

X = np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)
COLUMN = np.ones((3, 1), np.float32)


@functools.partial(jax.jit, static_argnums=1)
def scaled(x, factor):
    return x * factor


@jax.custom_jvp
def soft(x):
    return jnp.logaddexp(x, 0.5)


soft.defjvp(lambda primals, tangents: (soft(*primals), jax.nn.sigmoid(primals[0]) * tangents[0]))


def looped(x, number):
    return jax.lax.scan(lambda total, row: (total * number + row, total), jnp.zeros(3), x)


def chosen(x, number):
    return jax.lax.cond(x[0, 0] > 0, lambda x: x * number, lambda x: x - number, x)


def stepped(x, number):
    optimizer = optax.adamw(number, weight_decay=number)
    gradient = jax.grad(lambda x: (number * soft(jax.nn.relu(x)) ** 2).sum())(x)
    return optimizer.update(gradient, optimizer.init(x), x)


PROGRAMS = {
    "argument": lambda x, number: x * number + 1,
    "constant": lambda x, number: x @ (jnp.eye(3) * number),
    "result": lambda x, number: (x, number),
    "whole": lambda x, number: x + jnp.arange(3) * int(100 * number),
    # Equal calls share one program in the first, and have two in the second.
    "shared call": lambda x, number: scaled(scaled(x, 0.5), number),
    "unshared call": lambda x, number: scaled(scaled(x, number), 0.5),
    "loop": looped,
    "choice": chosen,
    "optimizer": stepped,
}


def traced(function, number):
    return jax.make_jaxpr(functools.partial(function, number=number))(X)


@pytest.mark.parametrize("function", PROGRAMS.values(), ids=PROGRAMS)
def test_each_computes_what_it_does_alone(function):
    numbers = (0.5, 0.25, 3.0)
    joined = join([traced(function, number) for number in numbers])
    assert joined.numbers
    results = jax.jit(jax.vmap(joined.call, in_axes=(0, None)))(joined.numbers, X)
    for lane, number in enumerate(numbers):
        alone = jax.tree.leaves(jax.jit(functools.partial(function, number=number))(X))
        for one, other in zip(results, alone, strict=True):
            np.testing.assert_allclose(one[lane], other, rtol=1e-6)


def test_equal_programs_need_no_numbers():
    assert join([traced(looped, 2.0), traced(looped, 2.0)]).numbers == []


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        (lambda x: x + 1, lambda x: x - 1, "other operations"),
        (lambda x: x + 1, lambda x: x + 1 + 2, "other operations"),
        (lambda x: x.sum(0), lambda x: x.sum(1), "other operations"),
        (lambda x: x[0] - x[1], lambda x: x[1] - x[0], "other operations"),
        (lambda x: x @ COLUMN, lambda x: x @ X.T, "other shapes"),
        (lambda x: jnp.sin(x) * 2.0, lambda x: jnp.sin(x) * x, "other operations"),
    ],
)
def test_other_differences_are_named(one, other, difference):
    with pytest.raises(Unlike, match=f"^{difference}$"):
        join([jax.make_jaxpr(one)(X), jax.make_jaxpr(other)(X)])

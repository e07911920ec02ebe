"""Recurrence of an LSTM: a loop of its own steps, autodiff of that loop, masks, and PyTorch's LSTM."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.nets.recurrence import cell, recur

T, B, H = 6, 3, 4
DRAW = np.random.default_rng(0)
PRODUCTS, KERNEL = (jnp.asarray(DRAW.normal(size=shape), jnp.float32) for shape in ((T, B, 4 * H), (H, 4 * H)))
START = tuple(jnp.asarray(DRAW.normal(size=(2, B, H)), jnp.float32))
LENGTHS = jnp.array([6, 2, 4])
THERE = (jnp.arange(T)[:, None] < LENGTHS)[..., None]


def loop(products, kernel, start, there, reverse=False):
    state, outputs = start, [None] * T
    for t in reversed(range(T)) if reverse else range(T):
        after = cell(products[t], kernel, state)
        state = after if there is None else jax.tree.map(lambda a, b, m=there[t]: jnp.where(m, a, b), after, state)
        outputs[t] = state[0]
    return jnp.stack(outputs)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("there", [None, THERE], ids=["whole", "masked"])
def test_values_and_gradients_are_those_of_a_loop(there, reverse):
    weights = jnp.asarray(DRAW.normal(size=(T, B, H)), jnp.float32)

    def scored(function):
        return lambda *inputs: (function(*inputs, there, reverse) * weights).sum()

    got, expected = (
        jax.value_and_grad(scored(function), argnums=(0, 1, 2))(PRODUCTS, KERNEL, START) for function in (recur, loop)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), got, expected)


@pytest.mark.parametrize("reverse", [False, True])
def test_behind_the_end_nothing_is_read(reverse):
    end = 0 if reverse else -1

    def last(products):
        return recur(products, KERNEL, START, THERE, reverse)[end]

    noise = jnp.where(THERE, PRODUCTS, 1e3)
    np.testing.assert_array_equal(last(PRODUCTS), last(noise))
    gradient = jax.grad(lambda products: last(products).sum())(noise)
    assert (jnp.where(THERE, 0, gradient) == 0).all()
    short = PRODUCTS[:2]  # the second row has two positions
    alone = recur(short, KERNEL, START, None, reverse)[end]
    np.testing.assert_allclose(last(PRODUCTS)[1], alone[1], rtol=1e-6)


def test_it_maps_over_samples():
    starts = jax.tree.map(lambda leaf: jnp.stack([leaf, -leaf]), START)

    def gradient(start):
        return jax.grad(lambda kernel: recur(PRODUCTS, kernel, start, None).sum())(KERNEL)

    each = [gradient(jax.tree.map(lambda leaf, k=k: leaf[k], starts)) for k in range(2)]
    np.testing.assert_allclose(jax.vmap(gradient)(starts), jnp.stack(each), rtol=1e-4, atol=1e-5)


def test_it_is_pytorchs_lstm():
    torch = pytest.importorskip("torch", reason="the extra bench is not installed")
    other = torch.nn.LSTM(4 * H, H, bias=False)
    with torch.no_grad():
        other.weight_ih_l0.copy_(torch.eye(4 * H))
        other.weight_hh_l0.copy_(torch.from_numpy(np.array(KERNEL.T)))
    h, c = (torch.from_numpy(np.array(leaf))[None] for leaf in START)
    products = torch.from_numpy(np.array(PRODUCTS)).requires_grad_()
    outputs, _ = other(products, (h, c))
    outputs.square().sum().backward()
    np.testing.assert_allclose(recur(PRODUCTS, KERNEL, START, None), outputs.detach(), rtol=1e-5, atol=1e-6)
    ours = jax.grad(lambda *inputs: (recur(*inputs, START, None) ** 2).sum(), argnums=(0, 1))(PRODUCTS, KERNEL)
    np.testing.assert_allclose(ours[0], products.grad, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours[1], other.weight_hh_l0.grad.T, rtol=1e-4, atol=1e-5)

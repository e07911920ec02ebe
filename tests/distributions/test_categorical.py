"""Class numbers of every type, whatever the number of classes; and classes that are ruled out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import kl_divergence
from jaxvae.distributions import Categorical

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "float16", "bfloat16", "float32"]


@pytest.mark.quick_rows("257")
@pytest.mark.parametrize("num_classes", [2, 128, 200, 256, 257, 1000])
def test_class_numbers_of_every_type(num_classes):
    logits = np.random.default_rng(0).normal(size=num_classes)
    expected = logits - np.log(np.exp(logits).sum())
    family = Categorical(jnp.broadcast_to(jnp.asarray(logits, jnp.float32), (4, num_classes)), event_ndim=0)
    for dtype in map(jnp.dtype, DTYPES):
        codes = np.array([0, 1, min(num_classes - 1, 127), min(num_classes - 1, 199)]).astype(dtype)
        there = np.where(codes.astype(int) < 0, -np.inf, expected[codes.astype(int)])
        np.testing.assert_allclose(family.log_prob(jnp.asarray(codes)), there, rtol=1e-5)
        np.testing.assert_allclose(jax.jit(family.log_prob)(codes), there, rtol=1e-5)


@pytest.mark.parametrize("num_classes", [3, 256])
def test_there_are_no_other_classes(num_classes):
    others = [np.int8([-1]), np.int32([num_classes]), np.int64([2**32 + 1]), np.uint32([2**32 - 1])]
    others += [np.uint64([2**63 + 1]), np.float32([0.5]), np.float32([np.nan]), np.float64([np.inf]), np.float32([-1])]
    for value in others:
        assert Categorical(jnp.zeros((1, num_classes))).log_prob(value) == -jnp.inf
    assert Categorical(jnp.zeros((1, 3))).log_prob(np.uint8([7])) == -jnp.inf


def test_means_of_many_classes_in_half_precision():
    """Computed in float32: the sum of a thousand products in half precision would be off by some classes."""
    logits = jnp.asarray(np.random.default_rng(0).normal(size=(1, 1001)), jnp.bfloat16)
    exact = jax.nn.softmax(logits.astype(jnp.float32)) @ np.arange(1001, dtype=np.float32)
    np.testing.assert_allclose(np.float32(Categorical(logits).mean), exact, rtol=float(jnp.finfo("bfloat16").eps))
    assert Categorical(logits).probabilities.sum(dtype=jnp.float32) == pytest.approx(1, abs=0.002)


def test_classes_may_be_ruled_out():
    q, p = jnp.array([[0.0, 1.0, -jnp.inf]]), jnp.array([[1.0, 0.0, -jnp.inf]])
    value, gradient = jax.value_and_grad(lambda q: kl_divergence(Categorical(q[None]), Categorical(p[None])).sum())(q)
    two, of_two = jax.value_and_grad(lambda q: kl_divergence(Categorical(q[None]), Categorical(p[None, :, :2])).sum())(
        q[:, :2]
    )
    assert value == pytest.approx(float(two))
    np.testing.assert_allclose(gradient, np.append(of_two, 0)[None], rtol=1e-6)
    np.testing.assert_allclose(Categorical(q).log_prob(jnp.array([1])), 1 - np.log(1 + np.e), rtol=1e-6)
    assert Categorical(q).log_prob(jnp.array([2])) == -jnp.inf
    assert kl_divergence(Categorical(p[None, :, :].at[..., 2].set(0.0)), Categorical(q[None])) == jnp.inf

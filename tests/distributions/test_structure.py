"""Distributions are frozen pytrees: they pass through jit, vmap and tree functions, and keep their dtype."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_triangular

from jaxvae.distributions.multivariate_normal import _backward_substitution, _forward_substitution
from jaxvae.types import Distribution


def log_prob(d, x):
    return d.log_prob(x)


def test_satisfies_the_protocol(family):
    assert isinstance(family.distribution, Distribution)


def test_is_frozen(family):
    with pytest.raises(dataclasses.FrozenInstanceError):
        family.distribution.mean = 0


def test_flattens_to_its_arrays_and_back(family):
    leaves, structure = jax.tree.flatten(family.distribution)
    back = jax.tree.unflatten(structure, leaves)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    assert type(back) is type(family.distribution)
    assert back.event_ndim == family.distribution.event_ndim


def test_one_log_prob_per_example(family):
    assert jax.eval_shape(log_prob, family.distribution, family.value).shape == (len(family.value),)


def test_jit_and_vmap_change_nothing(family):
    d, x = family.distribution, family.value
    compiled = jax.jit(log_prob).lower(d, x).compile()
    for transformed in (compiled, jax.vmap(log_prob)):
        np.testing.assert_allclose(transformed(d, x), d.log_prob(x), rtol=1e-6, atol=1e-6)
    # Two batched solves of LAPACK at once hang JAX 0.10 on two cores.
    assert "lapack" not in compiled.as_text()


def test_jit_returns_a_distribution(family):
    back = jax.jit(lambda d: d)(family.distribution)
    assert jax.tree.structure(back) == jax.tree.structure(family.distribution)


def test_leading_axes_of_samples_and_examples(family):
    d, x = family.distribution, jnp.stack([family.value, family.value[::-1]])
    scores = jax.jit(log_prob)(d, x)
    assert scores.shape == (2, len(family.value))
    np.testing.assert_allclose(scores[1], d.log_prob(x[1]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_mean_and_sample_keep_the_dtype(family, dtype):
    d = jax.tree.map(lambda leaf: leaf.astype(dtype), family.distribution)
    assert d.mean.dtype == dtype
    expected = jnp.int32 if jnp.issubdtype(family.value.dtype, jnp.integer) else dtype
    assert jax.eval_shape(d.sample, jax.random.key(0)).dtype == expected


def test_triangular_solve_is_that_of_scipy():
    lower, right = jnp.tril(jax.random.normal(jax.random.key(0), (5, 7, 7))) + 3 * jnp.eye(7), jnp.ones((5, 7, 2))
    for solve, transposed in ((_forward_substitution, 0), (_backward_substitution, 1)):
        for one, r, x in zip(lower, right, solve(lower, right)):
            np.testing.assert_allclose(x, solve_triangular(one, r, trans=transposed, lower=True), rtol=1e-5)

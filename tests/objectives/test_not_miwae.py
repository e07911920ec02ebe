"""Bound for values that are missing because of what they are: against MIWAE, NumPy and quadrature."""

import functools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxvae import rng
from jaxvae.data.spaces import Real, Table
from jaxvae.errors import InputError
from jaxvae.extras import Missing
from jaxvae.facts import Facts
from jaxvae.objectives import iwae_loss, not_miwae_loss
from jaxvae.options import given

SPACE = Table((0, 0, 3))
NOISE = np.random.default_rng(0)
OBSERVED = NOISE.random((6, 3)) < 0.6
ROWS = {
    "x": jnp.asarray(np.where(OBSERVED, np.stack([*NOISE.normal(size=(2, 6)), NOISE.integers(3, size=6)], 1), 0), "f4"),
    "observed": jnp.asarray(OBSERVED),
}
KEYS = rng.example_keys(jax.random.key(2), jnp.arange(6))


def built(process="self_masking"):
    recipe = given(preset="vae", objective="not_miwae", latent_dim=2, hidden=(8,), **{"missing.process": process})
    model = recipe.build(SPACE)
    return model, jax.jit(model.init)(jax.random.key(0), ROWS), dict(model.extras)["missing"]


@pytest.mark.parametrize("process", ["self_masking", "known_sign", "linear", "dense"])
def test_every_process_learns(process):
    model, params, missing = built(process)

    def loss(params):
        return not_miwae_loss(params, KEYS, ROWS, model=model, missing=missing, num_samples=4)[0]

    value, gradient = jax.jit(jax.value_and_grad(loss))(params)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert any((np.asarray(leaf) != 0).any() for leaf in jax.tree.leaves(gradient["missing"]))


def test_without_a_reason_it_is_miwae():
    """At weights of 0 every mask has the chance 1/2 of each cell, whatever the values are."""
    model, params, missing = built()
    missed = functools.partial(not_miwae_loss, model=model, missing=missing, num_samples=7)
    loss, terms = jax.jit(missed)(params, KEYS, ROWS)
    plain, others = jax.jit(functools.partial(iwae_loss, model=model, num_samples=7))(params, KEYS, ROWS)
    assert float(loss) == pytest.approx(float(plain) + 3 * np.log(2), rel=1e-5)
    np.testing.assert_allclose(terms.log_likelihood, others.log_likelihood, rtol=1e-5)
    np.testing.assert_allclose(terms.kl, others.kl, rtol=1e-4, atol=1e-5)


def test_the_bound_reaches_the_evidence_of_values_and_mask():
    """One column, x = z + noise: log p(x_o, s) by quadrature over x."""
    from jaxvae.distributions import Columns, Normal

    weight, offset = 2.0, 0.3
    missing = Missing().build(Facts(Table((0,)), 1))
    params = {"missing": {"weight": jnp.array([weight]), "offset": jnp.array([offset])}}
    model = SimpleNamespace(
        encode=lambda params, x: Normal(0.3 * x["x"], jnp.zeros_like(x["x"])),
        decode=lambda params, z: Columns((Normal(z, jnp.zeros_like(z), event_ndim=0),), ((0,),)),
        prior=lambda params: Normal(jnp.zeros(1), jnp.zeros(1)),
    )
    rows = {"x": jnp.array([[0.7], [0.0]]), "observed": jnp.array([[True], [False]])}
    _, terms = not_miwae_loss(params, jax.random.key(0), rows, model=model, missing=missing, num_samples=40_000)
    density, grid = scipy.stats.norm(0, np.sqrt(2)).pdf, np.linspace(-12, 12, 4001)

    def observed(x):
        return 1 / (1 + np.exp(weight * (x - offset)))

    unseen = np.trapezoid(density(grid) * (1 - observed(grid)), grid)
    np.testing.assert_allclose(terms.bound, np.log([density(0.7) * observed(0.7), unseen]), atol=0.05)


def test_padding_changes_nothing():
    model, params, missing = built("dense")
    bound = jax.jit(functools.partial(not_miwae_loss, model=model, missing=missing, num_samples=3))
    some = jax.tree.map(lambda rows: rows[:4], ROWS)
    loss, _ = bound(params, KEYS[:4], some)
    padded = {**ROWS, "x": ROWS["x"].at[4:].set(jnp.nan)}
    other, _ = bound(params, KEYS, padded, weights=jnp.array([1.0, 1, 1, 1, 0, 0]))
    assert float(other) == pytest.approx(float(loss), rel=1e-5)


def test_it_is_for_tables():
    with pytest.raises(InputError, match="missing: the examples are real, in which nothing is missing; give a table"):
        Missing().build(Facts(Real((3,)), 2))

"""The loss that is logged is minus the bound, of every preset: from its logged terms, and by NumPy and SciPy alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from jaxvae import presets, rng
from jaxvae.data.spaces import Pixels
from jaxvae.likelihoods import FixedNormal
from jaxvae.nets import Conv
from jaxvae.objectives import ciwae_loss, elbo_loss, iwae_loss, kl_only_loss, piwae_loss
from jaxvae.options import given
from jaxvae.posteriors import DiagonalNormal, Point
from jaxvae.priors import Standard
from jaxvae.report import read_metrics
from jaxvae.runs.parts import build_parts

SHAPE, LATENT_DIM, LEVEL = (8, 8, 1), 3, 0.4
SPACE = Pixels(SHAPE, "ink")
SMALL = {"hidden": (8,), "latent_dim": LATENT_DIM}
DENSITIES = {
    "bernoulli": lambda p: scipy.stats.bernoulli(np.float64(p.mean)).logpmf,
    "mse": lambda p: scipy.stats.norm(np.float64(p.mean), 1.0).logpdf,
}


HEADS, OBJECTIVES = (Point, DiagonalNormal), (elbo_loss, kl_only_loss, iwae_loss, ciwae_loss, piwae_loss)
ROWS = {
    name: row
    for name, row in presets.PRESETS.items()
    if name != "auto" and type(row.posterior) in HEADS and row.objective.function in OBJECTIVES
}
ROWS = {name: row for name, row in ROWS.items() if row.prior == Standard() and row.condition == "none"}
ROWS = {name: row for name, row in ROWS.items() if not hasattr(row.networks, "reads")}
ROWS = {name: row for name, row in ROWS.items() if row.likelihood is None or isinstance(row.likelihood, FixedNormal)}
"""Presets of a normal or a point, whose bound is known without the library."""


def is_point(name):
    return isinstance(ROWS[name].posterior, Point)


def channels(name):
    return {"channels": (2, 2)} if isinstance(ROWS[name].networks, Conv) else {}


def recipe_of(name, **options):
    """Of a posterior that is a point the KL is not charged for."""
    beta = {} if is_point(name) else {"beta": 0.7}
    level = {"corruption_level": LEVEL} if hasattr(ROWS[name].corruption, "level") else {}
    return given(preset=name, **channels(name), **level, **SMALL, **beta, **options)


ELBOS = {name: row for name, row in ROWS.items() if hasattr(row.objective, "free_bits")}
"""Presets whose bound is the ELBO; tests/objectives/test_iwae.py has the others."""
CASES = [(name, free) for name in ELBOS for free in (False, not is_point(name))]


@pytest.mark.quick_rows("vae-False", "vae-True")
@pytest.mark.parametrize(("name", "free"), sorted(set(CASES)))
def test_loss_is_minus_the_bound_recomputed(name, free):
    recipe = recipe_of(name)
    model, corrupted = build_parts(recipe, SPACE).model, hasattr(recipe.corruption, "level")
    params = jax.jit(model.init)(rng.root(0), jnp.zeros((1, *SHAPE)))
    x = jax.random.bernoulli(jax.random.key(1), 0.4, (5, *SHAPE)).astype(jnp.float32)
    keys = rng.example_keys(jax.random.key(2), jnp.arange(5))

    @jax.jit
    def distributions(params, keys):
        seen = x
        if corrupted:
            streams = jax.vmap(lambda key: rng.stream(key, "corruption"))(keys)
            seen = jax.vmap(recipe.corruption.function, in_axes=(0, 0, None))(streams, x, LEVEL)
        posterior = model.encode(params, seen)
        return posterior, model.decode(params, posterior.sample(rng.sample_keys(keys, 1)[0])), seen

    posterior, decoded, seen = distributions(params, keys.copy())
    assert np.array_equal(seen, x) == (not corrupted)
    log_likelihood = DENSITIES["mse" if is_point(name) else "bernoulli"](decoded)(np.asarray(x)).sum(axis=(1, 2, 3))
    charged, free_bits = 0.0, 0.0
    if not is_point(name):
        mean, variance = np.float64(posterior.mean), np.exp(np.float64(posterior.log_var))
        kl = (mean**2 + variance - 1 - np.log(variance)) / 2
        free_bits = np.median(kl) if free else 0.0
        charged = recipe.objective.beta * np.maximum(kl, free_bits).sum(-1)

    loss = jax.jit(build_parts(recipe_of(name, free_bits=float(free_bits)), SPACE).loss)
    value, terms = loss(params, keys.copy(), x, weights=jnp.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    np.testing.assert_allclose(terms.log_likelihood[:4], log_likelihood[:4], rtol=1e-5)
    np.testing.assert_allclose(value, (charged - log_likelihood)[:4].mean(), rtol=1e-5)
    if not is_point(name):
        np.testing.assert_allclose(terms.kl[:4], kl.sum(-1)[:4], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vae", {"beta": 0.5}),
        pytest.param("vae", {"free_bits": 1e3, "beta": 0.1}, marks=pytest.mark.slow),
        pytest.param("denoising_autoencoder", {}, marks=pytest.mark.slow),
        pytest.param("kl_only", {}, marks=pytest.mark.slow),
    ],
)
def test_logged_loss_is_minus_the_bound_of_the_logged_terms(scripts, small, name, options):
    config = small(preset=name, steps=6, log_every=3, checkpoint_every=6, **SMALL, **channels(name), **options)
    scripts["train"].main(config)
    records = [record for record in read_metrics(config.run_dir / "metrics.jsonl") if record["split"] == "train"]
    assert len(records) == 2
    for record in records:
        # More nats than any dimension has are free: then the loss charges for these, and for no other.
        charged = 1e3 * LATENT_DIM if config.objective.free_bits else record.get("kl", 0.0)
        assert record["loss"] == pytest.approx(config.objective.beta * charged - record["log_likelihood"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ROWS if name not in ELBOS])
def test_logged_loss_is_minus_the_logged_bound_and_no_looser_than_the_elbo(scripts, small, name):
    config = small(preset=name, steps=6, log_every=3, checkpoint_every=6, num_samples=4, **SMALL)
    scripts["train"].main(config)
    records = [record for record in read_metrics(config.run_dir / "metrics.jsonl") if record["split"] == "train"]
    assert len(records) == 2
    for record in records:
        assert record["loss"] == pytest.approx(-record["bound"], rel=1e-6)
        assert record["bound"] >= record["log_likelihood"] - record["kl"]

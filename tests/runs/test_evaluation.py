"""Seeds that are evaluated together have the numbers that each has alone."""

import jax
import jax.numpy as jnp
import pytest

from jaxvae import presets
from jaxvae.data import load
from jaxvae.runs.evaluation import evaluate_seeds, evaluate_split


@pytest.mark.parametrize("preset", ["vae", pytest.param("vamp_vae", marks=pytest.mark.slow), "autoencoder"])
def test_together_as_alone(preset):
    test = load("digits").test.head(130)  # a batch of 100 alone, of 33 together
    model, seeds = presets.build(preset, test.space.shape, latent_dim=2, hidden=(8,)), (3, 4, 9)
    params = [model.init(jax.random.key(seed), jnp.asarray(test.x[:4], jnp.float32)) for seed in seeds]
    options = {"reports_elbo": preset != "autoencoder"}
    alone = [evaluate_split(model, one, test, seed=seed, **options) for one, seed in zip(params, seeds)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *params)
    together = evaluate_seeds(model, stacked, test, seeds=seeds, **options)
    assert len({row["log_likelihood"] for row in together}) == 3
    for row, one in zip(together, alone, strict=True):
        assert row.keys() == one.keys()
        for name, value in row.items():
            assert value == pytest.approx(one[name], rel=1e-5), name

"""Trained runs of one's own making: random parameters, which no one has trained."""

import jax
import numpy as np
import pytest

import jaxvae
from jaxvae.data import conditions
from jaxvae.data.spaces import of_facts
from jaxvae.options.recipe import Recipe
from jaxvae.runs import Run
from jaxvae.runs.parts import build_parts

CLASSES = ("cat", "dog", "owl")


def random_run(recipe: Recipe, shape, classes=()):
    """A run that says of its data what a manifest says."""
    facts = {"name": "/home/me/small.npz", "shape": list(shape), "pixels": "ink", "train": 90, "validation": 10}
    facts |= {"test": 10, "fingerprint": "abc"}
    facts |= {"condition": conditions.Classes(classes).to_json(), "classes": list(classes)} if classes else {}
    condition = conditions.of_facts(facts)
    parts = build_parts(recipe, of_facts(facts), condition_space=condition and condition.space, num_examples=90)
    like = jax.eval_shape(parts.model.init, jax.random.key(0), *parts.blank)
    draw = np.random.default_rng(0)
    params = jax.tree.map(lambda leaf: 0.4 * draw.normal(size=leaf.shape).astype(np.float32), like)
    summary = {"test_elbo": -12.345, "test_elbo_standard_error": 0.5, "test_kl": 3.0}
    return Run(recipe, parts.model, params, 7, facts, True, None, summary)


@pytest.fixture(scope="session")
def runs():
    small = {"latent_dim": 2, "hidden": (4,), "likelihood": "bernoulli"}
    conv = jaxvae.preset("conv_vae", channels=(2, 3), dataset="/home/me/small.npz", data_dir="/data", **small)
    classes = jaxvae.preset("conditional_vae", dataset="digits", prior="mixture", **small)
    return {"conv": random_run(conv, (7, 6, 1)), "classes": random_run(classes, (5,), CLASSES)}

"""The library's functions refuse in one line too: the argument, what came, what to do."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import gaussian_kl, latent, likelihoods, posteriors, presets, rng
from jaxvae.data import load, write_array_record
from jaxvae.distributions import Bernoulli, Categorical, ContinuousBernoulli, GreyCrossEntropy
from jaxvae.priors import StandardNormal

CODES = jnp.zeros((4, 3))
IMAGES = np.zeros((3, 4, 4, 1), np.uint8)
REFUSED = {
    "latent_dim: must be at least 1, got 0": lambda: presets.build("vae", (8, 8, 1), latent_dim=0),
    "latent_dim: must be at least 1, got -1": lambda: StandardNormal(-1),
    "preset: must be one of auto, vae, .*, got 'vea' (did you mean 'vae'?)": lambda: presets.build("vea", (8, 8, 1)),
    "posterior: must be one of .*, got 'norml'": lambda: presets.build("vae", (8,), posterior="norml"),
    "likelihood: must be one of .*, got 'bern'": lambda: presets.build("vae", (8,), likelihood="bern"),
    "hidden: must be positive numbers, got (4, 0)": lambda: presets.build("vae", (8,), hidden=(4, 0)),
    "shape: must be positive numbers, got (8, 0)": lambda: presets.build("vae", (8, 0)),
    "scale: must be above 0 and finite, got 0.0": lambda: likelihoods.FixedNormal(0.0),
    "outputs: (4, 3) cannot be halved into means and log-variances": lambda: posteriors.normal(CODES),
    "outputs: (3,) cannot be halved into means": lambda: likelihoods.normal(CODES[0]),
    "prior (3,) does not fit posterior (4, 1)": lambda: gaussian_kl(CODES[:, :1], CODES[:, :1], CODES[0]),
    "prior (2,) does not fit posterior (4, 3)": lambda: gaussian_kl(CODES, CODES, 0.0, jnp.zeros(2)),
    "num_samples: must be at least 1, got 0": lambda: rng.sample_keys(rng.root(0), 0),
    "z1: must have z0's shape (4, 3), got (3,)": lambda: latent.halfway(CODES, CODES[0]),
    "dimension: must be from 0 to 2, got 3": lambda: latent.traversal(CODES[0], 3, CODES[0]),
    "num: must be at least 1, got 0": lambda: latent.manifold_grid(0),
    "direction: must have the codes' dimensions (3,), got (1,)": lambda: latent.edit(CODES, jnp.ones(1), 1.0),
    "label: shape (2,) for 3 images; give one for each": lambda: write_array_record("f", IMAGES, np.arange(2)),
    "dataset: '' is neither one of": lambda: load(""),
    "dataset: '~nobody/x.npz' is neither one of": lambda: load("~nobody/x.npz"),
    f"dataset: '{'x' * 300}' is neither one of": lambda: load("x" * 300),
}


@pytest.mark.parametrize("message", REFUSED)
def test_it_is_named(message):
    pattern = ".*".join(map(re.escape, message.split(".*")))
    with pytest.raises(ValueError, match=f"^{pattern}") as caught:
        REFUSED[message]()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0])
@pytest.mark.parametrize("family", [Bernoulli, GreyCrossEntropy, ContinuousBernoulli])
def test_pixels_off_their_range_have_no_density(family, value):
    assert family(jnp.array([2.0, -1.0])).log_prob(jnp.array([0.0, value])) == -jnp.inf


@pytest.mark.parametrize("value", [-1, 3, 2**31 - 1])
def test_there_is_no_such_class(value):
    assert Categorical(jnp.array([2.0, -1.0, 0.5]), event_ndim=0).log_prob(value) == -jnp.inf

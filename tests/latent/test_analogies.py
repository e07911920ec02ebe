"""Analogies: codes that lie on a parallelogram, and codes of different shapes."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.latent import analogy


def test_the_fourth_corner_of_a_parallelogram():
    a, b, c = np.random.default_rng(0).normal(size=(3, 5, 4))
    np.testing.assert_allclose(analogy(a, b, c) - b, c - a, rtol=1e-5, atol=1e-6)


def test_codes_of_other_shapes_are_refused():
    with pytest.raises(InputError, match="c: a, b and c"):
        analogy(jnp.zeros(2), jnp.zeros(2), jnp.zeros(3))

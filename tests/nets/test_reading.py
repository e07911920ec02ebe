"""Features of counts and of tables, and encoders that read them."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Counts, Pixels, Real, Table, Tokens
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import MLP, Gated, MLPEncoder
from jaxvae.nets.reading import TableFeatures, log_counts


@pytest.mark.parametrize("networks", [MLP, Gated])
def test_counts_are_read_as_logarithms(networks):
    encoder = networks((8,)).encoder(Facts(Counts((3,)), 2), 4)
    x = jnp.array([[0, 5, 1000], [2, 2, 2]])
    params = encoder.init(jax.random.key(0), x)["params"]
    of_numbers = networks((8,)).encoder(Facts(Real((3,)), 2), 4)
    plain = of_numbers.apply({"params": params["encoder"]}, jnp.log1p(x.astype("float32")))
    np.testing.assert_array_equal(encoder.apply({"params": params}, x), plain)


def test_a_row_is_read_as_numbers_categories_and_holes():
    row = {"x": jnp.array([[2.0, -0.5, 1.0], [0.0, 0.0, 0.0]]), "observed": jnp.array([[1, 1, 1], [1, 0, 0]], bool)}
    expected = [[-0.5, 0, 0, 1, 0, 1, 1, 1, 1], [0, 1, 0, 0, 0, 0, 1, 0, 0]]
    np.testing.assert_array_equal(TableFeatures((3, 0, 2), ("categorical", "real", "categorical"))(row), expected)


def test_a_hole_looks_the_same_whatever_stands_in_its_place():
    observed = jnp.array([[True, False, False]])
    rows = [{"x": jnp.array([[1.0, *hole]]), "observed": observed} for hole in ((0.0, 0.0), (3.0, 1.0))]
    np.testing.assert_array_equal(*map(TableFeatures((0, 0, 2), ("real", "real", "categorical")), rows))


def test_encoders_of_features_compare_and_pickle_by_value():
    for space in (Counts((3,)), Table((0, 2))):
        encoder = MLP((8,)).encoder(Facts(space, 2), 4)
        assert encoder == MLP((8,)).encoder(Facts(space, 2), 4)
        assert pickle.loads(pickle.dumps(encoder)) == encoder


def test_pixels_are_read_as_they_are_and_tokens_refused():
    assert MLP((8,)).encoder(Facts(Pixels((2, 2, 1)), 2), 4) == MLPEncoder((8,), 4)
    with pytest.raises(InputError, match="dense layers would read tokens as numbers; give --preset token_vae"):
        MLP((8,)).encoder(Facts(Tokens(6, 5), 2), 4)


def test_logarithms_of_large_counts_have_all_digits():
    assert log_counts(jnp.array([100_000])) == pytest.approx(np.log1p(100_000), rel=1e-6)

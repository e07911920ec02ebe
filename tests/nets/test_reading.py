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
from jaxvae.nets.reading import TableFeatures, embedding_width, log_counts, table_features
from jaxvae.options import given


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


def test_a_column_of_many_categories_has_learned_vectors():
    """A vector is the row of a matrix that a one-hot vector would pick, and 0 where the category is missing."""
    columns, kinds = (0, 40, 2), ("real", "categorical", "categorical")
    row = {
        "x": jnp.array([[0.5, 39, 1], [1.5, 0, 0]]),
        "observed": jnp.array([[True, True, True], [True, False, True]]),
    }
    features = table_features(columns, kinds)
    params = features.init(jax.random.key(0), row)["params"]
    found = features.apply({"params": params}, row)
    table = params["column_1"]["embedding"]
    assert table.shape == (40, embedding_width(40))
    np.testing.assert_allclose(found[:, -13:], jnp.stack([jax.nn.one_hot(39, 40) @ table, jnp.zeros(13)]), rtol=1e-6)
    small = {name: values[:, jnp.array([0, 2])] for name, values in row.items()}
    others = TableFeatures((0, 2), ("real", "categorical"))(small)
    np.testing.assert_array_equal(found[:, :3], others[:, :3])
    np.testing.assert_array_equal(found[:, 3:6], row["observed"])


def test_small_columns_and_other_parameters_stay_as_they_were():
    assert table_features((0, 30), ("real", "categorical")) == TableFeatures((0, 30), ("real", "categorical"))
    sizes = {}
    for num in (30, 5000):
        model = given(preset="vae", latent_dim=2, hidden=(8,)).build(Table((num, 0)))
        params = model.init(jax.random.key(0), Table((num, 0)).zeros(1))
        sizes[num] = sum(leaf.size for leaf in jax.tree.leaves(params["encoder"]))
    wanted = {30: (30 + 1 + 2) * 8 + 8 + 8 * 4 + 4, 5000: 5000 * 50 + (50 + 1 + 2) * 8 + 8 + 8 * 4 + 4}
    assert sizes == wanted

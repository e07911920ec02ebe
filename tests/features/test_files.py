"""Files of feature networks: read as they were written, and refused in one line where they are something else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.features import Classifier, layers, read_features, write_features


@pytest.fixture(scope="module")
def classifier():
    network = Classifier(3)
    return network, network.init(jax.random.key(0), (8, 8, 1))


def test_a_file_holds_network_and_parameters(classifier, tmp_path):
    network, params = classifier
    write_features(tmp_path / "features.npz", network, params)
    again, read = read_features(tmp_path / "features.npz")
    assert again == network
    images = jax.random.uniform(jax.random.key(1), (4, 8, 8, 1))
    for name, values in layers(network, params, images).items():
        np.testing.assert_array_equal(values, layers(again, read, images)[name])


def test_layers_have_the_shapes_of_their_names(classifier):
    network, params = classifier
    found = layers(network, params, jnp.zeros((2, 8, 8, 1)))
    assert {name: values.shape for name, values in found.items()} == {
        "conv_0": (2, 4, 4, 32),
        "conv_1": (2, 2, 2, 64),
        "conv_2": (2, 1, 1, 128),
        "pooled": (2, 128),
        "logits": (2, 3),
    }


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"kind": np.array("vgg")}, "holds a network of kind 'vgg'"),
        ({"kind": np.array("classifier"), "num_classes": np.array(3)}, "lacks conv_0.kernel"),
        ({"x": np.zeros(3)}, "lacks _conv_stem.weight"),
        ({"kind": np.array({"a": 1}, object)}, "is no .npz of arrays"),
    ],
)
def test_another_file_is_refused(arrays, says, tmp_path):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(InputError, match=says):
        read_features(tmp_path / "other.npz")


def test_a_file_that_is_missing_or_no_archive_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_features(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("weights")
    with pytest.raises(InputError, match="of arrays"):
        read_features(tmp_path / "text.npz")

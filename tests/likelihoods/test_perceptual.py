"""Perceptual likelihood: a normal where features are pixels; feature networks that are read once and never move."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Pixels
from jaxvae.distributions import Normal, Perceptual
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.features import Classifier, Compared, layers, read_features, write_features
from jaxvae.likelihoods import PerceptualPixels
from jaxvae.options import given
from jaxvae.runs import load_run
from jaxvae.runs.training import train_run

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    network = Classifier(10)
    path = tmp_path_factory.mktemp("features") / "classifier.npz"
    write_features(path, network, network.init(jax.random.key(0), SHAPE))
    return path


def images(seed, *leading):
    return jax.random.uniform(jax.random.key(seed), (*leading, *SHAPE))


def test_with_pixels_as_features_it_is_a_normal():
    image, x = images(0, 5), images(1, 5)
    p = Perceptual(image, Compared({}, Classifier(1), ("pixels",), 4.0))
    normal = Normal(image, jnp.full_like(image, -math.log(4.0)), event_ndim=3)
    constant = 64 / 2 * math.log(2 * math.pi / 4.0)
    np.testing.assert_allclose(p.log_prob(x), normal.log_prob(x) + constant, rtol=1e-5)
    gradient = jax.grad(lambda image: Perceptual(image, p.features).log_prob(x).sum())(image)
    np.testing.assert_allclose(gradient, 4.0 * (x - image), rtol=1e-5, atol=1e-6)


def test_each_layer_counts_as_all_pixels_do(file):
    network, params = read_features(file)
    p = Perceptual(images(0, 3), Compared(params, network, ("conv_0", "pooled"), 2.0))
    one, other = (layers(network, params, x) for x in (images(0, 3), images(1, 3)))
    wanted = sum(64 * jnp.square(one[name] - other[name]).reshape(3, -1).mean(1) for name in ("conv_0", "pooled"))
    np.testing.assert_allclose(p.log_prob(images(1, 3)), -wanted, rtol=1e-5)


def test_more_leading_axes_are_more_images(file):
    network, params = read_features(file)
    features = Compared(params, network, ("conv_1",))
    image, x = images(0, 2, 3), images(1, 2, 3)
    whole = Perceptual(image, features).log_prob(x)
    rows = [Perceptual(image[i], features).log_prob(x[i]) for i in range(2)]
    np.testing.assert_allclose(whole, rows, rtol=1e-5)


def test_options_are_settled_by_the_file(file):
    options = PerceptualPixels(features=str(file)).settled(Pixels(SHAPE))
    assert (options.network, options.layers) == ("classifier", ("conv_0", "conv_1", "conv_2"))
    head = options.build(Facts(Pixels(SHAPE), 2))
    outputs = jnp.zeros((1, *SHAPE))
    own = head.init(jax.random.key(0), outputs)
    read = head.pretrained()
    assert jax.tree.map(jnp.shape, own) == jax.tree.map(jnp.shape, read)
    assert "pooled.kernel" not in read
    np.testing.assert_array_equal(head({"likelihood": read}, outputs).mean, 0.5)


@pytest.mark.parametrize(
    ("options", "shape", "says"),
    [
        ({}, (8,), "perceptual is for images"),
        ({"features": None}, SHAPE, "perceptual needs a feature network"),
        ({"features": "none.npz"}, SHAPE, "there is no file none.npz"),
        ({"layers": ("stem",)}, SHAPE, "classifier has no 'stem'"),
        ({"layers": ("logits",)}, SHAPE, "logits are not compared"),
        ({}, (8, 8, 3), "of images of another shape"),
    ],
)
def test_what_cannot_be_compared_is_refused(file, options, shape, says):
    with pytest.raises(InputError, match=says):
        PerceptualPixels(**{"features": str(file), **options}).settled(Pixels(shape))


def test_a_run_keeps_the_network_which_never_moves(file, tmp_path, capsys):
    recipe = given(run_dir=tmp_path / "run", steps=20, figures=False, tensorboard=False, devices=1, hidden=(16,))
    likelihood = PerceptualPixels(features=str(file), layers=("pixels", "conv_0"))
    assert train_run(dataclasses.replace(recipe, likelihood=likelihood)) == 0
    assert "; no bound on log p(x), because this p(x|z) does not integrate to 1\n" in capsys.readouterr().out
    moved = tmp_path / "elsewhere.npz"
    file_bytes = file.read_bytes()
    file.rename(moved)
    try:
        run = load_run(tmp_path / "run")
    finally:
        file.write_bytes(file_bytes)
    with np.load(file) as arrays:
        assert set(run.params["likelihood"]) == {"conv_0.kernel", "conv_0.bias"}
        np.testing.assert_array_equal(run.params["likelihood"]["conv_0.kernel"], arrays["conv_0.kernel"])

"""Classifier of examples: dense, or with convolutions for images."""

import jax
import jax.numpy as jnp
import pytest

from jaxvae.data.spaces import Categories, Pixels, Real
from jaxvae.errors import InputError
from jaxvae.extras import Classifier
from jaxvae.facts import Facts

IMAGES = Facts(Pixels((8, 6, 1)), 2, condition_space=Categories(3))


@pytest.mark.parametrize(("channels", "convolutions"), [((), 0), ((2, 3), 2)])
def test_logits_of_each_class_come_from_all_parameters(channels, convolutions):
    piece = Classifier(channels=channels, hidden=(4,)).build(IMAGES)
    x = jax.random.uniform(jax.random.key(0), (5, 8, 6, 1))
    params = {"classifier": piece.init(jax.random.key(1), x, None)}
    assert sum(name.startswith("Conv") for name in params["classifier"]) == convolutions
    assert piece(params, x).shape == (5, 3)
    gradient = jax.grad(lambda params: jnp.sin(piece(params, x)).sum())(params)
    assert all(jnp.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradient))


def test_convolutions_are_for_images_and_classes_for_conditions():
    with pytest.raises(InputError, match="needs images"):
        Classifier(channels=(2,)).build(Facts(Real((5,)), 2, condition_space=Categories(3)))
    with pytest.raises(InputError, match="classifier: there are no classes to tell"):
        Classifier().build(Facts(Pixels((8, 6, 1)), 2))

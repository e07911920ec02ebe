"""Spatial networks: shapes of any image, a condition at every position, and no position that sees all of the image."""

import jax
import jax.numpy as jnp
import pytest

from jaxvae.data.spaces import Real
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import Spatial


def networks(shape, **options):
    facts = Facts(Real(shape), latent_dim=3)
    return Spatial(**options).encoder(facts, 3), Spatial(**options).decoder(facts, shape)


@pytest.mark.quick_rows("None-shape0-channels0-places0")
@pytest.mark.parametrize(("shape", "channels", "places"), [((8, 8, 1), (4, 6), (2, 2)), ((7, 9, 3), (4,), (4, 5))])
@pytest.mark.parametrize("condition", [None, jnp.ones((2, 5))])
def test_shapes(shape, channels, places, condition):
    encoder, decoder = networks(shape, channels=channels, num_blocks=1)
    given = () if condition is None else (condition,)
    z, _ = jax.eval_shape(encoder.init_with_output, jax.random.key(0), jnp.ones((2, *shape)), *given)
    assert z.shape == (2, *places, 3)
    x, variables = jax.eval_shape(decoder.init_with_output, jax.random.key(1), z, *given)
    assert x.shape == (2, *shape)
    assert "output" in variables["params"]


@pytest.mark.slow
def test_places_see_their_part_of_the_image():
    encoder, _ = networks((32, 32, 1), channels=(8,), num_blocks=1)
    variables = encoder.init(jax.random.key(0), jnp.ones((1, 32, 32, 1)))
    x = jax.random.normal(jax.random.key(1), (1, 32, 32, 1))
    slope = jax.grad(lambda x: encoder.apply(variables, x)[0, 0, 0].sum())(x)
    assert (slope[0, :2, :2] != 0).any()
    assert (slope[0, 8:, 8:] == 0).all()


def test_wrong_inputs_are_refused():
    with pytest.raises(InputError, match="needs images"):
        networks((8,))
    encoder, decoder = networks((8, 8, 1), channels=(4, 4))
    with pytest.raises(InputError, match="labels; give"):
        encoder.init(jax.random.key(0), jnp.ones((2, 8, 8, 1)), jnp.ones((2, 1), jnp.int32))
    with pytest.raises(InputError, match=r"for \(2, 2\) positions"):
        decoder.init(jax.random.key(0), jnp.ones((2, 4, 4, 3)))

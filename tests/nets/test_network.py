"""Models as values: equal whatever they are made of, and after copies and pickles."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxvae import VAE, likelihoods, presets
from jaxvae.errors import InputError
from jaxvae.nets import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder, SharedLogVar
from jaxvae.nets.conv_layers import Conv, ConvTranspose
from jaxvae.posteriors import BottomUp
from jaxvae.priors import StandardNormal, TopDown

LAYER = MLPEncoder((3,), 4)
PAIRS = {
    "mlp": (VAE(MLPEncoder([16], 8), MLPDecoder([16], [8, 8, 1]), StandardNormal(4)),
            VAE(MLPEncoder((16,), 8), MLPDecoder((16,), (8, 8, 1)), StandardNormal(4))),
    "conv": (VAE(ConvEncoder([2], [3], 4), ConvDecoder([2], [], [8, 8, 1]), StandardNormal(2)),
             VAE(ConvEncoder((2,), (3,), 4), ConvDecoder((2,), (), (8, 8, 1)), StandardNormal(2))),
    "arrays": (MLPDecoder(np.array([16]), np.array([8, 8, 1])), MLPDecoder((16,), (8, 8, 1))),
    "shared": (SharedLogVar(MLPDecoder([4], [2])), SharedLogVar(MLPDecoder((4,), (2,)))),
    "layers": (Conv(3, [4, 4], [2, 2]), Conv(3)),
    "transposed layers": (ConvTranspose(3, [4, 4]), ConvTranspose(3)),
    "bottom up": (BottomUp([LAYER]), BottomUp((LAYER,))),
    "top down": (TopDown(StandardNormal(2), [LAYER]), TopDown(StandardNormal(2), (LAYER,))),
    "dtype": (MLPEncoder((), 2, dtype="bfloat16"), MLPEncoder((), 2, dtype=jnp.bfloat16)),
    "numpy's dtype": (ConvEncoder((), (), 2, dtype=np.dtype("float32")), ConvEncoder((), (), 2, dtype=np.float32)),
    "several layers": (presets.build("vae", (2, 2, 1), upper_latent_dims=(3,)),
                       presets.build("vae", [2, 2, 1], upper_latent_dims=[3])),
}  # fmt: skip
COPIES = {
    "itself": lambda model: model,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("travel", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize(("model", "same"), PAIRS.values(), ids=PAIRS)
def test_equal_whatever_it_is_made_of_and_however_it_travels(model, same, travel):
    assert travel(model) == same
    assert hash(travel(model)) == hash(same)


ACTIVATIONS = [nn.relu, nn.gelu, nn.silu, nn.leaky_relu, jnp.tanh, jnp.sin, nn.softplus, nn.elu]


@jax.jit
def jitted(x):
    return jnp.square(x)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, jitted], ids=lambda f: f.__name__)
def test_activations_travel_by_name(activation):
    net = MLPEncoder((3,), 2, activation)
    assert pickle.loads(pickle.dumps(net)) == copy.deepcopy(net) == net


def test_a_model_of_others_networks_survives_deepcopy():
    model = VAE(nn.Sequential([nn.Dense(4), nn.relu]), nn.Dense(3), StandardNormal(2), likelihood=likelihoods.bernoulli)
    assert copy.deepcopy(model) == model


@pytest.mark.parametrize("dtype", ["int32", "no type"])
def test_a_dtype_that_networks_cannot_compute_in(dtype):
    with pytest.raises(InputError, match="dtype"):
        MLPEncoder((), 2, dtype=dtype)

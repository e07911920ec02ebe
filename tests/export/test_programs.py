"""`jax.export` for a batch of any size: the exported program gives the numbers of the model, whatever the batch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from jaxvae import elbo_loss, presets, rng

SHAPE = (7, 6, 1)
MODELS = {
    "mlp": presets.build("vae", SHAPE, latent_dim=2, hidden=(4,)),
    "conv": presets.build("conv_vae", SHAPE, latent_dim=2, hidden=(4,), channels=(2, 3)),
    "layers": presets.build("vae", SHAPE, latent_dim=2, hidden=(4,), upper_latent_dims=(2,), upper_hidden=(3,)),
}


@functools.cache
def initial(model):
    return jax.jit(model.init)(rng.root(0), jnp.zeros((1, *SHAPE)))


def functions(model, params):
    """Name -> a function of x, z and keys' data."""
    return {
        "encode": lambda x, z, data: model.encode(params, x).mean,
        "decode": lambda x, z, data: model.decode(params, z).mean,
        "reconstruct": lambda x, z, data: model.reconstruct(params, x),
        "sample_each": lambda x, z, data: model.sample_each(params, jax.random.wrap_key_data(data)),
        "loss": lambda x, z, data: jax.value_and_grad(
            lambda params: elbo_loss(params, jax.random.wrap_key_data(data), x, model=model)[0]
        )(params),
    }


def inputs(num):
    generator = np.random.default_rng(num)
    x = generator.integers(0, 2, (num, *SHAPE)).astype(np.float32)
    z = generator.normal(size=(num, 2)).astype(np.float32)
    return x, z, jax.random.key_data(rng.example_keys(rng.root(0), jnp.arange(num)))


@pytest.mark.quick_rows("mlp-decode", "mlp-loss")
@pytest.mark.parametrize("name", functions(None, None))
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_exported_for_any_batch(model, name):
    function = jax.jit(functions(model, initial(model))[name])
    (batch,) = export.symbolic_shape("b")
    symbolic = [jax.ShapeDtypeStruct((batch, *array.shape[1:]), array.dtype) for array in inputs(1)]
    with jax.debug_key_reuse(False):  # which takes two rows of keys, [2, b], for one
        exported = export.export(function)(*symbolic)
    for num in (1, 3):
        expected = function(*inputs(num))
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), exported.call(*inputs(num)), expected
        )

"""Half precision is for decoders that show the same with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Tokens
from jaxvae.explorer.pictures import looks_equal
from jaxvae.explorer.predictors import LSTM, Greedy, Recurrence
from jaxvae.explorer.sequences import looks_equal as same_rows
from jaxvae.explorer.weights import layer_as_json, weight_dtype
from jaxvae.options import given
from jaxvae.presets import build

SPACE = Tokens(4, 2)


@pytest.mark.parametrize(("weights", "dtype"), [((0.3, -0.1), np.float16), ((1000.3, -1000.1), np.float32)])
def test_weights_are_halved_only_where_no_pixel_changes(weights, dtype):
    model = build("vae", (1,), hidden=(), latent_dim=2, likelihood="mse")
    output = {"kernel": jnp.array(weights)[:, None], "bias": jnp.zeros(1)}
    assert weight_dtype(model, {"decoder": {"output": output}}, np.ones((1, 2), np.float32), looks_equal) == dtype


def test_all_weights_but_biases_have_the_type():
    recurrence = Recurrence(*np.ones((5, 2, 2), np.float32))
    layer = layer_as_json(Greedy(LSTM(np.ones((2, 2)), [recurrence], np.ones((2, 2))), 5, 1, 0), np.float16)
    assert layer["kind"] == "Greedy"
    assert layer["length"] == 5
    (inner,) = layer["predictor"]["layers"]
    arrays = {**inner, **layer["predictor"]}
    assert {arrays[name].dtype for name in ("start", "given", "inputs", "kernel", "embedding", "output")} == {
        np.dtype("f2")
    }
    assert inner["bias"].dtype == np.float32


@pytest.mark.parametrize(("last", "dtype"), [(-1, np.float16), (1, np.float32)])
def test_tokens_have_half_precision_only_where_every_row_stays(last, dtype):
    """Above 0, the code decides between two tokens whose weights are one in half precision."""
    model = given(preset="lstm_vae", latent_dim=1, **{"likelihood.hidden": (1,)}).build(SPACE)
    shapes = jax.eval_shape(model.init, jax.random.key(0), SPACE.zeros(1))
    params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), shapes)
    params["likelihood"]["starts_0"]["kernel"] = jnp.ones((1, 1))
    params["likelihood"]["output"]["kernel"] = jnp.array([[0, 0, 1, 1.0001]])
    codes = np.full((150, 1), -1, np.float32)
    codes[-1] = last
    assert weight_dtype(model, params, codes, same_rows) == dtype

"""Networks of tokens: windows, causality, steps that agree with whole rows, and padding that is not read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.data.spaces import Real, Tokens
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import Bound, TokenEncoder, TokenMLP, TokenPredictor
from jaxvae.nets.tokens import windows

ROWS = jnp.array([[3, 4, 5, 2, 1, 0], [5, 1, 0, 0, 0, 0]])
CONTEXT = jnp.array([[0.5, -1.0], [1.0, 2.0]])


def predictor(**options):
    network = TokenPredictor(6, (16,), embedding=5, window=3, **options)
    return Bound(network.init(jax.random.key(0), ROWS, CONTEXT)["params"], network)


def test_windows_are_a_loop():
    tokens, padded = np.arange(7, 12), np.r_[[99] * 3, np.arange(7, 12)]
    np.testing.assert_array_equal(windows(jnp.asarray(tokens), 3, 99), [padded[t : t + 3] for t in range(5)])
    np.testing.assert_array_equal(windows(jnp.asarray(tokens), 3, 99, 1), [padded[t + 1 : t + 4] for t in range(5)])


def test_steps_agree_with_the_whole_row():
    network = predictor()
    state, logits = network(CONTEXT, method="start")
    whole = network(ROWS, CONTEXT)
    for position in range(6):
        np.testing.assert_allclose(logits, whole[:, position], rtol=1e-5, atol=1e-6)
        state, logits = network(state, ROWS[:, position], CONTEXT, method="step")


def test_a_token_is_predicted_from_the_window_before_it_and_from_the_context():
    depends = jax.jacobian(lambda shift: predictor_on_vectors(shift)[0])(jnp.zeros((6, 5)))
    seen = np.abs(depends).sum((1, 3)) > 0  # [predicted, read]
    expected = [[0 < predicted - read <= 3 for read in range(6)] for predicted in range(6)]
    np.testing.assert_array_equal(seen, expected)
    network = predictor()
    assert (jnp.abs(network(ROWS, CONTEXT) - network(ROWS, CONTEXT + 1)).max(-1) > 0).all()


def predictor_on_vectors(shift):
    """Logits where each token of a row of six different ones has a vector of its own, moved by `shift`."""
    network = TokenPredictor(8, (16,), embedding=5, window=3, activation=jnp.tanh)
    rows = jnp.arange(1, 7)[None]
    params = network.init(jax.random.key(0), rows, CONTEXT[:1])["params"]
    table = params["Embed_0"]["embedding"].at[1:7].add(shift)
    return Bound({**params, "Embed_0": {"embedding": table}}, network)(rows, CONTEXT[:1])


def test_encoder_reads_order_and_no_padding():
    network = TokenEncoder(6, (16,), 4, embedding=5)
    params = network.init(jax.random.key(0), ROWS)["params"]
    read = Bound(params, network)
    assert read(ROWS).shape == (2, 4)
    assert not np.allclose(read(ROWS), read(ROWS.at[0].set(jnp.array([4, 3, 5, 2, 1, 0]))))
    changed = {**params, "Embed_0": {"embedding": params["Embed_0"]["embedding"].at[0].set(1e3)}}  # padding's vector
    np.testing.assert_array_equal(read(ROWS), Bound(changed, network)(ROWS))
    assert np.isfinite(read(jnp.zeros_like(ROWS))).all()


def test_layers_compute_in_half_precision_and_parameters_stay():
    network = predictor(dtype="bfloat16")
    assert {leaf.dtype for leaf in jax.tree.leaves(network.params)} == {jnp.dtype("float32")}
    assert network(ROWS, CONTEXT).dtype == jnp.float32


def test_options_need_tokens_and_a_hidden_layer():
    with pytest.raises(InputError, match="networks: tokens needs rows of tokens, got Real; give --preset vae"):
        TokenMLP().encoder(Facts(Real((3,)), 2), 4)
    with pytest.raises(InputError, match="hidden: an encoder of tokens needs at least one hidden layer"):
        TokenMLP(()).encoder(Facts(Tokens(6, 5), 2), 4)

"""LSTM networks: padding that is not read, PyTorch's LSTM with the same weights, and bounds against quadrature."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import evaluation
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Real, Tokens
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS, LSTMTokens, WindowedTokens
from jaxvae.nets import NETWORKS, Identity, LSTMEncoder, LSTMPredictor, TokenLSTM, TransformerEncoder
from jaxvae.posteriors import DiagonalNormal
from jaxvae.priors import Standard
from jaxvae.rng import root

ROWS = jnp.array([[3, 4, 5, 2, 1, 0], [5, 1, 0, 0, 0, 0], [4, 3, 1, 0, 0, 0]])
ENCODERS = {
    "lstm": LSTMEncoder(6, (5,), 4, embedding=3),
    "two_layers": LSTMEncoder(6, (5, 4), 4, embedding=3),
    "transformer": TransformerEncoder(6, 4, 8, 2, 2),
}


@pytest.mark.quick_rows("lstm")
@pytest.mark.parametrize("name", ENCODERS)
def test_padding_changes_no_value_and_no_gradient(name):
    network = ENCODERS[name]
    params = jax.jit(network.init)(jax.random.key(0), ROWS)["params"]

    def read(rows):
        def loss(params):
            outputs = network.apply({"params": params}, rows)
            return (outputs**2).sum(), outputs

        return jax.jit(jax.grad(loss, has_aux=True))(params)

    (gradient, outputs), (of_longer, longer) = read(ROWS), read(jnp.pad(ROWS, ((0, 0), (0, 3))))
    assert outputs.shape == (3, 4)
    np.testing.assert_allclose(outputs, longer, rtol=1e-5, atol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), gradient, of_longer)
    apply = jax.jit(lambda rows: network.apply({"params": params}, rows))
    short = apply(ROWS[1:2, :2])
    np.testing.assert_allclose(outputs[1:2], short, rtol=1e-5, atol=1e-6)
    swapped = apply(ROWS.at[0].set(jnp.array([4, 3, 5, 2, 1, 0])))
    assert (np.abs(outputs - swapped).max(-1) > 1e-4).tolist() == [True, False, False]
    assert np.isfinite(apply(jnp.zeros_like(ROWS))).all()
    with_condition = jax.eval_shape(network.init, jax.random.key(0), ROWS, jnp.ones((3, 2)))["params"]
    assert with_condition["output"]["kernel"].shape[0] == params["output"]["kernel"].shape[0] + 2


def test_the_encoder_is_pytorchs_bidirectional_lstm_on_packed_rows():
    torch = pytest.importorskip("torch", reason="the extra bench is not installed")
    network = ENCODERS["two_layers"]
    params = network.init(jax.random.key(1), ROWS)["params"]
    x = torch.from_numpy(np.array(params["Embed_0"]["embedding"][ROWS]))
    for number, width in enumerate(network.hidden):
        lstm = torch.nn.LSTM(x.shape[-1], width, bidirectional=True, batch_first=True)
        load(torch, lstm, params[f"forward_{number}"], "")
        load(torch, lstm, params[f"backward_{number}"], "_reverse")
        lengths = torch.tensor([5, 2, 3])
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        outputs, (last, _) = lstm(packed)
        x, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    expected = np.concatenate(last.detach().numpy(), axis=-1) @ params["output"]["kernel"]
    np.testing.assert_allclose(network.apply({"params": params}, ROWS), expected, rtol=1e-4, atol=1e-6)


def test_the_predictor_is_pytorchs_lstm():
    torch = pytest.importorskip("torch", reason="the extra bench is not installed")
    network, z = LSTMPredictor(6, (5,), 3), jnp.array([[0.5, -1.0], [1.0, 2.0], [0.0, 0.3]])
    params = network.init(jax.random.key(1), ROWS, z)["params"]
    lstm = torch.nn.LSTM(3 + 2, 5, batch_first=True)
    load(torch, lstm, params["layers_0"], "")
    before = np.concatenate([np.full((3, 1), 6), ROWS[:, :-1]], axis=1)
    x = np.concatenate([params["embed"]["embedding"][before], np.repeat(z[:, None], 6, axis=1)], axis=-1)
    c = torch.from_numpy(np.array(z @ params["starts_0"]["kernel"]))[None]
    h, _ = lstm(torch.from_numpy(x), (torch.tanh(c), c))
    expected = h.detach().numpy() @ params["output"]["kernel"]
    np.testing.assert_allclose(network.apply({"params": params}, ROWS, z), expected, rtol=1e-4, atol=1e-6)


def load(torch, lstm, layer, suffix):
    """Put a layer's weights into PyTorch's, which has two biases."""
    weights = {"weight_ih_l0": layer["inputs"]["kernel"].T, "weight_hh_l0": layer["kernel"].T}
    weights |= {"bias_ih_l0": layer["inputs"]["bias"], "bias_hh_l0": 0 * layer["inputs"]["bias"]}
    with torch.no_grad():
        for name, weight in weights.items():
            getattr(lstm, name + suffix).copy_(torch.from_numpy(np.array(weight)))


def test_forget_gates_begin_open():
    layer = LSTMPredictor(6, (5,), 3).init(jax.random.key(0), ROWS, jnp.ones((3, 2)))["params"]["layers_0"]
    np.testing.assert_array_equal(layer["inputs"]["bias"], np.repeat([0, 1, 0, 0], 5))


def test_importance_weights_reach_the_evidence_by_quadrature():
    options = {"posterior": DiagonalNormal(), "prior": Standard(), "likelihood": LSTMTokens((8,), 4)}
    model = assemble(Facts(Tokens(4, 3), 1), networks=TokenLSTM((8,), 4), **options)
    params = model.init(jax.random.key(0), jnp.zeros((2, 3), jnp.int32))
    params["likelihood"] = jax.tree.map(lambda leaf: 3 * leaf, params["likelihood"])  # z matters
    rows = jnp.array([row for row in itertools.product(range(1, 4), repeat=3) if 1 not in row[:-1]])
    exact = evaluation.log_evidence(params, rows, model=model).log_px
    bounds = [
        evaluation.log_marginal_likelihood(params, root(0), rows, model=model, num_samples=num).log_px
        for num in (1, 2000)
    ]
    np.testing.assert_allclose(bounds[1], exact, atol=0.1)
    assert np.abs(bounds[1] - exact).mean() < np.abs(bounds[0] - exact).mean() / 3


def test_z_goes_to_the_likelihood_as_it_is():
    facts = Facts(Tokens(6, 5), 2)
    decoder = TokenLSTM().decoder(facts, LSTMTokens().decoder_shape(facts))
    assert decoder == Identity()
    z, condition = jnp.ones((3, 2)), jnp.zeros((3, 4))
    np.testing.assert_array_equal(decoder.apply({}, z), z)
    assert decoder.apply({}, z, condition).shape == (3, 6)
    assert TokenLSTM().decoder(facts, WindowedTokens().decoder_shape(facts)).shape == (64,)


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_networks_need_tokens(name):
    with pytest.raises(InputError, match=f"networks: {name} needs rows of tokens, got Real; give --preset vae"):
        NETWORKS[name]().encoder(Facts(Real((3,)), 2), 4)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lstm", {"hidden": ()}, "hidden: an LSTM needs at least one layer"),
        ("lstm", {"hidden": (0,)}, "hidden: must be at least 1, got 0"),
        ("lstm", {"embedding": 0}, "embedding: must be at least 1, got 0"),
        ("transformer", {"width": 20}, "width: 20 features for 4 heads; give a multiple of 8"),
        ("transformer", {"num_layers": 0}, "num_layers: must be at least 1, got 0"),
        ("dilated", {"width": 7}, "width: must be even, got 7"),
        ("dilated", {"dilations": (1, 0)}, "dilations: must be at least 1, got 0"),
        ("hierarchical", {"steps_per_bar": 0}, "steps_per_bar: must be at least 1, got 0"),
    ],
)
def test_sizes_that_make_no_network_are_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        LIKELIHOODS[name](**options)

"""Integer networks: sums that no order changes, tables beside SciPy, and every kind of pixels through a codec."""

import itertools
import types

import jax
import numpy as np
import pytest
from scipy.special import expit, log_softmax, ndtr, ndtri

import jaxvae
from jaxvae.coding import integer_nets, stream
from jaxvae.coding.exact_tables import ACTIVATIONS, POSITION, UNIT, logistic_curve, normal_curve, tabulated
from jaxvae.coding.integer_latents import EDGES, MOMENTS, IntegerBuckets
from jaxvae.coding.integer_nets import Dense, Input, IntegerLayer, calibrated, integer_net
from jaxvae.coding.integer_pixels import integer_pixels
from jaxvae.coding.portable import Trained, measured, portable_codec
from jaxvae.coding.rans import Message
from jaxvae.data.spaces import Counts, Pixels
from jaxvae.distributions import Bernoulli, CategoricalLevels, DiscretizedLogistic
from jaxvae.errors import InputError
from jaxvae.nets import activations
from jaxvae.runs.portable import codec_for

DRAW = np.random.default_rng(0)
SHAPE = (3, 2, 1)
OUTPUTS = 6
IMAGES = Pixels((8, 8, 1), kind="binary")
LIKELIHOODS = {
    "bernoulli": (Bernoulli(np.zeros((1, *SHAPE)), event_ndim=3), OUTPUTS),
    "categorical_levels": (CategoricalLevels(np.zeros((1, *SHAPE, 256)), event_ndim=3), 256 * OUTPUTS),
    "discretized_logistic": (
        DiscretizedLogistic(np.zeros((1, *SHAPE)), np.zeros((1, *SHAPE)), event_ndim=3),
        2 * OUTPUTS,
    ),
}


def dense(*widths, scale=1.0):
    return [
        Dense(
            DRAW.normal(0, scale / np.sqrt(inside), (inside, outside)).astype(np.float32),
            DRAW.normal(0, 0.3, outside).astype(np.float32),
        )
        for inside, outside in itertools.pairwise(widths)
    ]


def by_python(layer, x):
    """The layer by whole numbers of Python, one sum after another, the last first."""
    rows = []
    for row in x.tolist():
        sums = [int(bias) for bias in layer.bias]
        for number in reversed(range(len(row))):
            for output, weight in enumerate(layer.weights[number].tolist()):
                sums[output] += row[number] * int(weight)
                assert abs(sums[output]) < 2**31
        shifts = layer.shifts.tolist()
        rows.append([s << -n if n < 0 else (s + (1 << n >> 1)) >> n for s, n in zip(sums, shifts)])
    found = np.clip(np.array(rows), *((-(2**31) + 1, 2**31 - 1) if layer.table is None else (-4096, 4095)))
    return found if layer.table is None else layer.table[found + 4096]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_is_near_its_floats_and_no_order_of_sums_changes_it(activation):
    layers, x = dense(30, 20, 10, 4), DRAW.integers(0, 256, (8, 30))
    read = Input(0, 255, divisor=255)
    net = integer_net(layers, activation, read, calibrated(layers, activation, read, x), 12)
    exact, floats, permuted = x, np.float32(x / 255), x
    for number, layer in enumerate(net.layers):
        assert np.abs(layer.weights).max() <= 127
        np.testing.assert_array_equal(layer.weights, np.round(layer.weights))
        order = DRAW.permutation(exact.shape[1])
        permuted = IntegerLayer(layer.weights[order], layer.bias, layer.shifts, layer.table)(exact[:, order])
        exact = by_python(layer, exact)
        np.testing.assert_array_equal(permuted, exact)
        floats = floats @ layers[number].kernel + layers[number].bias
        if number < 2:
            floats = np.asarray(activations.ACTIVATIONS[activation](floats))
    np.testing.assert_array_equal(net(x), exact)
    np.testing.assert_allclose(exact / 2.0**12, floats, atol=0.02)


def test_large_weights_and_biases_do_not_leave_int32():
    layers = [Dense(np.full((5000, 2), 1e3, np.float32), np.array([3e9, -1e-3], np.float32)), *dense(2, 1)]
    x = np.full((1, 5000), 2048)
    read = Input(8, 2048)
    grids = calibrated(layers, "relu", read, x[:, ::-1])
    net = integer_net(layers, "relu", read, grids, 4)
    np.testing.assert_array_equal(net(x), by_python(net.layers[1], by_python(net.layers[0], x)))
    bound = 2048 * np.abs(net.layers[0].weights).sum(0) + np.abs(net.layers[0].bias)
    assert ((bound > 2**28) & (bound < 2**31)).all()


def test_tables_are_those_of_scipy():
    x = np.linspace(-9, 9, 4001)
    at = np.round(x * 2**POSITION).astype(np.int64)
    np.testing.assert_allclose(normal_curve().at(at), ndtr(at / 2**POSITION), atol=5e-8)
    np.testing.assert_allclose(logistic_curve().at(at), expit(at / 2**POSITION), atol=3e-7)
    edges = np.arange(1, 4096)
    np.testing.assert_allclose(
        normal_curve().inverse(edges << UNIT - 12, EDGES) / 2**EDGES, ndtri(edges / 4096), atol=2**-15
    )
    for name, function in ACTIVATIONS.items():
        found = tabulated(function, range(-4096, 4096), 9, 20) / 2**20
        np.testing.assert_allclose(found, activations.ACTIVATIONS[name](np.arange(-4096, 4096) / 2**9), atol=3e-6)


def bits_of(codec, symbols):
    message = Message(symbols.shape[1])
    before = message.bits
    codec.push(message, symbols)
    return message.bits - before


def test_buckets_have_the_masses_of_a_normal():
    mean, log_var = DRAW.normal(0, 1, (50, 3)), DRAW.uniform(-6, 0.5, (50, 3))
    z = mean + np.exp(log_var / 2) * DRAW.normal(size=(50, 3))
    numbers = np.floor(ndtr(z.T) * 1024).astype(np.int64)
    buckets = IntegerBuckets(3, 10)
    outputs = np.round(np.concatenate([mean, log_var], 1) * 2**MOMENTS).astype(np.int64)
    edges = ndtri(np.stack([numbers, numbers + 1]) / 1024)
    low, high = ndtr((edges - mean.T) / np.exp(log_var.T / 2))
    assert bits_of(buckets.normal(outputs), numbers) == pytest.approx(-np.log2(high - low).sum(), rel=0.003)
    np.testing.assert_allclose(buckets.values(numbers, 8) / 256, ndtri((numbers.T + 0.5) / 1024), atol=2**-8.9)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_pixels_have_the_probabilities_of_their_likelihood(name):
    distribution, num = LIKELIHOODS[name]
    pixels = integer_pixels(distribution)
    outputs = DRAW.uniform(-1.5, 0.5, (5, num))
    levels = DRAW.integers(0, pixels.top + 1, (OUTPUTS, 5))
    x = levels.T.reshape(5, *SHAPE) / pixels.top
    if name == "discretized_logistic":
        located = np.split(outputs.reshape(5, *SHAPE[:2], 2), 2, axis=-1)
        whole = DiscretizedLogistic(*located, event_ndim=3).log_prob(x)
    elif name == "bernoulli":
        whole = Bernoulli(outputs.reshape(5, *SHAPE), event_ndim=3).log_prob(x)
    else:
        likely = log_softmax(outputs.reshape(5, OUTPUTS, 256), -1)
        whole = np.take_along_axis(likely, levels.T[..., None], -1)
    intervals = pixels.intervals(np.round(outputs * 2**pixels.exponent).astype(np.int64))
    _, masses = intervals.of(levels)
    found = intervals.precision - np.log2(masses)
    assert found.sum() == pytest.approx(-np.asarray(whole).sum() / np.log(2), rel=0.003)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_what_is_pushed_is_popped_with_sums_in_another_order(name, monkeypatch):
    likelihood, num = LIKELIHOODS[name]
    model = Trained(dense(6, 5, 4), dense(2, 5, num), ("tanh", "relu"), likelihood, SHAPE)
    top = integer_pixels(likelihood).top
    x = DRAW.integers(0, top + 1, (9, *SHAPE)).astype(np.float32) / np.float32(top)
    grids = measured(model, x[:2])
    codec = portable_codec(model, grids, 10)
    np.testing.assert_array_equal(codec.nearest(x), x)
    coded = stream.encode(codec.of, x, x, 4)
    monkeypatch.setattr(integer_nets.IntegerLayer, "__call__", by_python)
    codec = portable_codec(model, grids, 10)
    steps = [step for block in stream.decode(codec.of, iter(coded.parts), coded.blocks, 4) for step in block]
    np.testing.assert_array_equal(np.concatenate(steps), x)


@pytest.mark.parametrize(
    ("space", "options", "told"),
    [
        (IMAGES, {"name": "conv_vae"}, "encoder is ConvEncoder"),
        (IMAGES, {"posterior": "multivariate_normal"}, "posterior is multivariate_normal"),
        (IMAGES, {"prior": "mixture", "prior.num_components": 2}, "prior is Mixture"),
        (IMAGES, {"likelihood": "mse"}, "likelihood is Normal"),
        (Counts((4,)), {}, "kind of examples is Counts"),
    ],
    ids=["networks", "posterior", "prior", "likelihood", "counts"],
)
def test_what_has_no_integers_is_refused_by_name(space, options, told):
    recipe = jaxvae.preset(**{"name": "vae", "latent_dim": 2, **options})
    model = recipe.build(space, num_examples=100)
    params = jax.eval_shape(model.init, jax.random.key(0), space.zeros(1))
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), params)
    run = types.SimpleNamespace(model=model, params=params, space=space)
    with pytest.raises(InputError, match=f"^portable: the run's {told}"):
        codec_for(run, np.asarray(space.zeros(1)), 10)

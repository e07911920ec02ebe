"""Every kind of example through a model's codec: untrained models are coded as exactly as trained ones."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multinomial

import jaxvae
from jaxvae.coding import divide, model_codec, stream
from jaxvae.coding.binomials import shared_out
from jaxvae.coding.events import Decoding, event
from jaxvae.coding.rans import Message
from jaxvae.data.spaces import Counts, Pixels, Table, Tokens
from jaxvae.distributions import Multinomial
from jaxvae.errors import InputError
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.likelihoods.tokens import TokenLikelihood
from jaxvae.objectives import elbo_terms

DRAW = np.random.default_rng(0)
NUM, LANES = 9, 4
SHADES = DRAW.integers(0, 256, (NUM, 3, 2, 1)).astype(np.float32) / np.float32(255)
COUNTS = DRAW.negative_binomial(0.3, 0.001, (NUM, 4)).astype(np.int32)
ENDS = DRAW.integers(0, 6, NUM)
TOKENS = np.where(np.arange(6) < ENDS[:, None], DRAW.integers(2, 7, (NUM, 6)), 0).astype(np.int32)
TOKENS[np.arange(NUM), ENDS] = 1
POINTS = np.linspace(-1, 3, 50).astype(np.float32)
CELLS = np.stack(
    [DRAW.choice(POINTS, NUM), DRAW.integers(0, 3, NUM), DRAW.integers(0, 400, NUM), DRAW.integers(0, 2, NUM)], 1
)
OBSERVED = DRAW.random(CELLS.shape) < 0.7
ROWS = {"x": np.where(OBSERVED, CELLS, 0).astype(np.float32), "observed": OBSERVED}
OF_ROWS = {"most": [0, 2, 399, 1], "missing": [20_000, 1, 60_000, 9], "points": [np.float64(POINTS), None, None, None]}
LAYERS = {"posterior": "layers", "prior": "layers", "posterior.upper_latent_dims": (2, 3)}
PIXELS, TABLE = Pixels((3, 2, 1)), Table((0, 3, 0, 2), kinds=("real", "categorical", "count", "categorical"))
ORDERED = Table((0, 3, 0, 2), kinds=("positive", "ordinal", "count", "ordinal"))
PRESSED = {"likelihood": "columns", "likelihood.ordinal": "beta_binomial", "likelihood.count": "poisson"}
ONE_HOT = {"posterior": "gumbel_softmax", "prior": "uniform_categories", "posterior.num_categories": 3}
CODES = {"preset": "vq_vae", "networks": "mlp", "posterior.num_codes": 6, "posterior.code_dim": 1}
LSTM = {"preset": "lstm_vae", "likelihood.hidden": (4,), "likelihood.embedding": 3}

CASES = {
    "binary": (PIXELS, np.round(SHADES), {"most": [0]}, {"likelihood": "bernoulli"}),
    "layers": (PIXELS, np.round(SHADES), {"most": [0]}, {"likelihood": "bernoulli", **LAYERS}),
    "logistic": (PIXELS, SHADES, {"most": [0]}, {"likelihood": "discretized_logistic"}),
    "beta": (PIXELS, SHADES, {"most": [0]}, {"likelihood": "beta_binomial"}),
    "levels": (PIXELS, SHADES, {"most": [0]}, {"likelihood": "categorical_levels"}),
    "counts": (Counts((4,)), COUNTS, {"most": [int(COUNTS.max())]}, {}),
    "totals": (
        Counts((4,)),
        COUNTS,
        {"most": [int(COUNTS.max())]},
        {"likelihood": "poisson", "likelihood.library": True},
    ),
    "shares": (Counts((4,)), COUNTS, {"most": [int(COUNTS.max())]}, {"likelihood": "multinomial"}),
    "one_hot": (PIXELS, np.round(SHADES), {"most": [0]}, {"likelihood": "bernoulli", **ONE_HOT}),
    "codes": (PIXELS, np.round(SHADES), {"most": [0]}, {"likelihood": "bernoulli", **CODES}),
    "tokens": (Tokens(7, 6), TOKENS, {"most": [0]}, LSTM),
    "rows": (TABLE, ROWS, OF_ROWS, {}),
    "ordered": (
        ORDERED,
        {**ROWS, "x": np.abs(ROWS["x"])},
        {**OF_ROWS, "points": [np.unique(np.abs(np.float64(POINTS)))] + [None] * 3},
        PRESSED,
    ),
}


def coded_as(name):
    """A model of a case with its parameters, the examples, and these as they are coded and decoded again."""
    space, x, statistics, options = CASES[name]
    recipe = jaxvae.preset(**{"name": "vae", "hidden": (5,), "latent_dim": 2, **_named(options)})
    model = recipe.build(space, num_examples=100)
    read = jax.tree.map(np.asarray, x)
    params = model.init(jax.random.key(0), read)
    codec = model_codec(model, params, space, statistics, width=LANES, latents=divide(model, params, space, 10))
    jax.tree.map(np.testing.assert_array_equal, codec.nearest(read), read)
    coded = stream.encode(codec.of, read, read, LANES)
    steps = [step for block in stream.decode(codec.of, iter(coded.parts), coded.blocks, LANES) for step in block]
    again = jax.tree.map(lambda *parts: np.concatenate(parts), *steps)
    jax.tree.map(np.testing.assert_array_equal, again, read)
    assert jax.tree.map(lambda array: array.dtype, again) == jax.tree.map(lambda array: array.dtype, read)
    return model, params, read, coded


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("one_hot", "codes")])
def test_what_is_pushed_is_popped(name):
    model, params, read, coded = coded_as(name)
    if name in ("binary", "layers", "logistic", "levels", "tokens"):
        # Within the bits of draws of the bound; six pixels leave the z of one example close to that of the one before.
        keys = jax.random.split(jax.random.key(1), 300)
        bound = jax.jit(lambda key: elbo_terms(params, key, read, model=model).elbo.sum())
        bits = -np.array(jax.lax.map(bound, keys)) / np.log(2)
        assert abs(coded.bits - bits.mean()) < 4 * np.sqrt(NUM) * bits.std() + 0.02 * bits.mean()


WITHOUT = {"continuous_bernoulli", "grey_cross_entropy", "mse", "normal_shared", "normal_pixel", "student_t"}
"""Likelihoods that are densities, or no distribution at all."""


@pytest.mark.parametrize("name", [name for name in LIKELIHOODS if name != "perceptual"])  # it needs a network's file
def test_every_likelihood_of_single_values_has_a_codec(name):
    is_tokens = issubclass(LIKELIHOODS[name], TokenLikelihood)
    space = Tokens(7, 6) if is_tokens else {"multinomial": Counts((4,)), "columns": TABLE}.get(name, PIXELS)
    recipe = jaxvae.preset("lstm_vae" if is_tokens else "vae", likelihood=name, latent_dim=2)
    model = recipe.build(space, num_examples=100)
    params = jax.eval_shape(model.init, jax.random.key(0), space.zeros(1))
    found = jax.eval_shape(model.decode, params, jnp.zeros((1, 2)))
    given = found, Decoding(model.decode, params, LANES), space.shape, OF_ROWS if name == "columns" else {"most": [1]}
    if name in WITHOUT:
        with pytest.raises(InputError, match=f"likelihood {type(found).__name__} gives no probabilities"):
            event(*given)
    else:
        assert event(*given)


def test_counts_of_a_known_sum_take_the_bits_of_the_multinomial():
    """With totals that differ by orders of magnitude, an empty example, and categories that never occur."""
    draw = np.random.default_rng(0)
    totals = np.array([0, 1, 7, 300, 20_000])
    logits = draw.normal(size=(5, 6)).astype(np.float32) * 3
    logits[:, 2] = -200
    distribution = Multinomial(jnp.asarray(logits), jnp.asarray(totals))
    counts = np.asarray(distribution.sample(jax.random.key(1)))
    codec = shared_out(np.asarray(distribution.chances).T, totals)
    message = Message(5)
    before = message.bits
    codec.push(message, counts.T.astype(np.int64))
    shares = softmax(np.float64(logits), axis=1)
    bits = -sum(multinomial.logpmf(row, n, p) for row, n, p in zip(counts, totals, shares)) / np.log(2)
    assert abs(message.bits - before - bits) < 5 * 0.001 * counts.shape[1] + 0.001 * bits
    np.testing.assert_array_equal(codec.pop(message).T, counts)
    assert message.bits == before


def test_codes_take_log_k_bits_each_and_their_examples_the_rest():
    """The posterior is certain, so the length is -log2 p(x|z) - log2 p(z) of the nearest codes, without noise."""
    model, params, read, coded = coded_as("codes")
    z = model.encode(params, read).mean
    expected = -(model.decode(params, z).log_prob(read) + model.prior(params).log_prob(z)).sum() / np.log(2)
    assert abs(coded.bits - expected) < 0.002 * expected


def test_one_hot_rows_take_the_bits_of_the_bound():
    """Of q without relaxation, whose expectation is a sum over all categories."""
    model, params, read, coded = coded_as("one_hot")
    q = model.encode(params, read).hard
    rows = np.eye(3, dtype=np.float32)[np.array(list(itertools.product(range(3), repeat=2)))]
    scores = [model.decode(params, np.repeat(z[None], NUM, 0)).log_prob(read) for z in rows]
    log_q = np.stack([q.log_prob(np.repeat(z[None], NUM, 0)) for z in rows])
    values = (log_q + 2 * np.log(3) - np.stack(scores)) / np.log(2)
    mean = (np.exp(log_q) * values).sum(0)
    variance = (np.exp(log_q) * np.square(values - mean)).sum()
    assert abs(coded.bits - mean.sum()) < 4 * np.sqrt(NUM * variance) + 0.02 * mean.sum()


def test_many_examples_take_the_bits_of_the_bound():
    """Of 1,200 examples the z are far enough from one another for the error of independent draws."""
    space, x, statistics, options = CASES["binary"]
    model = jaxvae.preset("vae", hidden=(5,), latent_dim=2, **options).build(space, num_examples=100)
    many = np.asarray(x)[np.random.default_rng(0).integers(0, len(x), 1200)]
    params = model.init(jax.random.key(0), many)
    codec = model_codec(model, params, space, statistics, width=32, latents=divide(model, params, space, 10))
    bound = jax.jit(lambda key: elbo_terms(params, key, many, model=model).elbo.sum())
    bits = -np.array(jax.lax.map(bound, jax.random.split(jax.random.key(1), 100))) / np.log(2)
    assert abs(stream.encode(codec.of, many, many, 32).bits - bits.mean()) < 4 * bits.std()


def _named(options):
    return (
        {"name": options["preset"], **{k: v for k, v in options.items() if k != "preset"}}
        if "preset" in options
        else options
    )

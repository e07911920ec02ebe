"""Every kind of example through a model's codec: untrained models are coded as exactly as trained ones."""

import jax
import numpy as np
import pytest

import jaxvae
from jaxvae.coding import divide, model_codec, stream
from jaxvae.data.spaces import Counts, Pixels, Table, Tokens
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


@pytest.mark.parametrize("name", CASES)
def test_what_is_pushed_is_popped(name):
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
    if name in ("binary", "layers", "logistic", "levels", "tokens"):
        # Within the bits of draws of the bound; six pixels leave the z of one example close to that of the one before.
        keys = jax.random.split(jax.random.key(1), 300)
        bound = jax.jit(lambda key: elbo_terms(params, key, read, model=model).elbo.sum())
        bits = -np.array(jax.lax.map(bound, keys)) / np.log(2)
        assert abs(coded.bits - bits.mean()) < 4 * np.sqrt(NUM) * bits.std() + 0.02 * bits.mean()


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

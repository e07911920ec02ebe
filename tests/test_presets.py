"""The table of variants: every row, every property."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.data.spaces import Counts, Pixels, Tokens
from jaxvae.errors import InputError
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.options import given
from jaxvae.options.names import options
from jaxvae.runs.parts import build_parts, initial_state
from jaxvae.training import make_train_step
from jaxvae.types import FROZEN, SCHEDULED, Batch

SHAPE = (9, 7, 1)
SPACE = Pixels(SHAPE, "ink")
TEXT = [name for name, row in presets.PRESETS.items() if getattr(row.networks, "reads", None) == "tokens"]
COUNTED = [name for name, row in presets.PRESETS.items() if getattr(row.networks, "reads", None) == "counts"]
OTHER_DATA = ("auto", *TEXT, *COUNTED)
ROWS = {name: row for name, row in presets.PRESETS.items() if name not in OTHER_DATA and row.condition == "none"}
CASES = [{"preset": name} for name in ROWS]
CASES += [{"posterior": kind} for kind in ("multivariate_normal", "delta", "gradient_quantized")]
ALONE = [kind for kind, cls in LIKELIHOODS.items() if cls.support in ("unit", "real") and kind != "perceptual"]
CASES += [{"likelihood": kind} for kind in ALONE]  # perceptual needs a network, see likelihoods/test_perceptual.py
CASES += [{"prior": "mixture"}, {"upper_latent_dims": (2,)}]
QUICK = ("vae", "iwae")


def small(case):
    """The recipe of a case with small networks, where it has such options."""
    recipe = given(**{"preset": "vae", "learning_rate": 3e-3, **case})
    if case.get("posterior") == "gradient_quantized":
        recipe = given(recipe, prior="uniform_codes", objective="quantized", latent_dim=8)
    sizes = {"hidden": (16,), "channels": (4, 8), "latent_dim": 3, "prior.num_inputs": 8, "prior.num_components": 4}
    sizes |= {"embedding": 8, "width": 16, "likelihood.hidden": (16,), "likelihood.embedding": 8}
    sizes |= {"likelihood.width": 16, "likelihood.conductor": 8, "likelihood.steps_per_bar": 3}
    sizes |= {"num_layers": 1, "likelihood.num_layers": 1, "num_blocks": 1, "posterior.num_flows": 2}
    whole = hasattr(recipe.posterior, "num_codes") or hasattr(recipe.posterior, "num_categories")
    kept = {name for name in options(recipe) if name != "latent_dim" or not whole}
    return given(recipe, **{name: value for name, value in sizes.items() if name in kept})


def marked(case):
    quick = set(QUICK) & set(map(str, case.values()))
    return pytest.param(case, marks=() if quick else pytest.mark.slow, id="-".join(map(str, case.values())))


@pytest.fixture(params=map(marked, CASES))
def recipe(request):
    return small(request.param)


@pytest.fixture
def x():
    return jax.random.bernoulli(jax.random.key(0), 0.3, (8, *SHAPE)).astype(jnp.float32)


def overfit(recipe, space, x):
    """Train on eight examples; check that the loss falls, and that no parameter stays. Returns model and parameters."""
    parts = build_parts(recipe, space, num_examples=8)
    start = initial_state(recipe, parts, examples=(x, None))
    step = make_train_step(
        parts.loss, parts.optimizer, schedules=parts.schedules, leaf_schedules=parts.model.schedules()
    )
    batch, step = Batch(x, jnp.arange(8), jnp.ones(8)), jax.jit(step)
    state, losses = start, []
    for _ in range(150):  # on a CPU convolutions are slow in a scan
        state, metrics = step(state, batch)
        losses.append(metrics["loss"])
    losses = np.asarray(losses)
    assert np.isfinite(losses).all()
    assert losses[-10:].mean() < losses[:10].mean() - 1
    labels = parts.model.labels(start.params)
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), start.params, state.params)
    assert all(jax.tree.leaves(jax.tree.map(lambda label, any: any or label in (SCHEDULED, FROZEN), labels, moved))), (
        moved
    )
    return parts.model, state.params


def test_a_row_overfits_eight_examples_with_every_parameter(recipe, x):
    model, params = overfit(recipe, SPACE, x)
    assert jax.eval_shape(model.reconstruct, params, x).shape == x.shape
    assert jax.eval_shape(lambda: model.sample(params, rng.root(1), 5)).shape == (5, *SHAPE)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in TEXT])
def test_a_row_of_text_overfits_eight_rows_with_every_parameter(name):
    space, words = Tokens(6, 7), np.random.default_rng(0).integers(3, 6, (8, 6))
    x = jnp.asarray(np.pad(words, ((0, 0), (0, 1)), constant_values=space.end), jnp.int32)
    model, params = overfit(small({"preset": name}), space, x)
    assert jax.eval_shape(model.reconstruct, params, x).shape == x.shape
    assert jax.eval_shape(lambda: model.sample(params, rng.root(1), 8)).shape == x.shape


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in COUNTED])
def test_a_row_of_counts_overfits_eight_rows_with_every_parameter(name):
    x = jnp.asarray(np.random.default_rng(0).negative_binomial(1, 0.1, (8, 6)), jnp.int32)
    model, params = overfit(small({"preset": name}), Counts((6,)), x)
    assert jax.eval_shape(model.reconstruct, params, x).shape == x.shape
    assert jax.eval_shape(lambda: model.sample(params, rng.root(1), 8)).shape == x.shape


def test_equal_builds_are_equal():
    assert presets.build("vae", SHAPE, latent_dim=3) == presets.build("vae", SHAPE, latent_dim=3)
    assert hash(presets.build("vae", SHAPE)) == hash(presets.build("vae", SHAPE))


@pytest.mark.parametrize("name", ["vae", "conv_vae", "piwae"])
def test_dtype_reaches_both_networks_and_no_parameter(name, x):
    model = presets.build(name, SHAPE, latent_dim=3, hidden=(16,), dtype="bfloat16")
    assert model == presets.build(name, SHAPE, latent_dim=3, hidden=(16,), dtype=jnp.bfloat16)
    assert model != presets.build(name, SHAPE, latent_dim=3, hidden=(16,))
    assert model.encoder.dtype == model.decoder.dtype == jnp.bfloat16
    params = jax.eval_shape(model.init, rng.root(0), x)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    loss, _ = jax.eval_shape(functools.partial(elbo_loss, model=model), params, rng.root(1), x)
    assert loss.dtype == jnp.float32


@pytest.mark.parametrize("dtype", ["float17", "int8", jnp.int32])
def test_dtype_must_be_a_floating_point_type(dtype):
    with pytest.raises(InputError, match="bfloat16"):
        presets.build("vae", SHAPE, dtype=dtype)


def test_convolutions_refuse_vectors_and_no_channels():
    with pytest.raises(InputError, match="use vae"):
        presets.build("conv_vae", (784,))
    with pytest.raises(InputError, match="channels"):
        presets.build("conv_vae", SHAPE, channels=())

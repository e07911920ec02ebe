"""The table of variants: every row, every property."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.options import given
from jaxvae.posteriors import POSTERIORS
from jaxvae.runs.parts import build_parts
from jaxvae.types import InputError

SHAPE = (9, 7, 1)
NAMES = [name for name in presets.PRESETS if name != "auto"]
CASES = [(name, None, None) for name in NAMES]
CASES += [("vae", posterior, None) for posterior in POSTERIORS if posterior not in ("normal", "layers")]
CASES += [("vae", None, likelihood) for likelihood in LIKELIHOODS if likelihood != "bernoulli"]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(word for word in case if word))
def parts(request):
    name, posterior, likelihood = request.param
    recipe = given(preset=name, latent_dim=3, hidden=(16,), posterior=posterior, likelihood=likelihood)
    return build_parts(recipe, SHAPE)


@pytest.fixture
def model(parts):
    return parts.model


@pytest.fixture
def loss(parts):
    return parts.loss


@pytest.fixture
def x():
    return jax.random.bernoulli(jax.random.key(0), 0.3, (8, *SHAPE)).astype(jnp.float32)


def test_shapes(model, x):
    params = jax.eval_shape(model.init, rng.root(0), x)
    assert jax.eval_shape(model.reconstruct, params, x).shape == x.shape
    assert jax.eval_shape(functools.partial(model.sample, num=5), params, rng.root(1)).shape == (5, *SHAPE)


def test_overfits_eight_examples_with_every_parameter(model, loss, x):
    start = jax.jit(model.init)(rng.root(0), x)
    optimizer = optax.adam(3e-3)

    def step(state, number):
        params, opt_state = state
        key = rng.stream(rng.root(1), "step", number)
        (value, _), gradient = jax.value_and_grad(loss, has_aux=True)(params, key, x)
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (optax.apply_updates(params, updates), opt_state), value

    @jax.jit
    def fit(params):
        return jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(150))

    (params, _), losses = fit(start)
    assert np.isfinite(losses).all()
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 1
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), start, params)
    assert all(jax.tree.leaves(moved)), moved


def test_equal_builds_are_equal(model):
    assert presets.build("vae", SHAPE, latent_dim=3) == presets.build("vae", SHAPE, latent_dim=3)
    assert hash(presets.build("vae", SHAPE)) == hash(presets.build("vae", SHAPE))


@pytest.mark.parametrize("name", NAMES)
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

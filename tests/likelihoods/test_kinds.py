"""Every kind of data: one bound, one step, samples of the data's form, conditions, half precision, eight examples."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import elbo_loss, rng
from jaxvae.objectives import iwae_loss
from jaxvae.training import init_state, make_train_step
from jaxvae.types import Batch


def as_jax(x):
    return jax.tree.map(jnp.asarray, x)


def shapes(tree):
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), jnp.result_type(leaf)), tree)


@functools.partial(jax.jit, static_argnames="model")
def initial(x, condition=None, *, model):
    return model.init(jax.random.key(0), x, condition)


def test_blank_examples_have_the_form_of_real_ones(kind):
    assert shapes(kind.space.zeros(8)) == shapes(as_jax(kind.x))


@pytest.mark.quick_rows("vectors", "signals", "tokens")
def test_samples_and_points_have_the_form_of_examples(kind, build):
    model = build(kind)
    x = as_jax(kind.x)
    params = initial(x, model=model)

    @jax.jit
    def sampled(params, keys):
        p = model.decode(params, jnp.zeros((8, 2)))
        sample = p.sample(keys)
        return sample, p.log_prob(sample)

    sample, score = sampled(params, rng.example_keys(jax.random.key(1), jnp.arange(8)))
    assert shapes(sample) == shapes(x)
    assert np.isfinite(score).all()
    for other in (
        jax.eval_shape(lambda: model.sample(params, jax.random.key(2), 8)),
        jax.eval_shape(lambda: model.reconstruct(params, x)),
    ):
        assert jax.tree.map(jnp.shape, other) == jax.tree.map(jnp.shape, x)


@pytest.mark.quick_rows("vectors", "columns")
@pytest.mark.parametrize("kind", ["vectors", "tokens", "columns", "poisson, library", "softmax levels"], indirect=True)
def test_an_importance_weighted_bound_takes_it(kind, build):
    model, x = build(kind), as_jax(kind.x)
    params = initial(x, model=model)
    elbo, iwae = (
        jax.jit(lambda params, loss=loss: loss(params, jax.random.key(1), x, model=model, num_samples=20)[0])(params)
        for loss in (elbo_loss, iwae_loss)
    )
    assert np.isfinite(iwae)
    assert iwae <= elbo


@pytest.mark.parametrize("kind", ["vectors", "tokens", "columns", "poisson, library", "signals"], indirect=True)
def test_conditions_reach_encoder_and_decoder(kind, build, labels):
    model, x = build(kind, condition=True), as_jax(kind.x)
    params = initial(x, labels, model=model)

    @jax.jit
    def both(given):
        return model.encode(params, x, given).mean, model.decode(params, jnp.zeros((8, 2)), given).log_prob(x)

    own = both(labels)
    for given in (labels[::-1], jnp.roll(labels, 1, 0)):
        assert not any(map(np.allclose, both(given), own))


@functools.partial(jax.jit, static_argnames="model")
def loss_and_gradient(params, x, *, model):
    return jax.value_and_grad(lambda params: elbo_loss(params, jax.random.key(1), x, model=model, num_samples=3)[0])(
        params
    )


@pytest.mark.quick_rows("vectors", "tokens")
@pytest.mark.parametrize("kind", ["vectors", "tokens", "columns", "poisson, library", "softmax levels"], indirect=True)
def test_half_precision_is_scored_in_float32(kind, build):
    x = as_jax(kind.x)
    params = initial(x, model=build(kind))
    full, half = (loss_and_gradient(params, x, model=build(kind, dtype=dtype)) for dtype in (None, jnp.bfloat16))
    assert all(leaf.dtype == jnp.float32 and jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(half))
    assert float(half[0]) == pytest.approx(float(full[0]), rel=0.02)
    assert half[0] != full[0]


@pytest.mark.quick_rows("vectors", "poisson")
def test_eight_examples_are_learned_by_heart(kind, build):
    model, x = build(kind), as_jax(kind.x)
    optimizer = optax.adam(0.01)
    train_step = make_train_step(functools.partial(elbo_loss, model=model, beta=0.1), optimizer)
    batch = Batch(x, jnp.arange(8), jnp.ones(8))

    @jax.jit
    def train(key):
        state = init_state(key, model.init(key, x), optimizer)
        return jax.lax.scan(lambda state, _: train_step(state, batch), state, length=300)[0].params

    @jax.jit
    def scores(params):
        """Log p(x_i given z_j)."""
        z = model.encode(params, x).mean
        return jax.vmap(lambda one: model.decode(params, jnp.broadcast_to(one, z.shape)).log_prob(x), out_axes=1)(z)

    params = train(jax.random.key(0))
    np.testing.assert_array_equal(scores(params).argmax(1), np.arange(8))

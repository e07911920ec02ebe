"""JAX's strict settings: losses, gradients, training steps and estimates run under each, with the same numbers."""

import contextlib
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.evaluation import evaluate_elbo, log_marginal_likelihood
from jaxvae.training import init_state, make_train_step
from jaxvae.types import Batch

MODELS = {
    "mlp": presets.build("vae", (6, 6, 1), latent_dim=2, hidden=(4,)),
    "conv": presets.build("conv_vae", (6, 6, 1), latent_dim=2, hidden=(4,), channels=(2,), likelihood="normal_shared"),
}


@contextlib.contextmanager
def no_promotion():
    """Refuse every promotion of ranks and dtypes."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


SETTINGS = {
    "promotion": no_promotion,
    "x64": lambda: jax.enable_x64(True),
    "nans": lambda: jax.debug_nans(True),
}
# NumPy's default, float64, is what a user has in hand.
X = np.random.default_rng(0).integers(0, 2, (4, 6, 6, 1)).astype(np.float64)


def numbers(model):
    """A loss and its gradient; a training step; two estimates."""
    params = jax.jit(model.init)(rng.root(0), X)
    keys = rng.example_keys(rng.root(1), jnp.arange(4))
    loss = functools.partial(elbo_loss, model=model)
    value_and_gradient = jax.jit(jax.value_and_grad(lambda params: loss(params, keys, X)[0]))(params)
    optimizer = optax.adam(1e-3)
    batch = Batch(jnp.asarray(X), jnp.arange(4), jnp.ones(4))
    state, metrics = jax.jit(make_train_step(loss, optimizer))(init_state(rng.root(2), params, optimizer), batch)
    estimates = (
        evaluate_elbo(params, rng.root(3), [batch], model=model).elbo,
        log_marginal_likelihood(params, rng.root(4), X, model=model, num_samples=4, samples_at_once=2).mean,
    )
    images = jax.jit(model.reconstruct)(params, X), jax.jit(model.sample, static_argnums=2)(params, rng.root(5), 3)
    return {"params": params, "new": state.params, "rest": (value_and_gradient, metrics["loss"], estimates, images)}


@functools.cache
def by_default(name):
    return jax.device_get(numbers(MODELS[name]))


@pytest.mark.quick_rows("mlp-x64")
@pytest.mark.parametrize(
    ("name", "setting"), [("mlp", "x64"), ("conv", "promotion"), ("mlp", "promotion"), ("conv", "nans")]
)
def test_settings_change_nothing(name, setting):
    expected = by_default(name)
    with SETTINGS[setting]():
        found = numbers(MODELS[name])
    assert {leaf.dtype for leaf in jax.tree.leaves((found["params"], found["new"]))} == {np.dtype("float32")}
    if setting == "x64":
        return  # a key draws other numbers in float64
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), found, expected)

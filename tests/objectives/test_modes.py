"""Value and gradient of every objective in the strict modes of JAX, in 64 bits, and for a batch of any size."""

import contextlib
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from jaxvae import Functions, elbo_loss
from jaxvae.distributions import Bernoulli, MultivariateNormal, Normal
from jaxvae.objectives import CORRUPTIONS, ciwae_loss, denoising, iwae_loss, kl_only_loss, piwae_loss

X = jnp.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
OBJECTIVES = {
    "elbo": functools.partial(elbo_loss, num_samples=2, free_bits=jnp.array([0.1, 0.2])),
    "two samples": functools.partial(elbo_loss, num_samples=2),
    "schedule": functools.partial(elbo_loss, beta=jnp.float32(0.5), free_bits=jnp.float32(0.1)),
    "kl_only": kl_only_loss,
    "dreg": functools.partial(iwae_loss, num_groups=2, gradient="dreg"),
    "stl": functools.partial(iwae_loss, gradient="stl", beta=np.float32(0.5)),
    "ciwae": functools.partial(ciwae_loss, num_samples=3),
    "piwae": functools.partial(piwae_loss, num_samples=2, num_groups=2),
    "denoising": denoising(elbo_loss, CORRUPTIONS["noise"], 0.5),
}
ROWS = [*((name, "normal") for name in OBJECTIVES), ("two samples", "multivariate")]


@contextlib.contextmanager
def strictly():
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"), jax.debug_nans(True):
        yield


MODES = {"strict": strictly, "64 bits": lambda: jax.enable_x64(True)}
PARAMS = {"encoder": 0.3 * jnp.ones((3, 2)), "decoder": jnp.array([[0.5, -0.5, 0.1], [0.2, 0.3, -0.1]])}


def normal(params, x):
    return Normal(x @ params["encoder"], x @ params["encoder"] - 1.0)


def multivariate(params, x):
    mean = x @ params["encoder"]
    return MultivariateNormal(mean, jnp.broadcast_to(0.5 * jnp.eye(2, dtype=mean.dtype), (*mean.shape, 2)))


ENCODERS = {"normal": normal, "multivariate": multivariate}


def model(encode):
    return Functions(
        encode=encode,
        decode=lambda params, z: Bernoulli(z @ params["decoder"]),
        prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
    )


def value_and_gradient(name, posterior):
    loss = functools.partial(OBJECTIVES[name], model=model(ENCODERS[posterior]), weights=jnp.array([1.0, 0.5]))
    # Another function each time, or what one mode has traced would serve the other.
    return jax.jit(jax.value_and_grad(lambda *a: loss(*a), has_aux=True))(PARAMS, jax.random.key(0), X)


@functools.cache
def by_default(name, posterior):
    return value_and_gradient(name, posterior)


@pytest.mark.quick_rows(
    "elbo-normal-strict", "elbo-normal-64 bits", "two samples-multivariate-strict", "piwae-normal-strict"
)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "posterior"), ROWS)
def test_value_and_gradient_are_the_same(name, posterior, mode):
    expected = by_default(name, posterior)
    with MODES[mode]():
        got = value_and_gradient(name, posterior)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), got, expected)


@pytest.mark.quick_rows("elbo")
@pytest.mark.parametrize("name", OBJECTIVES)
def test_it_is_exported_for_a_batch_of_any_size(name):
    (batch,) = export.symbolic_shape("batch")
    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((batch, 3), (batch,))]

    def loss(x, weights):
        return OBJECTIVES[name](PARAMS, jax.random.key(0), x, model=model(normal), weights=weights)[0]

    exported = export.export(jax.jit(loss))(*shapes)
    weights = jnp.array([1.0, 0.5])
    np.testing.assert_allclose(exported.call(X, weights), loss(X, weights), rtol=1e-6)

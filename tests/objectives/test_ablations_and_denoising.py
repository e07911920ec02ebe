"""What a term of the bound is taken from, and what the encoder is given to see."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_loss, presets, rng
from jaxvae.objectives import CORRUPTIONS, denoising, kl_only_loss

SHAPE = (6, 5, 1)


@pytest.fixture(scope="module")
def model():
    return presets.build("vae", SHAPE, latent_dim=3, hidden=(16,))


@pytest.fixture(scope="module")
def x():
    return jax.random.bernoulli(jax.random.key(0), 0.3, (8, *SHAPE)).astype(jnp.float32)


@pytest.fixture(scope="module")
def params(model, x):
    return jax.jit(model.init)(rng.root(0), x)


def test_kl_only_takes_the_likelihood_from_the_encoder_and_nothing_from_the_decoder(model, params, x):
    keys = rng.example_keys(rng.root(1), jnp.arange(len(x)))
    arguments = (params, keys, x)

    def kl(params, key, x):
        return elbo_loss(params, key, x, model=model)[1].kl.mean()

    def gradient_of(loss):
        return jax.jit(jax.value_and_grad(functools.partial(loss, model=model), has_aux=True))(*arguments)

    (loss, terms), gradient = gradient_of(kl_only_loss)
    (whole, whole_terms), whole_gradient = gradient_of(elbo_loss)
    kl_gradient = jax.jit(jax.grad(kl))(*arguments)
    close = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7)
    jax.tree.map(close, (loss, terms), (whole, whole_terms))
    jax.tree.map(close, gradient["encoder"], kl_gradient["encoder"])
    jax.tree.map(close, gradient["decoder"], whole_gradient["decoder"])


@pytest.mark.parametrize(("name", "level"), [(name, level) for name in CORRUPTIONS for level in (0.0, 0.25, 1.0)])
def test_how_much_is_spoilt(name, level):
    x = jnp.full((200, 200), 0.5)
    spoilt = CORRUPTIONS[name](rng.root(2), x, level)
    assert spoilt.dtype == x.dtype
    if name == "noise":
        assert spoilt.std() == pytest.approx(level, abs=6 * level / (2 * x.size) ** 0.5 + 1e-9)
        assert spoilt.mean() == pytest.approx(0.5, abs=6 * level / x.size**0.5 + 1e-9)
    else:
        salt = level / 2 if name == "salt_and_pepper" else 0
        for became, share in (((spoilt != x), level), ((spoilt == 1), salt), ((spoilt == 0), level - salt)):
            error = 6 * (share * (1 - share) / x.size) ** 0.5
            assert became.mean() == pytest.approx(share, abs=error + 1e-6)


@pytest.mark.parametrize("per_example", [False, True])
def test_the_encoder_sees_the_spoilt_and_the_likelihood_the_clean(params, x, per_example, model):
    seen = []
    key = rng.example_keys(rng.root(3), jnp.arange(len(x))) if per_example else rng.root(3)

    def spy(params, x, *given):
        seen.append(x)
        return model.encode(params, x, *given)

    class Spy:
        encode, decode, prior = staticmethod(spy), staticmethod(model.decode), staticmethod(model.prior)

    loss = denoising(elbo_loss, CORRUPTIONS["masking"], 0.5)
    _, terms = loss(params, key, x, model=Spy)
    (spoilt,) = seen
    assert ((spoilt == 0) | (spoilt == x)).all()
    assert 0.3 < (spoilt.sum() / x.sum()) < 0.7
    _, clean = denoising(elbo_loss, CORRUPTIONS["masking"], 0.0)(params, key, x, model=model)
    _, plain = elbo_loss(params, key, x, model=model)
    jax.tree.map(np.testing.assert_array_equal, clean, plain)
    assert (terms.kl != plain.kl).any()


def test_an_examples_corruption_does_not_depend_on_its_batch(model, params, x):
    keys = rng.example_keys(rng.root(4), jnp.arange(len(x)))
    loss = jax.jit(functools.partial(denoising(elbo_loss, CORRUPTIONS["noise"], 0.3), model=model))
    whole, part = loss(params, keys, x)[1].kl, loss(params, keys[3:5], x[3:5])[1].kl
    np.testing.assert_allclose(whole[3:5], part, rtol=1e-5)

"""Numbers of NumPy and JAX are checked as Python's are, and traced ones are let through."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, elbo_loss, latent, rng
from jaxvae.arguments import asked, check_number, whole_number
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.likelihoods import FixedNormal
from jaxvae.objectives import CORRUPTIONS, ciwae_loss, denoising, importance_weighted_bound, iwae_loss
from jaxvae.priors import StandardNormal

KINDS = {
    "Python": float,
    "NumPy": np.float32,
    "NumPy array": lambda value: np.array(value, np.float64),
    "JAX": jnp.float32,
    "among others": lambda value: jnp.array([1.0, value, 1.0]),
}
X = jnp.ones((3, 2))
MODEL = Functions(
    encode=lambda params, x: Normal(x, jnp.zeros_like(x)),
    decode=lambda params, z: Normal(z, jnp.zeros_like(z)),
    prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)),
)


def bound(objective, **options):
    return objective(None, jax.random.key(0), X, model=MODEL, **options)


def corrupt(name, level):
    return bound(denoising(elbo_loss, CORRUPTIONS[name], level))


REALS = {  # name -> (function, the range, a number beyond it)
    "beta": (lambda v: bound(elbo_loss, beta=v), "0 or more and finite", -1.0),
    "free_bits": (lambda v: bound(elbo_loss, free_bits=v), "0 or more and finite", -0.5),
    "weights": (lambda v: bound(elbo_loss, weights=jnp.broadcast_to(v, 3)), "0 or more and finite", -1.0),
    "elbo_share": (lambda v: bound(ciwae_loss, num_samples=2, elbo_share=v), "from 0 to 1", 1.5),
    "level": (functools.partial(corrupt, "noise"), "0 or more and finite", -1.0),
    "level ": (functools.partial(corrupt, "masking"), "from 0 to 1", 2.0),
    "level  ": (functools.partial(corrupt, "salt_and_pepper"), "from 0 to 1", 1.5),
    "scale": (lambda v: latent.vary(jax.random.key(0), jnp.zeros(3), 2, v), "0 or more and finite", -1.0),
    "widen": (
        lambda v: latent.vary_posterior(jax.random.key(0), Normal(jnp.zeros(3), jnp.zeros(3)), 2, v),
        "0 or more and finite",
        -1.0,
    ),
    "strength": (lambda v: latent.edit(jnp.zeros((3, 2)), jnp.ones(2), v), "finite", np.inf),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REALS)
def test_a_number_out_of_range_is_named(name, kind):
    call, wanted, beyond = REALS[name]
    for value in (beyond, np.nan):
        with pytest.raises(InputError, match=f"{name.strip()}: must be {wanted}, got {value}"):
            call(KINDS[kind](value))


WHOLE = {  # name -> function of it
    "num_samples": lambda n: bound(elbo_loss, num_samples=n),
    "num_samples ": lambda n: jax.random.key_data(rng.sample_keys(jax.random.key(0), n)),
    "num_groups": lambda n: bound(iwae_loss, num_groups=n),
    "block_size": lambda n: bound(importance_weighted_bound, num_samples=2, block_size=n),
    "latent_dim": lambda n: StandardNormal(n)(None).mean,
    "k": lambda n: latent.nearest(X, X, n),
    "num": lambda n: latent.prior_quantiles(n),
    "num ": lambda n: latent.vary(jax.random.key(0), jnp.zeros(2), n),
    "num_per_leg": lambda n: latent.path_through(X, n),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_of_every_library_are_alike(name):
    expected = WHOLE[name](2)
    for two in (np.int64(2), np.array(2), jnp.int32(2)):
        jax.tree.map(np.testing.assert_array_equal, WHOLE[name](two), expected)
    for none in (0, np.int32(0), jnp.int32(0)):
        with pytest.raises(InputError, match=rf"{name.strip()}: must be .* got 0"):
            WHOLE[name](none)
    for wrong in (2.0, np.float32(2), True, "2", None, jnp.ones((2, 2))):
        with pytest.raises(TypeError, match=f"{name.strip()}: must be a whole number, got") as caught:
            WHOLE[name](wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("points", [latent.interpolate, latent.slerp])
def test_a_path_has_two_ends(points):
    for one in (1, np.int64(1), jnp.int32(1)):
        with pytest.raises(InputError, match="num: must be at least 2, got 1"):
            points(X[0], X[1], one)
    assert points(X[0], X[1], jnp.int32(3)).shape == (3, 2)


def test_a_dimension_lies_in_the_code():
    for beyond in (2, np.int64(-1), jnp.int32(2)):
        with pytest.raises(InputError, match=r"dimension: must be from 0 to 1, got"):
            latent.traversal(jnp.zeros(2), beyond, jnp.ones(3))
    assert latent.traversal(jnp.zeros(2, int), np.int64(1), jnp.array([0.5]))[0].tolist() == [0, 0.5]


def test_pieces_made_of_equal_numbers_are_equal():
    assert {StandardNormal(2), StandardNormal(np.int64(2)), StandardNormal(jnp.int32(2))} == {StandardNormal(2)}
    assert {FixedNormal(0.5), FixedNormal(np.float32(0.5)), FixedNormal(jnp.float32(0.5))} == {FixedNormal(0.5)}
    for wrong in (jnp.ones(2), "one"):
        with pytest.raises(TypeError, match="scale: must be "):
            FixedNormal(wrong)
    for wrong in (0.0, np.float64(-1), jnp.float32(jnp.nan)):
        with pytest.raises(InputError, match="scale: must be above 0 and finite, got"):
            FixedNormal(wrong)


def test_what_is_traced_is_let_through():
    def loss(number, whole):
        options = {"beta": number, "free_bits": number, "weights": jnp.broadcast_to(number, 3)}
        check_number("number", number)
        with pytest.raises(TypeError, match="num_samples: must be known before tracing"):
            bound(elbo_loss, num_samples=whole)
        return bound(elbo_loss, **options)[0] + corrupt("masking", number)[0]

    assert jnp.isfinite(jax.jit(loss)(0.5, 2))


def test_words_are_no_numbers():
    with pytest.raises(TypeError, match="beta: must be a real number or an array of them, got str"):
        check_number("beta", "one")
    with pytest.raises(InputError, match="k: must be from 1 to 3, got 4"):
        whole_number("k", 4, 1, 3)


def test_an_empty_batch_is_refused():
    for objective in (elbo_loss, iwae_loss, functools.partial(importance_weighted_bound, num_samples=2)):
        with pytest.raises(InputError, match=r"x: a batch of at least one example is wanted, got shape \(0, 2\)"):
            objective(None, jax.random.key(0), X[:0], model=MODEL)


def test_a_gradient_that_does_not_exist_is_named():
    with pytest.raises(InputError, match=r"gradient: must be one of standard, stl, dreg, got 'dregs' \(did you mean"):
        bound(iwae_loss, gradient="dregs")


def needs(params, key, x, *, model, num_examples, axis_name=None, **options):
    del params, key, x, model, num_examples, axis_name, options


@functools.wraps(needs)
def wrapped(params, key, x, *, model, **options):
    return needs(params, key, x, model=model, **options)


KNOWN = {"num_examples": 10, "axis_name": "batch", "step": 3, "options": "a name of stars, not of an argument"}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (needs, {"num_examples", "axis_name"}),
        (wrapped, {"num_examples", "axis_name"}),
        (functools.partial(wrapped, model=MODEL), {"num_examples", "axis_name"}),
        (functools.partial(wrapped, num_examples=5), {"axis_name"}),
        (functools.wraps(functools.partial(needs, axis_name=None))(lambda *_, **__: None), {"num_examples"}),
        (jax.jit(needs, static_argnames="axis_name"), {"num_examples", "axis_name"}),
        (elbo_loss, set()),
    ],
)
def test_a_function_gets_what_it_has_an_argument_for(function, names):
    assert asked(function, KNOWN) == {name: KNOWN[name] for name in names}

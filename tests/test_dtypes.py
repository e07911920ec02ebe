"""Right numbers whatever the dtype: a table of public functions, each given numbers of every type.

The reference is the same function of the same numbers in float32, after the rounding that half precision needs.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvae
from jaxvae import Functions, elbo_loss, elbo_terms, latent, objectives, posteriors
from jaxvae.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Delta,
    GreyCrossEntropy,
    MultivariateNormal,
    Normal,
    kl_divergence,
)
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.objectives import CORRUPTIONS

ALWAYS = ["bool", "uint8", "bfloat16"]
OTHERS = ["int8", "uint32", "float16"]
"""Types of which each function gets one, in turns."""
ON_HOST = ["int64", "float64"]
"""Types that NumPy has and JAX, unless told, has not."""


def key():
    """The same key, each time as a new one."""
    return jax.random.key(0)


def numbers(*shape, most=100, seed=0):
    """Whole numbers, which every type holds."""
    return np.random.default_rng(seed).integers(0, most + 1, shape)


ZEROS, UNIT = np.zeros((3, 4), np.float32), np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
HAS_IT = np.array([False, True, True, False, True])
LOGITS = np.random.default_rng(0).normal(size=(3, 4, 101)).astype(np.float32)


def bound(objective, **options):
    """An objective as a function of the data alone."""
    model = Functions(
        encode=lambda params, x: Normal(jnp.asarray(UNIT), jnp.asarray(ZEROS)),
        decode=lambda params, z: Normal(z, jnp.zeros_like(z)),
        prior=lambda params: Normal(jnp.zeros(4), jnp.zeros(4)),
    )
    return lambda x, **given: objective(None, key(), x, model=model, **options, **given)


def factors(seed):
    """Lower triangles of 0 and 1, with a diagonal of 1."""
    return np.tril(numbers(3, 4, 4, most=1, seed=seed), -1) + np.eye(4, dtype=int)


BITS, VALUES, CODES = numbers(3, 4, most=1), numbers(3, 4), numbers(5, 4)
FEW, FEW_MORE = numbers(3, 4, most=3), numbers(3, 4, most=3, seed=1)
CASES = {  # name -> (function, numbers)
    "Bernoulli value": (Bernoulli(UNIT).log_prob, BITS),
    "GreyCrossEntropy value": (GreyCrossEntropy(UNIT).log_prob, BITS),
    "ContinuousBernoulli value": (ContinuousBernoulli(UNIT).log_prob, BITS),
    "Normal value": (Normal(UNIT, ZEROS).log_prob, VALUES),
    "MultivariateNormal value": (MultivariateNormal(UNIT, np.eye(4, dtype=np.float32)).log_prob, VALUES),
    "Categorical value": (Categorical(LOGITS).log_prob, VALUES),
    "Delta value": (Delta(numbers(3, 4, most=1).astype(np.float32)).log_prob, VALUES),
    "gaussian_kl": (lambda a, b: jaxvae.gaussian_kl(a, b, b, a), FEW, FEW_MORE),
    "multivariate_gaussian_kl": (
        lambda a, b, c, d: jaxvae.multivariate_gaussian_kl(a, b, c, d),
        FEW,
        factors(0),
        FEW_MORE,
        factors(1),
    ),
    "reparameterize": (lambda a, b: jaxvae.reparameterize(key(), a, b), FEW, FEW_MORE),
    "nearest": (lambda a, b: latent.nearest(a, b, 3), CODES, numbers(6, 4, seed=1)),
    "interpolate": (lambda a, b: latent.interpolate(a, b, 3), CODES, CODES[::-1]),
    "halfway": (latent.halfway, CODES, CODES[::-1]),
    "slerp": (lambda a, b: latent.slerp(a, b, 3), CODES, CODES[::-1]),
    "path_through": (lambda codes: latent.path_through(codes, 3), CODES),
    "path_through, arcs": (lambda codes: latent.path_through(codes, 3, spherical=True, closed=True), CODES),
    "traversal": (lambda z: latent.traversal(z, 1, UNIT[0]), CODES[0]),
    "vary": (lambda z: latent.vary(key(), z, 2), CODES),
    "vary, its scale": (lambda scale: latent.vary(key(), UNIT, 2, scale), CODES[0]),
    "vary_posterior": (lambda widen: latent.vary_posterior(key(), Normal(UNIT, ZEROS), 2, widen), np.array(2)),
    "edit": (lambda z, direction: latent.edit(z, direction, 1.5), CODES, CODES[0]),
    "edit, its strength": (lambda strength: latent.edit(ZEROS[0], UNIT[0], strength), CODES[0]),
    "attribute_vector": (lambda codes: latent.attribute_vector(codes, HAS_IT), CODES),
    "attribute_direction": (lambda values: latent.attribute_direction(UNIT, values), np.array([0, 1, 1])),
    "logistic_direction": (lambda codes: latent.logistic_direction(codes, HAS_IT), CODES),
    "orthogonalize": (latent.orthogonalize, CODES[:2]),
    "pca": (lambda codes: latent.pca(codes).points, numbers(5, 4, most=1)),
    "weights": (lambda weights: bound(elbo_loss)(VALUES, weights=weights)[0], np.array([1, 0, 1])),
    "beta": (lambda beta: bound(elbo_loss)(VALUES, beta=beta), np.array([1, 0, 100])),
    "free_bits": (lambda free: bound(elbo_loss)(VALUES, free_bits=free), CODES[0]),
    "noise": (lambda x: CORRUPTIONS["noise"](key(), x, 0.5), VALUES),
    "elbo_terms": (bound(elbo_terms), VALUES),
    "elbo_loss": (bound(elbo_loss), VALUES),
    "kl_only_loss": (bound(objectives.kl_only_loss), VALUES),
    "iwae_loss": (bound(objectives.iwae_loss), VALUES),
    "ciwae_loss": (bound(objectives.ciwae_loss, num_samples=2), VALUES),
    "piwae_loss": (bound(objectives.piwae_loss, num_samples=2, num_groups=2), VALUES),
    "denoising": (bound(objectives.denoising(elbo_loss, CORRUPTIONS["noise"], 0.5)), VALUES),
    "importance_weighted_bound": (bound(objectives.importance_weighted_bound, num_samples=3), VALUES),
    "log_importance_weights": (bound(objectives.log_importance_weights, num_samples=3), VALUES),
    "log_mean_exp": (objectives.log_mean_exp, VALUES),
    "normal head": (lambda outputs: posteriors.normal(outputs).log_prob(UNIT[:, :2]), FEW),
    "multivariate_normal head": (
        lambda outputs: posteriors.multivariate_normal(outputs).cholesky,
        numbers(3, 5, most=3),
    ),
    "bernoulli link": (LIKELIHOODS["bernoulli"]().link, np.array([0, 1])),
    "continuous_bernoulli link": (LIKELIHOODS["continuous_bernoulli"]().link, np.array([0, 1])),
    "mse head": (lambda outputs: LIKELIHOODS["mse"]()(outputs).log_prob(UNIT), FEW),
}
FAMILIES = {  # name -> (family, a value, parameters)
    "Bernoulli": (Bernoulli, BITS, FEW),
    "GreyCrossEntropy": (GreyCrossEntropy, BITS, FEW),
    "ContinuousBernoulli": (ContinuousBernoulli, BITS, FEW),
    "Normal": (Normal, VALUES, FEW, FEW_MORE),
    "MultivariateNormal": (MultivariateNormal, VALUES, FEW, factors(0)),
    "Categorical": (Categorical, np.minimum(VALUES, 3), numbers(3, 4, 4, most=3)),
}
for name, (family, value, *parameters) in FAMILIES.items():
    CASES[f"{name} parameters"] = (lambda *p, f=family, v=value: f(*p).log_prob(v), *parameters)
    CASES[f"{name} sample"] = (lambda *p, f=family: f(*p).sample(key()), *parameters)
    if not name.endswith("Normal"):
        CASES[f"{name} mean"] = (lambda *p, f=family: f(*p).mean, *parameters)
    if family not in (GreyCrossEntropy, ContinuousBernoulli):
        CASES[f"{name} KL"] = (lambda *p, f=family: kl_divergence(f(*p), f(*[q[::-1] for q in p])), *parameters)


def assert_close(got, expected):
    """Equal to the rounding of the result's type, which is real where that of float32 is."""
    assert jnp.issubdtype(got.dtype, jnp.floating) == jnp.issubdtype(expected.dtype, jnp.floating)
    digits = float(jnp.finfo(got.dtype).eps) if got.dtype in (jnp.float16, jnp.bfloat16) else 1e-5
    np.testing.assert_allclose(np.float32(got), np.float32(expected), rtol=digits, atol=digits)


@pytest.mark.quick_rows(
    "Normal value", "gaussian_kl", "reparameterize", "slerp", "pca", "elbo_loss", "iwae_loss", "normal head"
)
@pytest.mark.parametrize("name", CASES)
def test_numbers_of_every_type_are_those_of_float32(name):
    function, *arguments = CASES[name]
    known = {}  # the reference, for the numbers as they are and as booleans
    number = [*CASES].index(name)
    for dtype in [*ALWAYS, OTHERS[number % 3], ON_HOST[number % 2]]:
        typed = [np.asarray(argument).astype(jnp.dtype(dtype)) for argument in arguments]
        floats = [argument.astype(np.float32) for argument in typed]
        numbers = b"".join(argument.tobytes() for argument in floats)
        if numbers not in known:
            known[numbers] = function(*map(jnp.asarray, floats))
        expected = known[numbers]
        got = function(*typed) if dtype in ON_HOST else function(*map(jnp.asarray, typed))
        for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
            assert_close(jnp.asarray(a), jnp.asarray(b))


@pytest.mark.parametrize("name", ["masking", "salt_and_pepper"])
def test_corrupted_pixels_keep_their_type(name):
    for dtype in [*ALWAYS, *OTHERS]:
        x = jnp.asarray(VALUES, dtype)
        spoilt = CORRUPTIONS[name](key(), x, 0.5)
        assert spoilt.dtype == x.dtype
        np.testing.assert_array_equal(np.float32(spoilt), CORRUPTIONS[name](key(), jnp.asarray(x, jnp.float32), 0.5))


@pytest.mark.quick_rows("Normal value", "gaussian_kl", "slerp", "elbo_loss")
@pytest.mark.parametrize("name", CASES)
def test_the_strict_modes_of_jax_change_nothing(name):
    function, *arguments = CASES[name]
    typed = [jnp.asarray(argument, "uint8") for argument in arguments]
    expected = function(*typed)
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"), jax.debug_nans(True):
        got = function(*typed)
    jax.tree.map(np.testing.assert_array_equal, got, expected)


@pytest.mark.quick_rows("Normal value", "gaussian_kl", "slerp", "elbo_loss")
@pytest.mark.parametrize("name", CASES)
def test_with_64_bits_the_numbers_are_the_same(name):
    function, *arguments = CASES[name]
    expected = function(*[jnp.asarray(argument, jnp.float32) for argument in arguments])
    with jax.enable_x64(True):
        got = function(*[jnp.asarray(argument, jnp.int64) for argument in arguments])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), got, expected)

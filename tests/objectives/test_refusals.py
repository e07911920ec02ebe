"""What `elbo_loss` and its kin refuse, by shapes and types alone: an error that names the arguments, also under jit."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as numpyro
import pytest

from jaxvae import Functions, elbo_loss, rng
from jaxvae.distributions import Bernoulli, MultivariateNormal, Normal
from jaxvae.objectives import denoising, importance_weighted_bound
from jaxvae.objectives.denoising import noise

KEY = jax.random.key(0)
X = jnp.ones((4, 6))
ONES = jnp.ones((4, 2))


def normal(*shape, event_ndim=1):
    return lambda params, *rest: Normal(jnp.zeros(shape), jnp.zeros(shape), event_ndim)


MODEL = Functions(encode=normal(4, 2), decode=normal(4, 6), prior=normal(2))


def call(key=KEY, x=X, *, objective=elbo_loss, num_samples=1, condition=None, **changes):
    pieces = {name: changes.pop(name) for name in Functions._fields if name in changes}
    options = {"num_samples": num_samples, "condition": condition, "model": MODEL._replace(**pieces), **changes}
    return objective(None, key, x, **options)


REFUSED = {
    "a raw key": (
        {"key": np.array([0, 7], np.uint32)},
        TypeError,
        r"key: .*uint32 \(2,\); make one with jax.random.key",
    ),
    "a seed": ({"key": 7}, TypeError, "key: a typed key is wanted, got int"),
    "keys of others": ({"key": jax.random.split(KEY, 3)}, ValueError, r"key \(3,\) .* one row per example.* \(4, 6\)"),
    "words": ({"x": np.array([["a"] * 6] * 4)}, TypeError, "x: real numbers .* got <U1"),
    "complex numbers": ({"x": X * 1j}, TypeError, "x: real numbers .* got complex64"),
    "a list": ({"x": [[1.0]]}, TypeError, "x: real numbers .* got list"),
    "one number": ({"x": jnp.float32(1)}, ValueError, "x: a batch"),
    "no samples": ({"num_samples": 0}, ValueError, "num_samples: must be at least 1, got 0"),
    "half a sample": ({"num_samples": 1.5}, TypeError, "float"),
    "conditions of others": ({"condition": ONES[:3]}, ValueError, r"condition \(3, 2\) .* x has \(4, 6\)"),
    "an encoder of arrays": (
        {"encode": lambda params, x: (x, x)},
        TypeError,
        "encode: must return a distribution.* tuple",
    ),
    "a decoder of arrays": ({"decode": lambda params, z: z}, TypeError, "decode: must return a distribution.* got "),
    "a prior of nothing": ({"prior": lambda params: None}, TypeError, "prior: must return a distribution.* NoneType"),
    "an image for a vector": ({"decode": normal(4, 2, 3, event_ndim=2)}, ValueError, r"value \(4, 6\) .*\(2, 3\)"),
    "4 for 4 x 1": ({"x": jnp.ones(4), "decode": normal(4, 1)}, ValueError, r"value \(4,\) .* \(4, 1\).*with \(1,\)"),
    "one pixel for six": ({"x": X[:, :1]}, ValueError, r"value \(4, 1\) .* \(4, 6\)"),
    "six pixels for one": ({"decode": normal(4, 1)}, ValueError, r"value \(4, 6\) .* \(4, 1\)"),
    "five decoded for four": ({"decode": normal(5, 6)}, ValueError, r"value \(4, 6\) .* \(5, 6\)"),
    "a prior of more dimensions": ({"encode": normal(4, 1)}, ValueError, r"prior \(2,\) .* posterior \(4, 1\)"),
    "a prior of others": ({"prior": normal(3)}, ValueError, r"prior \(3,\) .* posterior \(4, 2\)"),
    "NumPyro's column": (
        {"x": jnp.ones(4), "decode": lambda params, z: numpyro.Normal(jnp.zeros((4, 1)), 1.0)},
        ValueError,
        r"value \(4,\) does not fit Normal",
    ),
    "NumPyro's image": (
        {"x": jnp.ones((4, 1)), "decode": lambda params, z: numpyro.Normal(jnp.zeros((4, 6)), 1.0).to_event(1)},
        ValueError,
        r"value \(4, 1\) does not fit Independent",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_bound_can_be_made_of_is_named(name):
    arguments, error, message = REFUSED[name]
    with pytest.raises(error, match=message) as caught:
        call(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a raw key", "no samples", "an encoder of arrays", "one pixel for six"])
def test_the_importance_weighted_bound_refuses_the_same(name):
    arguments, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call(objective=importance_weighted_bound, **arguments)


WEIGHTS = {
    "beta of others": ({"beta": jnp.ones(3)}, r"beta \(3,\) must be one number, or one per example.* \(4,\)"),
    "beta in a column": ({"beta": jnp.ones((4, 1))}, r"beta \(4, 1\)"),
    "negative beta": ({"beta": -1.0}, "beta: must be 0 or more and finite, got -1.0"),
    "beta that is no number": ({"beta": float("nan")}, "beta: must be 0 or more and finite, got nan"),
    "negative free bits": ({"free_bits": -0.1}, "free_bits: must be 0 or more and finite, got -0.1"),
    "weights in a column": ({"weights": jnp.ones((4, 1))}, r"weights \(4, 1\) must have one number per example"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_make_no_sense_are_named(name):
    options, message = WEIGHTS[name]
    with pytest.raises(ValueError, match=message):
        call(**options)


def test_it_is_refused_while_it_is_traced():
    with pytest.raises(ValueError, match=r"value \(4, 1\) .* \(4, 6\)"):
        jax.jit(functools.partial(elbo_loss, model=MODEL))(None, KEY, X[:, :1])
    with pytest.raises(TypeError, match="key: a typed key"):
        denoising(elbo_loss, noise, 0.1)(None, np.zeros(2, np.uint32), X, model=MODEL)


def test_numbers_of_every_real_type_are_taken():
    for dtype in (bool, np.uint8, np.int32, jnp.bfloat16, np.float32):
        loss, _ = call(x=jnp.ones((4, 6), dtype))
        assert loss == pytest.approx(6 * (0.5 + 0.5 * np.log(2 * np.pi)), rel=1e-6)


@pytest.mark.parametrize("prior", [(2,), (1,), (4, 2), (4, 1), ()])
def test_a_prior_may_be_the_same_for_all(prior):
    posterior = Normal(ONES, jnp.zeros_like(ONES))
    model = MODEL._replace(encode=lambda params, x: posterior, prior=normal(*prior))
    assert call(**model._asdict())[1].kl.tolist() == [1.0] * 4


def test_other_values_are_no_events():
    wide = MultivariateNormal(jnp.zeros(3), jnp.eye(3))
    for d in (wide, Bernoulli(jnp.zeros(3)), Normal(jnp.zeros(3), jnp.zeros(3))):
        with pytest.raises(ValueError, match=r"value \(5, 1\) .* must end with \(3,\)"):
            d.log_prob(jnp.ones((5, 1)))


def test_raw_keys_draw_nothing():
    raw = np.zeros(2, np.uint32)
    draws = (
        Normal(ONES, ONES).sample,
        lambda key: rng.stream(key, "x"),
        lambda key: rng.example_keys(key, jnp.arange(3)),
    )
    for draw in draws:
        with pytest.raises(TypeError, match=r"make one with jax\.random\.key"):
            draw(raw)

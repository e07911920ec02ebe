"""The bound of whatever comes: never a finite number that is wrong. The reference is the same sums in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jaxvae import Functions, elbo_loss
from jaxvae.distributions import Bernoulli, Normal

pytestmark = pytest.mark.slow
EDGES = [0.0, 1e-20, 1e-3, 1.0, 30.0, 1e4, 1e15]


def hostile(*shape, least=-1e15, most=1e15, finite=True):
    """Float32 from the least to the most, edges among them; and, if wanted, what is no number or has no end."""
    edges = [value for edge in EDGES for value in (edge, -edge) if least <= value <= most]
    usual = st.floats(float(np.float32(least)), float(np.float32(most)), width=32, allow_subnormal=False)
    endless = [] if finite else [np.inf, np.nan]
    return arrays(np.float32, shape, elements=st.sampled_from([*edges, *endless]) | usual, fill=st.nothing())


def arguments(finite):
    """Params, x, weights and beta."""
    bounds = {"mean": {}, "log_var": {"least": -80, "most": 80}, "outputs": {}}
    params = {name: hostile(4, 3 if name == "outputs" else 2, finite=finite, **bounds[name]) for name in bounds}
    positive = {"least": 0, "most": 1e4, "finite": finite}
    x = hostile(4, 3, least=0, most=1) if finite else hostile(4, 3, least=-2, most=2, finite=False)
    return st.tuples(st.fixed_dictionaries(params), x, hostile(4, **positive), hostile(**positive))


# Apart, because of so many numbers one without an end would be among almost all examples.
ARGUMENTS = arguments(finite=True) | arguments(finite=False)


def model(family):
    return Functions(
        encode=lambda params, x: Normal(params["mean"], params["log_var"]),
        decode=lambda params, z: family(params["outputs"]),
        prior=lambda params: Normal(np.zeros(2, np.float32), np.zeros(2, np.float32)),
    )


def bernoulli_log_prob(x, logits):
    return np.where((x < 0) | (x > 1), -np.inf, x * logits), -np.logaddexp(0, logits)


def times(weight, term):
    """Examples of weight 0 add nothing."""
    return np.where(weight == 0, 0, weight * term)


FAMILIES = {
    "bernoulli": (Bernoulli, bernoulli_log_prob),
    "normal": (
        lambda mean: Normal(mean, jnp.zeros_like(mean)),
        lambda x, mean: (-0.5 * np.log(2 * np.pi), -0.5 * (x - mean) ** 2),
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_elbo_loss(name):
    family, formula = FAMILIES[name]

    @jax.jit
    def loss(params, x, weights, beta):
        return elbo_loss(params, jax.random.key(0), x, model=model(family), weights=weights, beta=beta)[0]

    compared = []

    @given(ARGUMENTS)
    def check(given_arguments):
        params, x, weights, beta = given_arguments
        got = float(loss(params, x, weights, beta))
        if not np.isfinite(got):
            return
        compared.append(got)
        mean, log_var, outputs = (np.float64(params[key]) for key in ("mean", "log_var", "outputs"))
        kl = 0.5 * np.stack([np.expm1(log_var), -log_var, mean**2])
        log_likelihood = np.stack(np.broadcast_arrays(*formula(np.float64(x), outputs)))
        total = np.float64(weights).sum() or 1.0
        exact = np.sum(times(weights, times(beta, kl.sum((0, 2))) - log_likelihood.sum((0, 2)))) / total
        sizes = times(beta, np.abs(kl).sum((0, 2))) + np.abs(log_likelihood).sum((0, 2))
        size = np.sum(times(weights, sizes)) / total
        assert abs(got - exact) <= 1e-5 * size + 1e-5

    with np.errstate(all="ignore"):
        check()
    assert len(set(compared)) >= 5, "hardly anything was compared"

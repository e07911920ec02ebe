"""Estimates of models that do not hash, of arrays spread over devices, and of nothing at all."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxvae import Functions, presets, rng
from jaxvae.errors import InputError
from jaxvae.evaluation import (
    annealed_log_likelihood,
    bidirectional,
    decompose_kl,
    evaluate_elbo,
    in_blocks,
    log_evidence,
    log_marginal_likelihood,
)
from jaxvae.evaluation.compiled import compiled
from jaxvae.model import VAE
from jaxvae.nets import MLPDecoder
from jaxvae.objectives import importance_weighted_bound
from jaxvae.priors import StandardNormal
from jaxvae.types import Batch

VAE_ = presets.build("vae", (2, 2, 1), latent_dim=1, hidden=(4,))
X = jnp.asarray(np.random.default_rng(0).integers(0, 2, (6, 2, 2, 1)), jnp.float32)


class Widths(nn.Module):
    """A module with a list, a dict and an array: it has no hash."""

    widths: list
    names: dict
    scale: np.ndarray

    @nn.compact
    def __call__(self, x):
        h = x.reshape(x.shape[0], -1) * self.scale
        for number, width in enumerate(self.widths):
            h = nn.Dense(width, name=self.names[number])(h)
        return h


def namespace():
    return SimpleNamespace(encode=VAE_.encode, decode=VAE_.decode, prior=VAE_.prior)


def of_lists():
    encoder = Widths([3, 2], {0: "first", 1: "second"}, np.ones(4, np.float32))
    return VAE(encoder, MLPDecoder([4], [2, 2, 1]), StandardNormal(1))


def lambdas():
    return Functions(
        lambda params, x: VAE_.encode(params, x),
        lambda params, z: VAE_.decode(params, z),
        lambda params: VAE_.prior(None),
    )


def batch(x):
    return Batch(x, jnp.arange(len(x)), jnp.ones(len(x)))


ESTIMATES = {
    "elbo": lambda params, x, model, size: evaluate_elbo(params, rng.root(1), [batch(x)], model=model).elbo,
    "log_likelihood": lambda params, x, model, size: (
        log_marginal_likelihood(params, rng.root(1), x, model=model, num_samples=4, block_size=size).log_px
    ),
    "annealed": lambda params, x, model, size: (
        annealed_log_likelihood(
            params, rng.root(1), x, model=model, num_temperatures=2, num_chains=2, num_leapfrog=1, block_size=size
        ).log_px
    ),
    "bidirectional": lambda params, x, model, size: (
        bidirectional(
            params, rng.root(1), len(x), model=model, num_temperatures=2, num_chains=2, num_leapfrog=1, block_size=size
        ).lower
    ),
    "evidence": lambda params, x, model, size: log_evidence(params, x, model=model, block_size=size).log_px,
    "bound": lambda params, x, model, size: importance_weighted_bound(
        params, rng.root(1), x, model=model, num_samples=4, block_size=size
    ),
    "in_blocks": lambda params, x, model, size: in_blocks(lambda x: model.encode(params, x).mean, x, block_size=size),
    "decomposition": lambda params, x, model, size: (
        decompose_kl(rng.root(1), model.encode(params, x), model.prior(params), block_size=size).kl
    ),
}
estimates = pytest.mark.parametrize("estimate", ESTIMATES.values(), ids=ESTIMATES)


@pytest.fixture(scope="module")
def params():
    return jax.jit(VAE_.init)(rng.root(0), X)


@pytest.mark.quick_rows("namespace-elbo", "namespace-log_likelihood", "lambdas-evidence")
@estimates
@pytest.mark.parametrize("model", [namespace(), lambdas()], ids=["namespace", "lambdas"])
def test_a_model_of_any_kind(params, estimate, model):
    np.testing.assert_allclose(estimate(params, X, model, 4), estimate(params, X, VAE_, 4), rtol=1e-5)


@pytest.mark.parametrize("name", ["elbo", "log_likelihood", "evidence"])
def test_a_module_with_a_list(name):
    model = of_lists()
    with pytest.raises(TypeError):
        hash(model)
    params = model.init(rng.root(0), X)
    assert np.isfinite(ESTIMATES[name](params, X, model, 4)).all()


def test_a_model_without_a_hash_may_change_between_calls(params):
    model = namespace()
    before = ESTIMATES["log_likelihood"](params, X, model, 4)
    model.decode = lambda params, z: VAE_.decode(params, z + 1)
    assert (ESTIMATES["log_likelihood"](params, X, model, 4) != before).any()


def traced(x, *, model):
    model[0].append(x.shape)
    return x


class Equal(tuple):
    """All are equal."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


def test_equal_models_share_a_program():
    first, second = Equal([[]]), Equal([[]])
    compiled(traced, model=first)(X)
    compiled(traced, model=second)(X)
    assert (first[0], second[0]) == ([X.shape], [])


@pytest.mark.quick_rows("AxisType.Auto-elbo", "AxisType.Explicit-log_likelihood")
@estimates
@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=str)
def test_examples_spread_over_devices(params, estimate, kind):
    mesh = jax.make_mesh((2,), ("device",), axis_types=(kind,))
    spread = jax.device_put(X, NamedSharding(mesh, PartitionSpec("device")))
    np.testing.assert_allclose(estimate(params, spread, VAE_, 4), estimate(params, X, VAE_, 4), rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in ESTIMATES if name not in ("bound", "decomposition")])
def test_no_examples(params, name):
    with pytest.raises(InputError, match="example"):
        ESTIMATES[name](params, X[:0], VAE_, 4)


@pytest.mark.parametrize("name", [name for name in ESTIMATES if name != "elbo"])
def test_no_block(params, name):
    with pytest.raises(InputError, match=r"block_size: must be (1 or more|at least 1), got 0"):
        ESTIMATES[name](params, X, VAE_, 0)


@pytest.mark.parametrize("what", ["num_samples", "samples_at_once"])
def test_no_samples(params, what):
    with pytest.raises(InputError, match=f"{what}: must be 1 or more, got 0"):
        log_marginal_likelihood(params, rng.root(0), X, model=VAE_, **{"num_samples": 4, what: 0})


def test_nothing_but_padding(params):
    padding = batch(X)._replace(weights=jnp.zeros(6))
    for batches in ([], [padding]):
        with pytest.raises(InputError, match="batches: hold no example"):
            evaluate_elbo(params, rng.root(0), batches, model=VAE_)

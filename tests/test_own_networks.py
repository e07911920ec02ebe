"""Networks of one's own in a VAE: what they may take and return, and what is refused in one line."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx

from jaxvae import VAE, elbo_loss, likelihoods, posteriors
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import log_marginal_likelihood
from jaxvae.nets import ConvEncoder, MLPDecoder, MLPEncoder
from jaxvae.priors import StandardNormal

D, SHAPE = 2, (4, 3, 1)
X = jnp.linspace(0, 1, 36).reshape(3, *SHAPE)
KEY = jax.random.key(0)
DECODER = MLPDecoder((5,), SHAPE)


class Flax(nn.Module):
    """The encoder of Flax's own example: it knows no condition."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(2 * D)(x.reshape(x.shape[0], -1))


class TwoHeads(nn.Module):
    features: int = D

    @nn.compact
    def __call__(self, x):
        h = nn.tanh(nn.Dense(5)(x.reshape(x.shape[0], -1)))
        return nn.Dense(self.features, name="mean")(h), nn.Dense(self.features, name="log_var")(h)


class Named(nn.Module):
    @nn.compact
    def __call__(self, x):
        mean, log_var = TwoHeads()(x)
        return {"mean": mean, "log_var": log_var}


class Pooled(nn.Module):
    """No parameters."""

    def __call__(self, x):
        rows = x.reshape(x.shape[0], -1)
        return jnp.stack([rows.mean(1), rows.max(1), rows.min(1), rows[:, 0]], axis=1)


class Lists(nn.Module):
    widths: list

    @nn.compact
    def __call__(self, x, condition=None):
        x = x.reshape(x.shape[0], -1)
        for width in self.widths:
            x = nn.Dense(width)(x)
        return x


class Normalised(nn.Module):
    how: dict

    @nn.compact
    def __call__(self, x):
        return nn.BatchNorm(**self.how)(nn.Dense(2 * D)(x.reshape(x.shape[0], -1)))


class Dropped(nn.Module):
    how: dict

    @nn.compact
    def __call__(self, x):
        return nn.Dropout(0.5, **self.how)(nn.Dense(2 * D)(x.reshape(x.shape[0], -1)))


class Training(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        return nn.Dense(2 * D)(x.reshape(x.shape[0], -1))


class TwoImages(nn.Module):
    """Means and log-variances of pixels."""

    @nn.compact
    def __call__(self, z):
        return MLPDecoder((5,), SHAPE)(z), MLPDecoder((), SHAPE)(z)


def of_names(outputs):
    return Normal(outputs["mean"], outputs["log_var"])


def vae(encoder, decoder=DECODER, **others):
    return VAE(encoder, decoder, StandardNormal(D), **others)


MODELS = {
    "flax": vae(Flax()),
    "two heads": vae(TwoHeads()),
    "a dict": vae(Named(), posterior=of_names),
    "no parameters": vae(Pooled()),
    "lists": vae(Lists([5, 2 * D])),
    "dropout switched off": vae(Dropped({"deterministic": True})),
    "two images": vae(Flax(), TwoImages(), likelihood=likelihoods.normal),
}


@pytest.mark.quick_rows("flax", "lists")
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_it_is_trained_sampled_and_scored(model):
    params = model.init(KEY, X)
    loss, gradient = jax.jit(jax.value_and_grad(lambda params: elbo_loss(params, KEY, X, model=model)[0]))(params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((loss, gradient)))
    assert any((leaf != 0).any() for leaf in jax.tree.leaves(gradient["decoder"]))
    assert model.sample(params, jax.random.key(1), 4).shape == (4, *SHAPE)
    assert model.reconstruct(params, X).shape == X.shape
    estimate = log_marginal_likelihood(params, jax.random.key(2), X, model=model, num_samples=3)
    assert np.isfinite(estimate.log_px).all()


def test_two_heads_are_the_halves_of_one():
    params = MODELS["two heads"].init(KEY, X)
    mean, log_var = TwoHeads().apply({"params": params["encoder"]}, X)
    q = MODELS["two heads"].encode(params, X)
    np.testing.assert_array_equal((q.mean, q.log_var), (mean, log_var))
    one = posteriors.normal(jnp.concatenate([mean, log_var], axis=-1))
    np.testing.assert_array_equal((one.mean, one.log_var), (mean, log_var))


STATE, NOISE = "encoder: keeps variables .* use nn.LayerNorm or nn.GroupNorm", "encoder: draws random numbers"
REFUSED = {
    "batch norm": (Normalised({"use_running_average": False}), STATE),
    "batch norm that is frozen": (Normalised({"use_running_average": True}), STATE),
    "batch norm that is not told": (Normalised({}), STATE),
    "dropout": (Dropped({"deterministic": False}), NOISE),
    "dropout that is not told": (Dropped({}), NOISE),
    "a flag": (Training(), r"encoder: must have __call__\(self, x\), further arguments having defaults: .*'train'"),
    "too many outputs": (MLPEncoder((), 8), "encoder: its outputs make a posterior of 4 dimensions, the prior has 2"),
    "an odd number of outputs": (MLPEncoder((), 5), r"outputs: \(3, 5\) cannot be halved"),
    "two heads too large": (TwoHeads(3), "encoder: its outputs make a posterior of 3 dimensions, the prior has 2"),
    "a dict without a function of it": (Named(), "outputs: an array .* is wanted, got a dict"),
}


@pytest.mark.parametrize(("encoder", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_by_name(encoder, message):
    with pytest.raises(ValueError, match=f"^{message}[^\n]*$"):
        vae(encoder).init(KEY, X)


def test_random_numbers_are_refused_of_given_parameters_too():
    model = vae(Dropped({"deterministic": False}))
    params = vae(Dropped({"deterministic": True})).init(KEY, X)
    with pytest.raises(InputError, match=NOISE):
        elbo_loss(params, KEY, X, model=model)


def test_a_decoder_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"^decoder: draws random numbers"):
        vae(Flax(), Dropped({"deterministic": False})).init(KEY, X)


def test_a_condition_for_networks_that_take_none():
    with pytest.raises(InputError, match=r"^encoder: must have __call__\(self, x, condition\)"):
        vae(Flax()).init(KEY, X, jnp.eye(3))


@pytest.mark.parametrize(
    "network",
    [nnx.Linear(3, 4, rngs=nnx.Rngs(0)), eqx.nn.Linear(3, 4, key=KEY), lambda x: x, None],
    ids=["nnx", "equinox", "function", "nothing"],
)
def test_other_frameworks_are_sent_to_functions(network):
    for networks in ({"encoder": network}, {"encoder": Flax(), "decoder": network}):
        with pytest.raises(InputError, match=r"coder: must be a module of flax.linen, got .* give jaxvae.Functions"):
            vae(**networks)


LABELS = {"[B]": jnp.arange(3), "[B, 1]": jnp.arange(3)[:, None], "uint8": np.arange(3, dtype=np.uint8)}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("encoder", [MLPEncoder((), 2 * D), ConvEncoder((2,), (), 2 * D)], ids=["mlp", "conv"])
def test_labels_that_are_no_vectors(encoder, labels):
    with pytest.raises(InputError, match=r"condition: u?int\d+ labels .* give jax.nn.one_hot"):
        vae(encoder).init(KEY, X, labels)


def test_integer_vectors_are_floats():
    model = vae(MLPEncoder((), 2 * D))
    params = model.init(KEY, X, jnp.eye(3))
    results = [
        model.encode(params, X, jnp.eye(3).astype(dtype)).mean for dtype in ("float32", "int32", "uint8", "bool")
    ]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_conditions_that_are_not_one_for_each():
    model = vae(MLPEncoder((), 2 * D))
    params = model.init(KEY, X, jnp.eye(3))
    with pytest.raises(InputError, match=r"condition: shape \(2, 3\) for 3 examples"):
        model.reconstruct(params, X, jnp.eye(3)[:2])


def test_bytes_are_not_reconstructed():
    model = MODELS["flax"]
    with pytest.raises(InputError, match=r"^x: uint8 may mean"):
        model.reconstruct(model.init(KEY, X), (X * 255).astype(jnp.uint8))

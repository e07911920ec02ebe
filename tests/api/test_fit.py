"""Networks and losses of one's own, trained with checkpoints, metrics and resume."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvae
from jaxvae.distributions import Normal
from jaxvae.errors import InputError
from jaxvae.explorer.contents import page_contents

X = np.random.default_rng(0).random((50, 5)).astype(np.float32)
OPTIONS = {"steps": 6, "batch_size": 10, "checkpoint_every": 3, "quiet": True, "tensorboard": False, "scale": "none"}


class Networks(eqx.Module):
    encoder: eqx.nn.MLP
    decoder: eqx.nn.MLP

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.encoder = eqx.nn.MLP(5, 4, 8, 1, key=first)
        self.decoder = eqx.nn.MLP(2, 5, 8, 1, key=second)


PARAMS, STATIC = eqx.partition(Networks(jax.random.key(0)), eqx.is_array)


def encode(params, x):
    return Normal(*jnp.split(jax.vmap(eqx.combine(params, STATIC).encoder)(x), 2, axis=-1))


def decode(params, z):
    mean = jax.vmap(eqx.combine(params, STATIC).decoder)(z)
    return Normal(mean, jnp.zeros_like(mean))


MODEL = jaxvae.Functions(encode, decode, prior=lambda params: Normal(jnp.zeros(2), jnp.zeros(2)))


@pytest.mark.slow
def test_an_equinox_model_is_trained_resumed_and_loaded(tmp_path):
    before = jax.tree.map(np.array, PARAMS)
    unbroken = jaxvae.fit(MODEL, X, params=PARAMS, run_dir=tmp_path / "unbroken", **OPTIONS)
    jaxvae.fit(MODEL, X, params=PARAMS, run_dir=tmp_path / "run", **{**OPTIONS, "steps": 3})
    resumed = jaxvae.fit(MODEL, X, params=PARAMS, run_dir=tmp_path / "run", **OPTIONS)
    loaded = jaxvae.load(tmp_path / "run", model=MODEL, params=PARAMS)
    for other in (resumed, loaded):
        jax.tree.map(np.testing.assert_array_equal, unbroken.params, other.params)
    jax.tree.map(np.testing.assert_array_equal, before, PARAMS)  # the user's own are not donated
    assert loaded.sample(3).shape == (3, 5)
    assert loaded.encode(X).mean.shape == (50, 2)
    assert loaded.recipe.latent_dim == 2


def test_a_loss_of_ones_own_is_called_with_its_options():
    seen = []

    def my_loss(params, key, x, *, model, condition=None, weights=None, pull: float = 1.0):
        seen.append(pull)
        loss, aux = jaxvae.elbo_loss(params, key, x, model=model, condition=condition, weights=weights)
        return loss + pull * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params)), aux

    run = jaxvae.fit(MODEL, X, params=PARAMS, objective=my_loss, pull=100.0, learning_rate=0.1, **OPTIONS)
    assert set(seen) == {100.0}
    sizes = [sum(float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(params)) for params in (run.params, PARAMS)]
    assert sizes[0] < sizes[1]
    assert run.folder is None


NETWORKS = jaxvae.nets.MLPEncoder((8,), 4), jaxvae.nets.SharedLogVar(jaxvae.nets.MLPDecoder((8,), (5,)))
VAE = jaxvae.VAE(*NETWORKS, jaxvae.priors.StandardNormal(2), likelihood=jaxvae.likelihoods.normal)


def test_a_vae_makes_its_own_parameters(tmp_path):
    run = jaxvae.fit(VAE, X, run_dir=tmp_path / "run", **OPTIONS)
    loaded = jaxvae.load(tmp_path / "run", model=VAE)
    jax.tree.map(np.testing.assert_array_equal, run.params, loaded.params)


def test_a_vae_begins_with_given_parameters_and_stays_one(tmp_path):
    params = VAE.init(jax.random.key(5), X)
    before = jax.tree.map(np.array, params)
    run = jaxvae.fit(VAE, X, params=params, run_dir=tmp_path / "run", **{**OPTIONS, "learning_rate": 1e-9})
    for tree in (run.params, params):  # the user's own are not donated
        jax.tree.map(lambda now, then: np.testing.assert_allclose(now, then, atol=1e-6), tree, before)
    loaded = jaxvae.load(tmp_path / "run", model=VAE)
    assert run.model is loaded.model is VAE
    assert page_contents(loaded.model, loaded.params, run.data.test, "grey", 2)["ranges"].shape == (2, 2)


def test_functions_have_no_layers_for_the_explorer():
    run = jaxvae.fit(MODEL, X, params=PARAMS, **OPTIONS)
    with pytest.raises(InputError, match="model: the explorer draws the layers of a VAE"):
        page_contents(run.model, run.params, run.data.test, "grey", 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained run, which nothing goes on with."""
    place = tmp_path_factory.mktemp("fit") / "run"
    jaxvae.fit(MODEL, X, params=PARAMS, run_dir=place, **OPTIONS)
    return place


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda folder: jaxvae.fit(MODEL, X, **OPTIONS), "params: a model of functions has no way to make them"),
        (lambda folder: jaxvae.fit(object(), X, **OPTIONS), "model: has no encode"),
        (
            lambda folder: jaxvae.fit(VAE, X, params=VAE.init(jax.random.key(0), X[:, :4]), **OPTIONS),
            r"params: .*\['encoder'\].* float32\[4, 8\] given, .* float32\[5, 8\] wanted",
        ),
        (lambda folder: jaxvae.load(folder), "model: the run was trained on a model of your own"),
        (
            lambda folder: jaxvae.fit(MODEL, X[:, :4], params=PARAMS, **OPTIONS),
            r"model: it does not encode examples of shape \(4,\)",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder, call, message):
    with pytest.raises(InputError, match=message) as refusal:
        call(folder)
    assert "\n" not in str(refusal.value)


def test_other_networks_do_not_go_on_with_a_run(folder):
    wider = eqx.tree_at(lambda tree: tree.decoder.layers[0].bias, PARAMS, jnp.zeros(9))
    with pytest.raises(InputError, match="holds a run with other shapes"):
        jaxvae.fit(
            MODEL._replace(decode=lambda params, z: Normal(jnp.zeros((len(z), 5)), jnp.zeros((len(z), 5)))),
            X,
            params=wider,
            run_dir=folder,
            **OPTIONS,
        )

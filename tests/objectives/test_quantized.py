"""VQ-VAE from its pieces to trained parameters: a real bound, and the same numbers whatever devices and parts."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxvae import rng
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Real
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import BernoulliPixels
from jaxvae.nets import MLP, Spatial
from jaxvae.objectives import denoising, elbo_loss, quantized_loss, with_averages
from jaxvae.posteriors import DiagonalNormal, GradientQuantized, VectorQuantized
from jaxvae.priors import Standard, UniformCodes
from jaxvae.training import init_state, labelled, make_train_step
from jaxvae.types import Batch

K, SHAPE, RATE = 6, (6, 6, 1), 0.01
DENSE, PLACED = MLP(hidden=(16,)), Spatial(channels=(8,), num_blocks=1)


def build(posterior=VectorQuantized, networks=DENSE, latent_dim=4):
    return assemble(
        Facts(Real(SHAPE), latent_dim),
        networks=networks,
        posterior=posterior(num_codes=K, code_dim=2),
        prior=UniformCodes(),
        likelihood=BernoulliPixels(),
    )


@pytest.fixture
def batch():
    x = jax.random.bernoulli(jax.random.key(3), 0.3, (12, *SHAPE)).astype(jnp.float32)
    weights = jnp.array([1.0, 0.0, 2.0, 1.0, 1.0, 0.5, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    return Batch(x, jnp.arange(12, dtype=jnp.uint32), weights)


def start(model, batch, optimizer=None):
    params = jax.jit(model.init)(rng.root(0), batch.x)
    optimizer = labelled(optimizer or optax.sgd(RATE), model.labels(params))
    return init_state(rng.root(1), params, optimizer), optimizer


def make_step(model, optimizer, **options):
    return make_train_step(functools.partial(with_averages(quantized_loss), model=model), optimizer, **options)


@pytest.mark.quick_rows("dense")
@pytest.mark.parametrize(("networks", "positions"), [(DENSE, 2), (PLACED, 3 * 3 * 2)], ids=["dense", "spatial"])
def test_without_commitment_the_loss_is_minus_the_bound(networks, positions, batch):
    model = build(networks=networks)
    state, _ = start(model, batch)
    loss, terms = jax.jit(functools.partial(quantized_loss, model=model, commitment=0.0))(
        state.params, rng.root(2), batch.x, weights=batch.weights
    )
    np.testing.assert_allclose(terms.kl, np.full(12, positions * math.log(K)), rtol=1e-6)
    minus_elbo, _ = jax.jit(functools.partial(elbo_loss, model=model))(
        state.params, rng.root(2), batch.x, weights=batch.weights
    )
    np.testing.assert_allclose(loss, minus_elbo, rtol=1e-6)
    log_evidence = _log_evidence(model, state.params, batch.x[:2]) if networks is DENSE else np.inf
    assert (terms.log_likelihood[:2] - terms.kl[:2] <= log_evidence + 1e-4).all()


def _log_evidence(model, params, x):
    """Evidence log p(x), summed over all K^2 codes of two positions."""
    prior = model.prior(params)
    indices = np.stack(np.meshgrid(range(K), range(K), indexing="ij"), -1).reshape(-1, 2)
    vectors = np.asarray(prior.codebook)[indices].reshape(len(indices), -1)
    each = [model.decode(params, jnp.broadcast_to(z, (len(x), z.size))).log_prob(x) for z in vectors]
    return jax.nn.logsumexp(jnp.stack(each), axis=0) - len(indices[0]) * math.log(K)


def test_gradients_are_those_of_the_parts(batch):
    """Encoder: likelihood passed straight through, and commitment. Codebook: its distance to the outputs alone."""
    model = build(GradientQuantized)
    state, _ = start(model, batch)

    def parts(params):
        posterior = model.encode(params, batch.x)
        likelihood = model.decode(params, posterior.mean).log_prob(batch.x)
        return (0.25 * posterior.commitment + posterior.codebook_distance - likelihood).mean()

    def loss(params):
        return quantized_loss(params, rng.root(2), batch.x, model=model)[0]

    expected, found = (jax.jit(jax.grad(function))(state.params) for function in (parts, loss))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), found, expected)
    assert (found["encoder"]["output"]["kernel"] != 0).any()
    assert (found["posterior"]["codebook"] != 0).any()


@pytest.mark.parametrize("posterior", [VectorQuantized, GradientQuantized])
def test_training_learns_and_uses_codes(posterior, batch):
    model = build(posterior)
    state, optimizer = start(model, batch, optax.adam(RATE))
    step = jax.jit(make_step(model, optimizer))
    losses = []
    for _ in range(150):
        state, metrics = step(state, batch)
        losses.append(float(metrics["loss"]))
    assert losses[-1] < losses[0] - 3
    assert 1 < metrics["perplexity"] <= K + 1e-4
    counts = state.params["posterior"]["counts"]
    np.testing.assert_allclose(counts.sum(), 2.0, rtol=1e-4)  # two codes an example


@pytest.mark.quick_rows("VectorQuantized")
@pytest.mark.parametrize("posterior", [VectorQuantized, GradientQuantized])
def test_devices_and_parts_change_nothing(posterior, batch):
    model = build(posterior)
    state, optimizer = start(model, batch)
    alone, metrics = jax.jit(make_step(model, optimizer))(state, batch)
    parts, _ = jax.jit(make_step(model, optimizer, accumulate=3))(state, batch)
    split = jax.tree.map(lambda a: a.reshape(2, 6, *a.shape[1:]), batch)
    mapped = jax.pmap(make_step(model, optimizer, axis_name="device"), in_axes=(None, 0), axis_name="device")
    several, theirs = jax.tree.map(lambda a: a[0], mapped(state, split))

    def close(a, b):
        jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, rtol=1e-5, atol=1e-6), a, b)

    close(alone.params, parts.params)
    close(alone.params, several.params)
    close(metrics, theirs)
    assert (alone.params["posterior"]["counts"] != state.params["posterior"]["counts"]).any()


def test_other_objectives_move_the_codebook_too(batch):
    model = build()
    state, optimizer = start(model, batch)
    step = make_train_step(functools.partial(with_averages(elbo_loss), model=model), optimizer)
    ours, _ = jax.jit(make_step(model, optimizer))(state, batch)
    theirs, _ = jax.jit(step)(state, batch)
    for name in ("counts", "sums"):
        np.testing.assert_allclose(ours.params["posterior"][name], theirs.params["posterior"][name], rtol=1e-5)


def test_averages_are_of_what_the_model_encodes(batch):
    """Within a corruption that blanks every example, the codebook sees blank examples alone."""
    model = build()
    state, optimizer = start(model, batch)

    def one_step(objective, batch):
        step = make_train_step(functools.partial(objective, model=model), optimizer)
        return jax.jit(step)(state, batch)[0].params["posterior"]

    blanked = denoising(with_averages(quantized_loss), lambda key, x, level: jnp.zeros_like(x), 1.0)
    found = one_step(blanked, batch)
    expected = one_step(with_averages(quantized_loss), batch._replace(x=jnp.zeros_like(batch.x)))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, expected)


def test_frozen_averages_do_not_move(batch):
    model = build()
    params = model.init(rng.root(0), batch.x)
    loss = functools.partial(with_averages(quantized_loss, "frozen"), model=model)
    gradient = jax.grad(lambda params: loss(params, rng.root(2), batch.x)[0])(params)
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, np.zeros(leaf.shape)), gradient)


def test_samples_are_decoded_codes(batch):
    model = build(networks=PLACED)
    state, _ = start(model, batch)
    assert model.sample(state.params, jax.random.key(5), 3).shape == (3, *SHAPE)
    assert model.reconstruct(state.params, batch.x).shape == batch.x.shape


def test_pieces_that_do_not_fit_are_refused(batch):
    facts, options = Facts(Real(SHAPE), 4), {"networks": DENSE, "likelihood": BernoulliPixels()}
    with pytest.raises(InputError, match="needs a posterior with codes; give --posterior"):
        assemble(facts, posterior=DiagonalNormal(), prior=UniformCodes(), **options)
    plain = assemble(facts, posterior=DiagonalNormal(), prior=Standard(), **options)
    with pytest.raises(InputError, match="needs a posterior with codes, got Normal"):
        quantized_loss(plain.init(rng.root(0), batch.x), rng.root(2), batch.x, model=plain)

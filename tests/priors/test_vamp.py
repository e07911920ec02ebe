"""VampPrior: its density against mixtures of posteriors, pseudo-inputs that stay legal, and what it refuses."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import elbo_loss, rng
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Pixels, Real, Tokens
from jaxvae.distributions import kl_divergence
from jaxvae.errors import InputError
from jaxvae.evaluation.decomposition import decompose_kl
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.nets import MLP, Gated
from jaxvae.posteriors import POSTERIORS
from jaxvae.priors import Vamp, VampPrior

X = jnp.float32(np.random.default_rng(0).random((40, 6)) < 0.4)


def vamp_vae(num_inputs=40, posterior="normal", networks=None, condition_space=None):
    return assemble(
        Facts(Pixels((6,)), 2, condition_space),
        networks=networks or MLP((8,)),
        posterior=POSTERIORS[posterior](),
        prior=Vamp(num_inputs),
        likelihood=LIKELIHOODS["bernoulli"](),
    )


def test_with_the_training_set_as_pseudo_inputs_the_mean_kl_is_the_mutual_information():
    model = vamp_vae()
    params = model.init(jax.random.key(0), X)
    assert {tuple(row) for row in np.asarray(params["prior"]["inputs"])} <= {tuple(row) for row in np.asarray(X)}
    params["prior"]["inputs"] = X
    params["encoder"]["output"]["kernel"] *= 4  # codes that tell examples apart
    posterior = model.encode(params, X)
    expected = decompose_kl(jax.random.key(1), posterior, model.prior(params).components).mutual_information

    @jax.jit
    def kl(key):
        return kl_divergence(posterior, model.prior(params), posterior.sample(key))

    kls = np.stack([kl(key) for key in jax.random.split(jax.random.key(2), 50)])
    same_draws = kl(rng.example_keys(rng.stream(jax.random.key(1), "decompose_kl"), jnp.arange(len(X))))
    np.testing.assert_allclose(same_draws.mean(), expected, rtol=1e-4)
    assert abs(kls.mean() - expected) < 6 * kls.std() / len(X) ** 0.5


def test_one_pseudo_input_under_a_constant_encoder_is_the_standard_prior():
    model = vamp_vae(num_inputs=1)
    params = model.init(jax.random.key(0), X)
    params["encoder"] = jax.tree.map(jnp.zeros_like, params["encoder"])
    z = jax.random.normal(jax.random.key(1), (7, 2))
    np.testing.assert_allclose(model.prior(params).log_prob(z), -0.5 * (z**2).sum(-1) - np.log(2 * np.pi), rtol=1e-6)


def test_samples_come_from_all_pseudo_inputs():
    model = vamp_vae(num_inputs=2)
    params = model.init(jax.random.key(0), X)
    params["encoder"]["output"]["kernel"] *= 8
    prior = model.prior(params)
    z = jax.vmap(prior.sample)(jax.random.split(jax.random.key(1), 2000))
    apart = jnp.square((z[:, None] - prior.components.mean) * jnp.exp(-prior.components.log_var / 2)).sum(-1)
    assert 0.3 < (apart.argmin(1) == 0).mean() < 0.7


def test_pseudo_inputs_outside_are_projected_and_keep_a_gradient():
    model = vamp_vae(num_inputs=3)
    params = model.init(jax.random.key(0), X)
    z = jax.random.normal(jax.random.key(1), (7, 2))

    @jax.value_and_grad
    def loss(inputs):
        return -model.prior({**params, "prior": {"inputs": inputs}}).log_prob(z).sum()

    edge = jnp.round(jax.random.uniform(jax.random.key(2), (3, 6)))
    at_edge, outside = jax.jit(loss)(edge), jax.jit(loss)(3 * edge - 1)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), at_edge, outside)
    assert (outside[1] != 0).all()


@pytest.mark.quick_rows("normal-networks0")
@pytest.mark.parametrize("networks", [MLP((8,)), Gated((8, 8))])
@pytest.mark.parametrize("posterior", ["normal", "multivariate_normal", "iaf"])
def test_every_parameter_learns(networks, posterior):
    model = vamp_vae(num_inputs=5, networks=networks, posterior=posterior)
    params = jax.tree.map(lambda leaf: leaf + 0.01, model.init(jax.random.key(0), X))
    gradient, terms = jax.jit(jax.grad(lambda p: elbo_loss(p, jax.random.key(1), X, model=model), has_aux=True))(params)
    assert all((leaf != 0).any() for leaf in jax.tree.leaves(gradient))
    assert terms.kl.shape == (40,)
    assert set(jax.tree.leaves(model.labels(params))) == {"gradient"}


@pytest.mark.slow
def test_with_conditions_each_pseudo_input_keeps_its_examples():
    labels = jnp.eye(3)[jnp.arange(40) % 3]
    x = X.at[:, 0].set(jnp.arange(40) % 3 / 2)
    model = vamp_vae(num_inputs=7, condition_space=Real((3,)))
    params = model.init(jax.random.key(0), x, labels)
    own = params["prior"]
    np.testing.assert_array_equal(own["condition"].argmax(-1), 2 * own["inputs"][:, 0])
    assert model.labels(params)["prior"] == {"inputs": "gradient", "condition": "frozen"}
    terms = elbo_loss(params, jax.random.key(1), x, model=model, condition=labels)[1]
    assert terms.kl.shape == (40,)
    assert model.sample(params, jax.random.key(2), 4, labels[:4]).shape == (4, 6)


def test_few_examples_are_taken_several_times():
    assert vamp_vae(num_inputs=9).init(jax.random.key(0), X[:4])["prior"]["inputs"].shape == (9, 6)


def test_refuses_posteriors_without_a_density_and_data_without_values_in_between():
    with pytest.raises(InputError, match="prior: vamp scores every z by the posterior's density, which PlanarFlow"):
        vamp_vae(posterior="planar").init(jax.random.key(0), X)
    with pytest.raises(InputError, match="without learned inputs"):
        Vamp().build(Facts(Tokens(9, 6), 2))
    with pytest.raises(InputError, match="num_inputs: must be at least 1"):
        vamp_vae(num_inputs=0)


def test_equal_by_value():
    assert vamp_vae() == vamp_vae() != vamp_vae(num_inputs=3)
    assert isinstance(vamp_vae().prior, VampPrior)
    assert dataclasses.asdict(Vamp()) == {"num_inputs": 500}

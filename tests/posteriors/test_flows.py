"""Flow posteriors: widths, the normal as a special case, gradients, and a bound that needs no inverse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.assemble import assemble
from jaxvae.data.spaces import Real
from jaxvae.distributions.sampling import sample_and_log_prob
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.nets import MLP
from jaxvae.posteriors import IAF, Planar, PlanarHead, normal
from jaxvae.priors import Standard

FACTS = Facts(Real((6,)), 3)
FLOWS = pytest.mark.parametrize("options", [IAF(3, (8,), 4), Planar(2)], ids=["iaf", "planar"])


def outputs_for(options):
    return jax.random.normal(jax.random.key(0), (5, options.num_outputs(3)))


def flow_vae(options):
    return assemble(
        FACTS,
        networks=MLP((8,)),
        posterior=options,
        prior=Standard(),
        likelihood=LIKELIHOODS["bernoulli"](),
    )


@FLOWS
def test_samples_have_the_latent_dimensions(options):
    model, x = flow_vae(options), jnp.ones((5, 6))
    q = model.encode(model.init(jax.random.key(0), x), x)
    z, log_q = sample_and_log_prob(q, jax.random.key(1))
    assert (z.shape, log_q.shape, q.point.shape) == ((5, 3), (5,), (5, 3))


@FLOWS
def test_equal_by_value_and_hashable(options):
    assert flow_vae(options) == flow_vae(options)
    assert hash(flow_vae(options)) == hash(flow_vae(options))


def test_iaf_begins_as_the_normal():
    posterior, outputs = IAF(3, (8,), 4).build(FACTS), outputs_for(IAF(3, (8,), 4))
    q = posterior({"posterior": posterior.init(jax.random.key(1), outputs)}, outputs)
    z, log_q = q.sample_and_log_prob(jax.random.key(2))
    base = normal(outputs[:, :6])
    np.testing.assert_array_equal(z, base.sample(jax.random.key(2)))
    np.testing.assert_array_equal(log_q, base.log_prob(z))


def test_planar_with_directions_of_zero_is_the_normal():
    outputs = outputs_for(Planar(2)).at[:, 6:12].set(0)
    q = PlanarHead(2)(outputs)
    z, log_q = q.sample_and_log_prob(jax.random.key(2))
    np.testing.assert_allclose(z, normal(outputs[:, :6]).sample(jax.random.key(2)), rtol=1e-6)
    np.testing.assert_allclose(log_q, normal(outputs[:, :6]).log_prob(z), rtol=1e-5)


@FLOWS
def test_every_output_of_the_encoder_counts(options):
    posterior, outputs = options.build(FACTS), outputs_for(options)
    params = {}
    if hasattr(posterior, "init"):
        noise = iter(np.random.default_rng(0).normal(size=(20, 1000)))
        own = posterior.init(jax.random.key(1), outputs)
        params = {
            "posterior": jax.tree.map(lambda leaf: jnp.float32(next(noise)[: leaf.size].reshape(leaf.shape)), own)
        }

    @jax.jit
    @jax.grad
    def gradient(inputs):
        outputs, params = inputs
        q = posterior(params, outputs) if params else posterior(outputs)
        z, log_q = q.sample_and_log_prob(jax.random.key(2))
        return (z**2).sum() + log_q.sum()

    assert all((leaf != 0).any() for leaf in jax.tree.leaves(gradient((outputs, params))))
    assert (gradient((outputs, params))[0] != 0).all()


@pytest.mark.parametrize("options", [IAF(0), IAF(2, (0,)), IAF(2, (8,), 0), Planar(0)])
def test_refuses_no_maps_and_no_width(options):
    with pytest.raises(InputError, match="must be at least 1, got 0"):
        options.build(FACTS)


def test_planar_refuses_outputs_of_another_width():
    with pytest.raises(ValueError, match=r"outputs: 21 encoder outputs are not 2D \+ 2 \(2D \+ 1\)"):
        PlanarHead(2)(jnp.zeros((1, 21)))

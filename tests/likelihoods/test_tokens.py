"""Likelihood of tokens: the decoder's outputs are the only way from z to a row."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import evaluation
from jaxvae.assemble import assemble
from jaxvae.data.spaces import Counts, Tokens
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import WindowedTokens
from jaxvae.nets import TokenMLP
from jaxvae.posteriors import DiagonalNormal
from jaxvae.priors import Standard

FACTS = Facts(Tokens(6, 5), 2)
OPTIONS = WindowedTokens(window=2, embedding=4, hidden=(8,), context=3)
ROWS = jnp.array([[3, 4, 1, 0, 0], [5, 3, 4, 2, 1]])


def test_a_context_of_zero_weight_makes_a_language_model():
    piece = OPTIONS.build(FACTS)
    outputs = jax.random.normal(jax.random.key(0), (2, *OPTIONS.decoder_shape(FACTS)))
    own = piece.init(jax.random.key(1), outputs)
    kernel = own["Dense_0"]["kernel"]
    assert kernel.shape == (2 * 4 + 3, 8)
    with_z = piece({"likelihood": own}, outputs).log_prob(ROWS)
    own["Dense_0"]["kernel"] = kernel.at[-3:].set(0.0)
    without = [piece({"likelihood": own}, given).log_prob(ROWS) for given in (outputs, 0 * outputs)]
    np.testing.assert_array_equal(*without)
    assert not np.allclose(with_z, without[0])


def test_an_output_bias_would_have_no_meaning():
    assert OPTIONS.link(jnp.zeros(5)) is None


def test_it_needs_tokens():
    with pytest.raises(InputError, match="likelihood: tokens scores rows of tokens, got Counts"):
        OPTIONS.build(Facts(Counts((3,)), 2))


@pytest.mark.parametrize("name", ["window", "embedding", "context"])
def test_sizes_are_at_least_one(name):
    with pytest.raises(InputError, match=f"{name}: must be at least 1, got 0"):
        WindowedTokens(**{name: 0})


@pytest.mark.slow
def test_the_evidence_of_all_rows_sums_to_one():
    options = {"posterior": DiagonalNormal(), "prior": Standard(), "likelihood": OPTIONS}
    model = assemble(Facts(Tokens(4, 3), 1), networks=TokenMLP((8,), 4), **options)
    params = model.init(jax.random.key(0), jnp.zeros((2, 3), jnp.int32))
    params["decoder"] = jax.tree.map(lambda leaf: 3 * leaf, params["decoder"])  # z matters
    rows = jnp.array(list(itertools.product(range(4), repeat=3)))
    rows = rows[jnp.isfinite(model.decode(params, jnp.zeros((len(rows), 1))).log_prob(rows))]
    log_evidence = evaluation.log_evidence(params, rows, model=model)
    np.testing.assert_allclose(np.exp(np.float64(log_evidence.log_px)).sum(), 1, atol=1e-3)

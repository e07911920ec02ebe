"""Likelihood of tables: the decoder's outputs reach their columns, in any order of the columns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.data.spaces import Real, Table
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.likelihoods import ColumnsByKind

COLUMNS = (3, 0, 2, 0, 3, 5)
FACTS = Facts(Table(COLUMNS), 2)
OUTPUTS = np.random.default_rng(0).normal(size=(4, 2 + 1 + 2 * 3 + 5))
X = np.array([[2, 0.3, 1, -1.0, 0, 4], [0, 1.3, 0, 0.1, 1, 3], [1, -2.0, 0, 2.2, 2, 0], [2, 0.0, 1, 0.0, 0, 1]])


def test_every_column_is_scored_by_its_own_outputs():
    assert ColumnsByKind().decoder_shape(FACTS) == (14,)
    log_var = np.array([0.4, -0.7])
    mean, coin, first, second, last = np.split(OUTPUTS, [2, 3, 6, 9], axis=1)
    expected = stats.norm.logpdf(X[:, [1, 3]], mean, np.exp(log_var / 2)).sum(1)
    expected += stats.bernoulli.logpmf(X[:, 2], special.expit(coin[:, 0]))
    for column, logits in {0: first, 4: second, 5: last}.items():
        expected += special.log_softmax(logits, axis=1)[np.arange(4), X[:, column].astype(int)]
    piece = ColumnsByKind().build(FACTS)
    got = piece({"likelihood": {"log_var": jnp.asarray(log_var)}}, jnp.asarray(OUTPUTS)).log_prob(X)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_each_real_column_learns_its_variance():
    piece = ColumnsByKind().build(FACTS)
    own = piece.init(jax.random.key(0), jnp.asarray(OUTPUTS))
    assert own["log_var"].tolist() == [0, 0]
    gradient = jax.grad(lambda own: piece({"likelihood": own}, jnp.asarray(OUTPUTS)).log_prob(X).sum())(own)
    residual = X[:, [1, 3]] - OUTPUTS[:, :2]
    np.testing.assert_allclose(gradient["log_var"], 0.5 * (residual**2 - 1).sum(0), rtol=1e-5)


@pytest.mark.parametrize("columns", [(0, 0), (2,), (7,), (1, 0)])
def test_tables_of_few_kinds(columns):
    facts = Facts(Table(columns), 2)
    outputs = jnp.zeros((3, *ColumnsByKind().decoder_shape(facts)))
    piece = ColumnsByKind().build(facts)
    d = piece({"likelihood": piece.init(jax.random.key(0), outputs)}, outputs)
    assert np.isfinite(d.log_prob(facts.space.zeros(3))).all()


def test_it_needs_a_table():
    for ask in (ColumnsByKind().build, ColumnsByKind().decoder_shape):
        with pytest.raises(InputError, match="likelihood: columns scores rows of a table, got Real"):
            ask(Facts(Real((3,)), 2))

"""Families of columns against SciPy: every kind, with spreads learned once for a column or from the decoder."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from jaxvae.data.spaces import Table
from jaxvae.facts import Facts
from jaxvae.likelihoods import ColumnsByKind

NOISE = np.random.default_rng(0)
N = 50
VALUES = {
    "real": NOISE.normal(size=N),
    "integer": np.round(NOISE.normal(size=N) * 5),
    "positive": np.exp(NOISE.normal(size=N)),
    "count": NOISE.poisson(3, size=N),
    "ordinal": NOISE.integers(4, size=N),
}
FAMILIES = {
    ("real", "normal"): (1, {"log_var": 1}, lambda x, m, v: stats.norm.logpdf(x, m, np.exp(v / 2))),
    ("integer", "normal"): (1, {"log_var": 1}, lambda x, m, v: stats.norm.logpdf(x, m, np.exp(v / 2))),
    ("real", "student_t"): (
        1,
        {"student_t_log_scale": 1, "student_t_degrees": 1},
        lambda x, m, s, d: stats.t.logpdf(x, 3 + np.log1p(np.exp(d)), m, np.exp(s)),
    ),
    ("positive", "log_normal"): (
        1,
        {"log_normal_log_var": 1},
        lambda x, m, v: stats.lognorm.logpdf(x, np.exp(v / 2), scale=np.exp(m)),
    ),
    ("count", "poisson"): (1, {}, lambda x, m: stats.poisson.logpmf(x, np.exp(m))),
    ("count", "negative_binomial"): (
        1,
        {"negative_binomial_log_inverse_dispersion": 1},
        lambda x, m, t: stats.nbinom.logpmf(x, np.exp(t), np.exp(t) / (np.exp(t) + np.exp(m))),
    ),
    ("ordinal", "beta_binomial"): (
        1,
        {"beta_binomial_log_concentration_4": 1},
        lambda x, m, c: stats.betabinom.logpmf(x, 3, special.expit(m) * np.exp(c), special.expit(-m) * np.exp(c)),
    ),
}


@pytest.mark.parametrize("spread", ["column", "decoded"])
@pytest.mark.parametrize(("kind", "family"), FAMILIES)
def test_a_column_is_scored_as_by_scipy(kind, family, spread):
    decoded, learned, log_prob = FAMILIES[kind, family]
    options = {kind: family} if kind in ("real", "count", "ordinal") else {}
    likelihood = ColumnsByKind(spread=spread, **options)
    facts = Facts(Table((4 if kind == "ordinal" else 0,), kinds=(kind,)), 2)
    width = decoded + (len(learned) if spread == "decoded" else 0)
    assert likelihood.decoder_shape(facts) == (width,)
    outputs = NOISE.normal(size=(N, width)) / 2
    piece = likelihood.build(facts)
    own = piece.init(jax.random.key(0), jnp.asarray(outputs))
    assert own.keys() == ({*learned} if spread == "column" else set())
    own = {name: jnp.full_like(value, 0.3) for name, value in own.items()}
    parameters = [*outputs.T, *([np.full(N, 0.3)] * len(learned) if spread == "column" else [])]
    found = piece({"likelihood": own}, jnp.asarray(outputs, jnp.float32)).log_prob(VALUES[kind][:, None])
    np.testing.assert_allclose(found, log_prob(VALUES[kind], *parameters), rtol=2e-4, atol=2e-5)


def test_zero_inflation_adds_zeros_to_the_negative_binomial():
    facts = Facts(Table((0,), kinds=("count",)), 2)
    likelihood = ColumnsByKind(count="zero_inflated")
    assert likelihood.decoder_shape(facts) == (2,)
    outputs = NOISE.normal(size=(N, 2))
    found = likelihood.build(facts)(
        {"likelihood": {"zero_inflated_log_inverse_dispersion": jnp.array([0.2])}}, jnp.asarray(outputs, jnp.float32)
    )
    mean, total, zero = np.exp(outputs[:, 0]), np.exp(0.2), special.expit(outputs[:, 1])
    pmf = (1 - zero) * stats.nbinom.pmf(VALUES["count"], total, total / (total + mean)) + zero * (VALUES["count"] == 0)
    np.testing.assert_allclose(found.log_prob(VALUES["count"][:, None]), np.log(pmf), rtol=2e-4, atol=2e-5)


def test_ordered_categories_begin_equally_frequent():
    facts = Facts(Table((4, 5), kinds=("ordinal", "ordinal")), 2)
    piece = ColumnsByKind().build(facts)
    outputs = jnp.zeros((4, *ColumnsByKind().decoder_shape(facts)))
    own = piece.init(jax.random.key(0), outputs)
    assert {name: value.shape for name, value in own.items()} == {
        "ordinal_thresholds_4": (1, 3),
        "ordinal_thresholds_5": (1, 4),
    }
    rows = piece({"likelihood": own}, outputs)
    values = np.array([[0, 0], [1, 4], [2, 2], [3, 1]])
    np.testing.assert_allclose(rows.log_prob(values), np.log(1 / 20), rtol=1e-5)


def test_a_table_of_all_kinds_is_the_product_of_its_columns():
    kinds = ("count", "real", "categorical", "ordinal", "positive", "integer", "categorical")
    facts = Facts(Table((0, 0, 2, 4, 0, 0, 3), kinds=kinds), 2)
    likelihood = ColumnsByKind()
    outputs = jnp.asarray(NOISE.normal(size=(N, *likelihood.decoder_shape(facts))), jnp.float32)
    piece = likelihood.build(facts)
    params = {"likelihood": piece.init(jax.random.key(0), outputs)}
    rows = piece(params, outputs)
    sampled = rows.sample(jax.random.key(1))
    facts.space.check(jax.tree.map(np.asarray, sampled), "sample")
    whole = rows.log_prob(sampled)
    parts = [rows.log_prob({**sampled, "observed": jnp.arange(len(kinds)) == column}) for column in range(len(kinds))]
    np.testing.assert_allclose(whole, sum(parts), rtol=1e-5, atol=1e-5)
    assert all((np.asarray(part) != 0).any() for part in parts)

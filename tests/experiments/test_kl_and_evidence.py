"""The Gaussian KL beside its integral, and the evidence beside its bounds."""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxvae import rng
from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.evaluation import Evidence
from jaxvae.options import given
from jaxvae.runs import Run
from jaxvae.runs.parts import build_parts
from jaxvae.runs.settle import settle


def test_closed_forms_agree_with_integrals_in_the_figure(scripts, tmp_path, capsys):
    script = scripts["closed_form_kl"]
    assert script.main(script.ClosedFormConfig(out=tmp_path)) == 0
    differences = [float(number) for number in re.findall(r"difference (\S+) nats", capsys.readouterr().out)]
    assert len(differences) == 3
    assert 0 < max(differences) < 3e-6
    assert (tmp_path / "kl.png").stat().st_size > 10_000


def test_the_figures_integrals_are_expectations(scripts):
    """Gauss and Hermite's rule is exact here: log q - log p is a polynomial of degree 2."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    weights = weights / weights.sum()
    z = 1.3 + 0.4 * nodes
    expected = weights @ (stats.norm.logpdf(z, 1.3, 0.4) - stats.norm.logpdf(z))
    assert scripts["closed_form_kl"].integral_on_line(1.3, 0.4) == pytest.approx(expected, rel=1e-6)

    mean, covariance = np.array([0.7, -1.1]), np.array([[0.5, -0.3], [-0.3, 0.8]])
    z = mean + np.stack(np.meshgrid(nodes, nodes), axis=-1) @ np.linalg.cholesky(covariance).T
    log_ratio = stats.multivariate_normal(mean, covariance).logpdf(z) - stats.norm.logpdf(z).sum(-1)
    expected = weights @ log_ratio @ weights
    assert scripts["closed_form_kl"].integral_in_plane(mean, covariance) == pytest.approx(expected, rel=1e-6)


@pytest.fixture
def run(small):
    """Nothing of it was trained; larger weights make narrow posteriors, and something to see."""
    data = load("digits")
    config = settle(small(latent_dim=2), data)
    model = build_parts(config, data.space).model
    params = jax.jit(model.init)(rng.root(0), jnp.zeros((1, *data.shape)))
    facts = {"shape": [8, 8, 1], "pixels": "ink"}
    return Run(config, model, jax.tree.map(lambda leaf: 1.5 * leaf, params), 0, facts)


@pytest.mark.slow
def test_the_bounds_of_a_model_lie_below_its_evidence(scripts, run, tmp_path, capsys, monkeypatch):
    script = scripts["evidence"]
    monkeypatch.setattr(script, "load_run", lambda run_dir, select: run)
    config = script.EvidenceConfig(run_dir=tmp_path, num=6, num_samples=(1, 20), repeats=20, show=2)
    assert script.main(config) == 0
    table = json.loads((tmp_path / "evidence" / "evidence.json").read_text())
    elbo, one, twenty = table["bounds"]
    assert table["num_examples"] == 6
    assert table["quadrature_error"] <= 1e-3
    assert f"{table['log_px']:.3f}" in capsys.readouterr().out
    assert all(row["share_above"] == 0 for row in table["bounds"])
    assert all(row["gap"] == pytest.approx(table["log_px"] - row["mean"]) for row in table["bounds"])
    noise = np.hypot(elbo["gap_standard_error"], one["gap_standard_error"])
    assert abs(elbo["gap"] - one["gap"]) < 6 * noise
    assert elbo["gap"] > 0.01
    assert twenty["gap"] < 0.5 * elbo["gap"]
    assert {path.name for path in (tmp_path / "evidence").iterdir()} == {"evidence.json", "gaps.png", "posteriors.png"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_dim": 20}, "1 or 2 latent dimensions, this run has 20"),
        ({"latent_dim": 2, "posterior": "delta"}, "posterior is a point"),
        ({"latent_dim": 2, "likelihood": "grey_cross_entropy"}, "no likelihood, so there is no evidence"),
    ],
)
def test_runs_without_such_an_evidence_are_refused_in_one_line(scripts, options, message):
    recipe = settle(given(**options), load("digits"))
    parts = build_parts(recipe, load("digits").space)
    with pytest.raises(InputError, match=message) as refusal:
        scripts["evidence"].check_run(Run(recipe, parts.model, {}, 0, reports_elbo=parts.reports_elbo))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "options", [{"num": 0}, {"show": 0}, {"repeats": 1}, {"num_samples": ()}, {"num_samples": (0,)}]
)
def test_bad_options_are_named(scripts, tmp_path, options):
    (name,) = options
    with pytest.raises(InputError, match=name.replace("_", "-")):
        scripts["evidence"].EvidenceConfig(run_dir=tmp_path, **options).check()


def test_only_what_is_beyond_both_errors_counts_as_above(scripts):
    script = scripts["evidence"]
    evidence = Evidence(np.zeros(4), np.full(4, 1e-3))
    bound = script.Bound("", np.array([-1.0, 0.03, 0.05, 0.0005]), np.array([0.1, 0.01, 0.01, 0.0]))
    row = script.table_row(evidence, bound)
    assert row["share_above"] == 0.25
    assert row["largest_gap"] == 1.0


def test_the_largest_gaps_are_shown_and_the_one_in_the_middle(scripts):
    assert scripts["evidence"].images_to_show(np.array([0.5, 3.0, 0.1, 2.0, 1.0]), 3) == [1, 3, 4]

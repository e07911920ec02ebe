"""Figures of a training from a model, its parameters and data alone."""

import jax
import numpy as np
import pytest

from jaxvae import rng
from jaxvae.data import load
from jaxvae.options import given
from jaxvae.options.corruptions import Masking
from jaxvae.report import figures
from jaxvae.runs import drawing

DATA = load("digits")


@pytest.fixture(scope="module")
def trained():
    """A model with two latent dimensions, its first parameters, and digits."""
    model = given(preset="vae", latent_dim=2, hidden=(4,)).build(DATA.space)
    return model, jax.jit(model.init)(rng.root(0), DATA.test.first(1)), DATA


@pytest.fixture
def stages(monkeypatch):
    """Stages of each figure of examples, in place of its file."""
    seen = []
    monkeypatch.setattr(drawing, "save_stages", lambda path, data, drawn, title: seen.append({**drawn, "title": title}))
    return seen


def test_reconstructions_are_those_of_the_first_test_examples(trained, stages, tmp_path):
    model, params, data = trained
    drawing.save_reconstructions(tmp_path / "r.png", *trained, num=5)
    (drawn,) = stages
    np.testing.assert_array_equal(drawn["test"], data.test.first(5))
    np.testing.assert_allclose(drawn["reconstruction"], model.reconstruct(params, data.test.first(5)), atol=1e-6)


def test_denoised_are_reconstructions_of_what_was_corrupted(trained, stages, tmp_path):
    model, params, _ = trained
    drawing.save_denoised(tmp_path / "d.png", *trained, corruption=Masking(level=0.5), seed=1, num=40)
    (drawn,) = stages
    inked = drawn["test"] > 0
    assert np.mean(drawn["corrupted"][inked] == 0) == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(drawn["reconstruction"], model.reconstruct(params, drawn["corrupted"]), atol=1e-6)
    error = np.sqrt(np.mean((drawn["corrupted"] - drawn["test"]) ** 2))
    assert f"(RMS error {error:.2f})" in drawn["title"]


def test_the_plane_shows_posterior_means_by_class(trained, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(figures, "save_latent_scatter", lambda path, codes, label, names: seen.append((codes, label)))
    model, params, data = trained
    assert drawing.has_plane(*trained)
    drawing.save_latent_plane(tmp_path / "l.png", *trained, num=7)
    ((codes, label),) = seen
    np.testing.assert_allclose(codes, model.encode(params, data.test.first(7)).mean, atol=1e-6)
    np.testing.assert_array_equal(label, data.test.label[:7])


def test_files_are_written(trained, tmp_path):
    drawing.save_samples(tmp_path / "samples.png", *trained, seed=0, num=4)
    drawing.save_manifold(tmp_path / "manifold.png", *trained, side=3)
    assert {path.name for path in tmp_path.iterdir()} == {"samples.png", "manifold.png"}


def test_a_code_of_three_numbers_has_no_plane():
    model = given(preset="vae", latent_dim=3, hidden=(4,)).build(DATA.space)
    assert not drawing.has_plane(model, jax.jit(model.init)(rng.root(0), DATA.test.first(1)), DATA)

"""forest.py: a whole call with small sets and networks, and its numbers on trees of which they are known."""

import json

import numpy as np
import pytest

from jaxvae.data.partition import TEST, TRAIN, VALIDATION
from jaxvae.data.sources import forest as trees

SIZES = {TRAIN: 300, VALIDATION: 40, TEST: 120}


@pytest.fixture
def few(monkeypatch):
    """Small sets."""
    for name in ("SIZES", "STRINGS"):
        monkeypatch.setattr(trees, name, SIZES)


@pytest.mark.slow
def test_both_models_are_trained_and_their_trees_judged_and_drawn(scripts, few, tmp_path, capsys):
    script = scripts["forest"]
    sizes = {"steps": 2, "hidden": (8,), "latent_dim": 2, "lstm": 4, "num": 100, "num_samples": 2}
    assert script.main(script.ForestConfig(out=tmp_path, **sizes)) == 0
    found = json.loads((tmp_path / "forest.json").read_text())
    drawings, strings = found["drawings"], found["strings"]
    assert 0.4 < drawings["species_recognised"]["test"] <= 1
    assert all(ratio < 0.7 for ratio in drawings["spread_ratio_of_means"].values()), "all alike"
    of_draws = drawings["spread_ratio"]
    assert all(drawings["spread_ratio_of_means"][name] < ratio < 1 for name, ratio in of_draws.items()), "but for noise"
    assert drawings["twins"]["pixels"]["copies"] > 0.9
    assert strings["kl"] > 10 * strings["kl_error"] > 0, "after two steps most is to be learned"
    assert strings["nll"] == pytest.approx(strings["entropy"] + strings["kl"], abs=2)
    assert strings["valid"] < 0.5
    assert (tmp_path / "forest.png").stat().st_size > 1000
    output = capsys.readouterr().out
    assert f"entropy {strings['entropy']:.2f}" in output
    assert (tmp_path / "forest.md").read_text() in output


def test_test_drawings_are_inked_as_those_of_training(scripts):
    grey = np.tile(np.linspace(0, 1, 5, dtype=np.float32)[:, None, None], (4000, 1, 1, 1))
    black = scripts["forest"].in_black_and_white(grey, 0)
    assert {*np.unique(black)} == {0, 1}
    np.testing.assert_allclose(black.mean(0).ravel(), np.linspace(0, 1, 5), atol=0.03)


def test_spread_is_that_within_species(scripts):
    random = np.random.default_rng(0)
    species = np.arange(6000) % 3
    numbers = random.normal(size=(6000, 2)) * [1, 5] + 100 * species[:, None]
    np.testing.assert_allclose(scripts["forest"].within(numbers, species), [1, 5], rtol=0.05)


def test_other_trees_of_the_same_rules_are_no_copies_and_repeated_ones_are(scripts):
    script, random = scripts["forest"], np.random.default_rng(0)
    train, test, other = (random.normal(size=(num, 4)) for num in (2000, 500, 500))
    as_new = script.beside(test, other, train)
    assert as_new["ks"] < 0.1
    assert as_new["copies"] < 0.05
    assert as_new["new"] == pytest.approx(as_new["test"], rel=0.1)
    repeated = script.beside(test, train[:500], train)
    assert (repeated["ks"], repeated["copies"], repeated["new"]) == (1, 1, 0)
    twins = script.beside_their_own(test, np.tile(test[:250], (2, 1)))
    assert twins["copies"] == 1


def test_unseen_strings_are_those_that_training_has_not(scripts):
    assert scripts["forest"].unseen(["a", "b", "c", "c"], {"a", "d"}) == 0.75


def test_a_drawing_is_measured_in_pixels(scripts):
    tree = np.zeros((1, 8, 8, 1))
    tree[0, 2:, 3] = 1  # a trunk of six pixels, and a branch of two to its right
    tree[0, 2, 4:6] = 1
    height, width, ink, centre, lean = scripts["forest"].measures(tree)[0]
    assert (height, width, ink) == (6, 3, 8)
    assert centre == (0.5 + 1.5 + 2.5 + 3.5 + 4.5 + 3 * 5.5) / 8
    assert lean == (6 * -0.5 + 0.5 + 1.5) / 8
    assert scripts["forest"].measures(tree[:, :, ::-1])[0, 4] == -lean
    assert np.isfinite(scripts["forest"].measures(np.zeros((1, 8, 8, 1)))).all()

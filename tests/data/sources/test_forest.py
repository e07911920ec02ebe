"""Trees of the L-system: their strings, the numbers behind a drawing, and the sets that are drawn."""

import math

import numpy as np
import pytest

from jaxvae.data import kind_by_name, load
from jaxvae.data.sources import forest
from jaxvae.data.sources.forest import DEVIATION, GRAMMAR, SPECIES, Piece, Shape, Species, drawing, pieces, wood
from jaxvae.data.sources.grammar import Either, entropy, every, log_probability, sample


def test_the_inside_sum_finds_every_string_and_its_probability():
    shrub = Species(0.7, 0.4, 2, 1, Shape(30, 0.8, 0, 0.3), 2)
    strings = dict(every(wood(shrub, 2)))
    assert len(strings) == len(list(every(wood(shrub, 2)))), "made in two ways"
    np.testing.assert_allclose(sum(strings.values()), 1)
    for line, probability in list(strings.items())[::7]:
        assert log_probability(wood(shrub, 2), line.split()) == pytest.approx(math.log(probability))
    np.testing.assert_allclose(entropy(wood(shrub, 2)), -sum(p * math.log(p) for p in strings.values()))


def test_ways_to_make_the_same_words_are_summed_and_other_words_have_none():
    twice = Either((("a", "b"), "a b", "c"), (0.5, 0.2, 0.3))
    assert log_probability(twice, ["a", "b"]) == pytest.approx(math.log(0.7))
    for words in ["a"], ["a", "b", "c"], []:
        assert log_probability(twice, words) == -math.inf


def test_strings_of_all_species_have_the_entropy_as_mean():
    random = np.random.default_rng(0)
    scores = [-log_probability(GRAMMAR, sample(GRAMMAR, random).split()) for _ in range(2000)]
    assert abs(np.mean(scores) - entropy(GRAMMAR)) < 4 * np.std(scores) / 2000**0.5


@pytest.mark.parametrize("words", ["oak F [ + F ]", "oak F [ + F ] [ - F", "elm F [ + F ] [ - F ]", "oak"])
def test_a_string_that_no_rule_makes_is_none(words):
    assert log_probability(GRAMMAR, words.split()) == -math.inf


def test_branches_leave_at_the_angle_with_the_ratio(monkeypatch):
    monkeypatch.setattr(forest, "JITTER", 0)
    shape = Shape(angle=30, ratio=0.5, bend=0, trunk=0.4)
    words = [*"F[+FF][-F]"]
    trunk, left, twig, right = pieces(words, shape, 2.0, np.random.default_rng(0))
    np.testing.assert_allclose(trunk[:4], (0.5, 0.03, 0.5, 0.43), atol=1e-6)
    np.testing.assert_allclose(left[2:4], (0.5 - 0.2 * 0.5, 0.43 + 0.2 * 3**0.5 / 2), atol=1e-6)
    np.testing.assert_allclose(right[2:4], (0.5 + 0.2 * 0.5, 0.43 + 0.2 * 3**0.5 / 2), atol=1e-6)
    assert twig[:2] == left[2:4]
    np.testing.assert_allclose(math.dist(twig[:2], twig[2:4]), 0.1)
    assert [piece.width for piece in (trunk, left, twig, right)] == [2.0, 1.5, 1.125, 1.5]


def test_ink_is_the_area_of_the_wood():
    upright = drawing([Piece(0.5, 0.25, 0.5, 0.75, 2.0)]) / 255
    assert upright[:, :16].sum() == pytest.approx(upright[:, 16:].sum())
    assert upright.sum() == pytest.approx(2 * 16 + math.pi, abs=0.5)  # with its round ends
    assert upright[:7].max() == 0
    slanted = drawing([Piece(0.3, 0.3, 0.3 + 0.5 / 2**0.5, 0.3 + 0.5 / 2**0.5, 2.0)]) / 255
    assert slanted.sum() == pytest.approx(upright.sum(), rel=0.05)
    low = drawing([Piece(0.5, 0.0, 0.5, 0.2, 2.0)])
    assert low[-1].any()
    assert not low[:16].any()


@pytest.fixture(scope="module")
def trees():
    return load("forest")


def test_drawings_have_species_and_numbers(trees):
    assert [split.num_examples for split in (trees.train, trees.validation, trees.test)] == [6000, 500, 1000]
    assert trees.classes == tuple(SPECIES)
    assert trees.space.kind == "ink"
    assert trees.train.x[:1].shape == (1, 32, 32, 1)
    for number, species in enumerate(SPECIES.values()):
        of_it = trees.train.label == number
        assert 0.2 < of_it.mean() < 0.3
        for name, mean, deviation in zip(Shape._fields, species.shape, DEVIATION):
            values, size = trees.train.attributes[name][of_it], mean if name in ("angle", "trunk") else 1
            assert abs(values.mean() - mean) < 4 * abs(size) * deviation / of_it.sum() ** 0.5
            np.testing.assert_allclose(values.std(), abs(size) * deviation, rtol=0.1)


def test_no_two_drawings_are_the_same_and_few_pixels_are_cut_off(trees):
    x = np.concatenate([split.x[:].reshape(-1, 1024) for split in (trees.train, trees.test)])
    assert len(np.unique(x, axis=0)) == len(x)
    assert x.any(axis=1).all()
    edges = np.concatenate([trees.test.x[:][:, 0], trees.test.x[:][:, :, 0], trees.test.x[:][:, :, -1]], axis=1)
    assert (edges.max(axis=(1, 2)) > 0).mean() < 0.1


def test_strings_are_of_the_grammar():
    data = load("brackets")
    assert kind_by_name("brackets") == "tokens"
    assert data.facts["entropy"] == entropy(GRAMMAR)
    assert data.facts["unknown_words"] == {"train": 0, "validation": 0, "test": 0}
    for line in data.space.show(data.test.x[:50], data.facts).lines:
        assert log_probability(GRAMMAR, line.split()) > -math.inf

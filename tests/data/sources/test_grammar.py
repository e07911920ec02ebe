"""Sentences of the grammar: all of them enumerated, their entropy, and the set that is drawn."""

import collections
import math

import numpy as np
import pytest

from jaxvae.data import load
from jaxvae.data.sources.grammar import GRAMMAR, Either, entropy, every, sample


@pytest.fixture(scope="module")
def probabilities():
    return list(every(GRAMMAR.phrases[0]))


def test_no_sentence_of_a_scene_is_made_in_two_ways_and_all_sum_to_one(probabilities):
    sentences, values = zip(*probabilities)
    assert len(set(sentences)) == len(sentences) == 73728
    np.testing.assert_allclose(sum(values), 1, rtol=1e-9)


def test_scenes_share_no_sentence():
    nouns = [set(" ".join(words for words, _ in every(scene[1])).split()) for scene in GRAMMAR.phrases]
    assert all(a & b == {"the", "a", "some"} for i, a in enumerate(nouns) for b in nouns[:i])


def test_entropy_is_the_mean_of_minus_log_p(probabilities):
    of_a_scene = -sum(p * math.log(p) for _, p in probabilities)
    np.testing.assert_allclose(entropy(GRAMMAR), of_a_scene + math.log(len(GRAMMAR.phrases)), rtol=1e-9)


def test_samples_have_their_probabilities():
    phrase = Either(("a", ("b", Either(("", "c"), (0.25, 0.75)))), (0.2, 0.8))
    random = np.random.default_rng(0)
    counts = collections.Counter(sample(phrase, random) for _ in range(10000))
    for words, probability in every(phrase):
        error = (probability * (1 - probability) / 10000) ** 0.5
        assert abs(counts[words] / 10000 - probability) < 4 * error


def test_the_set_is_always_the_same_and_no_word_is_unknown():
    data = load("grammar")
    assert (data.train.num_examples, data.validation.num_examples, data.test.num_examples) == (20000, 1000, 2000)
    assert data.facts["unknown_words"] == {"train": 0, "validation": 0, "test": 0}
    assert data.facts["entropy"] == entropy(GRAMMAR)
    assert data.space.show(data.train.x[:1], data.facts).lines == ("some queens love some queens",)

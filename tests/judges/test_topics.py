"""Topics: mutual information by counting documents, words in common, halves of documents, perplexity."""

import itertools
import math

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges.topics import coherence, diversity, halves, perplexity, top_words

COUNTS = np.random.default_rng(0).poisson(0.7, (40, 6))


def npmi(i, j, documents):
    p_i, p_j = (sum(document[word] > 0 for document in documents) / len(documents) for word in (i, j))
    p_both = sum(document[i] > 0 and document[j] > 0 for document in documents) / len(documents)
    return math.log(p_both / (p_i * p_j)) / -math.log(p_both)


def test_coherence_is_the_mean_over_pairs():
    words = np.array([[0, 1, 2], [5, 3, 4]])
    expected = [np.mean([npmi(i, j, COUNTS) for i, j in itertools.combinations(topic, 2)]) for topic in words]
    np.testing.assert_allclose(coherence(words, COUNTS), expected, rtol=1e-12)


def test_coherence_reaches_its_limits():
    together = np.array([[1, 1, 0, 2, 1], [0, 0, 3, 2, 1], [2, 1, 0, 2, 0], [0, 0, 1, 2, 0]])
    # columns: 0 and 1 always meet, 0 and 2 never, 3 is everywhere, 0 and 4 are independent
    pairs = np.array([[0, 1], [0, 2], [3, 3], [0, 4]])
    np.testing.assert_allclose(coherence(pairs, together), [1, -1, 1, 0], atol=1e-12)


def test_words_that_say_most_of_a_topic_come_first():
    """Word 0 is frequent in both topics, word 3 rare in both; gains by hand."""
    shares = np.array([[0.5, 0.4, 0.09, 0.01], [0.5, 0.1, 0.39, 0.01]])
    gains = shares * np.log(shares / shares.mean(0))
    assert gains[0].argmax() == 1
    np.testing.assert_array_equal(top_words(shares, 2), [[1, 0], [2, 0]])
    with pytest.raises(InputError, match="num: must be from 1 to the number of words"):
        top_words(np.ones((2, 3)), 4)
    with pytest.raises(InputError, match="two words or more"):
        coherence([[1], [2]], COUNTS)


def test_topics_that_are_alike_have_the_least_diversity():
    assert diversity([[1, 2]] * 4) == 0.25
    assert diversity([[1, 2], [3, 4]]) == 1


def test_halves_hold_each_word_of_a_document_once():
    documents = np.array([[3, 0, 5], [1, 1, 1], [0, 0, 1], [1000, 0, 1000]])
    first, second = halves(documents)
    np.testing.assert_array_equal(first + second, documents)
    np.testing.assert_array_equal(first.sum(1), documents.sum(1) // 2)
    assert first.min() >= 0
    assert abs(first[3, 0] - 500) < 6 * (1000 / 4 * 0.5) ** 0.5


def test_perplexity_of_words_that_are_all_alike_is_their_number():
    assert perplexity(np.log(np.full((40, 6), 1 / 6)), COUNTS) == pytest.approx(6)
    shares = np.array([0.5, 0.25, 0.25])
    words = np.array([[1, 2, 0], [0, 0, 1]])
    expected = (0.5 * 0.25**3) ** (-1 / 4)
    assert perplexity(np.log(np.tile(shares, (2, 1))), words) == pytest.approx(expected)

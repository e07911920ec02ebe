"""Judges of topics: words that occur together in documents, and that other topics do not have."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jaxvae.errors import InputError


def top_words(shares: ArrayLike, num: int = 10) -> np.ndarray:
    """Return `[K, num]` numbers of the words that say most of each topic, the first one most.

    A word w says p_k(w) log[ p_k(w) / p(w) ] of topic k, where p is the mean of the topics: its part of the KL between
    the words of the topic and those of all. So words that are frequent in every topic are not among them, and rare ones
    neither.

    Args:
        shares: `[K, V]` probabilities of the words in each topic, above 0.
        num: number of words.

    Raises:
        InputError: topics have fewer words.

    >>> top_words([[0.6, 0.3, 0.1], [0.6, 0.1, 0.3]], 1).tolist()
    [[1], [2]]
    """
    shares = np.asarray(shares, np.float64)
    if shares.ndim != 2 or not 1 <= num <= shares.shape[1]:
        raise InputError(f"num: must be from 1 to the number of words of topics {list(shares.shape)}, got {num}")
    return np.argsort(-shares * np.log(shares / shares.mean(axis=0)), axis=1, kind="stable")[:, :num]


def coherence(words: ArrayLike, counts: ArrayLike) -> np.ndarray:
    r"""Return `[K]` means of the normalised pointwise mutual information of all pairs of a topic's words `[K, M]`.

        NPMI(i, j) = log[ p(i, j) / (p(i) p(j)) ] / -log p(i, j)

    with p the share of documents, rows of `counts` `[N, V]`, in which a word, or both, occur at all: the window is a
    whole document, and nothing is smoothed. It is -1 for words that never meet, 0 for independent ones, and 1 for words
    that always come together, in all documents too. Numbers of different corpora, windows or M are not comparable.

    Reference: Bouma 2009; Lau, Newman & Baldwin 2014, https://aclanthology.org/E14-1056.

    Raises:
        InputError: topics have fewer than two words.
    """
    words, there = np.asarray(words), np.asarray(counts) > 0
    if words.ndim != 2 or words.shape[1] < 2:
        raise InputError(f"words: must be [K, M] with two words or more for each topic, got {list(words.shape)}")
    return np.array([_npmi(there[:, topic].astype(np.float64)) for topic in words])


def _npmi(there: np.ndarray) -> float:
    """Return the mean over pairs of columns of the documents `[N, M]` in which words occur."""
    both = there.T @ there / len(there)
    alone, pairs = np.diag(both), np.triu_indices(len(both), k=1)
    joint, apart = both[pairs], np.outer(alone, alone)[pairs]
    meet = (joint > 0) & (joint < 1)
    found = np.where(joint >= 1, 1.0, -1.0)
    found[meet] = np.log(joint[meet] / apart[meet]) / -np.log(joint[meet])
    return float(found.mean())


def diversity(words: ArrayLike) -> float:
    """Return the share of different words among those of all topics `[K, M]`; 1 / K where all topics are alike.

    >>> diversity([[0, 1], [1, 2]])
    0.75

    Reference: Dieng, Ruiz & Blei 2020, https://arxiv.org/abs/1907.04907, section 6, there with 25 words.
    """
    words = np.asarray(words)
    return len(np.unique(words)) / words.size


def halves(counts: ArrayLike, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Divide documents `[N, V]` into two halves of their words at random, for `perplexity` by completion."""
    counts = np.asarray(counts)
    chosen = np.random.default_rng(seed).multivariate_hypergeometric
    first = np.stack([chosen(row, int(row.sum()) // 2, method="count") for row in counts])
    return first, counts - first


def perplexity(log_shares: ArrayLike, counts: ArrayLike) -> float:
    """Return exp(-total log p / total number of words) of words `[N, V]` with `[N, V]` logarithms of probabilities.

    Where probabilities were inferred from the other half of each document it is the perplexity by document completion,
    which needs no bound and is the same for all kinds of models. Papers also report exp of the mean over documents.

    Reference: Wallach et al. 2009, https://doi.org/10.1145/1553374.1553515, section 5.1.
    """
    log_shares, counts = np.asarray(log_shares, np.float64), np.asarray(counts)
    return float(np.exp(-np.where(counts > 0, counts * log_shares, 0.0).sum() / counts.sum()))

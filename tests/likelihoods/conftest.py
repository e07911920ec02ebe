"""One table of kinds of data, each with a few examples and the options of its model."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae.assemble import assemble
from jaxvae.data.spaces import Categories, Counts, Pixels, Real, Table, Tokens
from jaxvae.facts import Facts
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.nets import MLP, CountMLP, TokenMLP, Topics
from jaxvae.posteriors import DiagonalNormal
from jaxvae.priors import Standard
from jaxvae.types import Space

NOISE = np.random.default_rng(0)


class Kind(NamedTuple):
    """Eight examples of a space, and options that fit them."""

    space: Space
    x: Any
    likelihood: Any
    networks: Any = MLP((32,), "tanh")


def text() -> np.ndarray:
    """Return eight different rows of one to six words, an end mark and padding."""
    rows = np.zeros((8, 7), np.int32)
    for row, length in zip(rows, [1, 2, 3, 4, 5, 6, 6, 2]):
        row[:length] = NOISE.integers(3, 9, length)
        row[length] = 1
    return rows


def table() -> dict[str, np.ndarray]:
    """Return rows of two numbers, a pair of categories and four categories, a fifth of them missing."""
    x = np.stack([*NOISE.normal(size=(2, 8)), NOISE.integers(2, size=8), NOISE.integers(4, size=8)], axis=1)
    observed = NOISE.uniform(size=x.shape) > 0.2
    return {"x": np.where(observed, x, 0).astype(np.float32), "observed": observed}


COUNTS = NOISE.negative_binomial(1, 0.1, size=(8, 6)).astype(np.int32)
BYTES = NOISE.integers(256, size=(8, 4, 4, 1)).astype(np.float32) / np.float32(255)
WORDS = LIKELIHOODS["tokens"](window=3, embedding=8, hidden=(32,), context=16)
CELLS = LIKELIHOODS["negative_binomial"](zero_inflated=True, library=True)
KINDS = {
    "poisson": Kind(Counts((6,)), COUNTS, LIKELIHOODS["poisson"]()),
    "negative_binomial": Kind(Counts((6,)), COUNTS, LIKELIHOODS["negative_binomial"]()),
    "zero_inflated": Kind(Counts((6,)), COUNTS, LIKELIHOODS["negative_binomial"](zero_inflated=True)),
    "poisson, library": Kind(Counts((6,)), COUNTS, LIKELIHOODS["poisson"](library=True), CountMLP((32,), "tanh")),
    "zero_inflated, library": Kind(Counts((6,)), COUNTS, CELLS, CountMLP((32,), "tanh")),
    "multinomial, topics": Kind(Counts((6,)), COUNTS, LIKELIHOODS["multinomial"](), Topics((32,), "tanh", mixed=False)),
    "tokens": Kind(Tokens(9, 7), text(), WORDS, TokenMLP((32,), 8, activation="tanh")),
    "columns": Kind(Table((0, 0, 2, 4)), table(), LIKELIHOODS["columns"]()),
    "vectors": Kind(Real((5,)), NOISE.normal(size=(8, 5)).astype(np.float32), LIKELIHOODS["normal_shared"]()),
    "vectors, mse": Kind(Real((5,)), NOISE.normal(size=(8, 5)).astype(np.float32), LIKELIHOODS["mse"]()),
    "vectors, student_t": Kind(Real((5,)), NOISE.normal(size=(8, 5)).astype(np.float32), LIKELIHOODS["student_t"]()),
    "logistic levels": Kind(Pixels((4, 4, 1)), BYTES, LIKELIHOODS["discretized_logistic"]()),
    "softmax levels": Kind(Pixels((4, 4, 1)), BYTES, LIKELIHOODS["categorical_levels"]()),
    "signals": Kind(Real((16, 2)), NOISE.normal(size=(8, 16, 2)).astype(np.float32), LIKELIHOODS["normal_shared"]()),
}


def assembled(kind: Kind, *, condition: bool = False, dtype: Any = None) -> Any:
    """Assemble a VAE with two latent dimensions."""
    facts = Facts(kind.space, 2, condition_space=Categories(3) if condition else None, dtype=dtype)
    options = {"posterior": DiagonalNormal(), "prior": Standard(), "likelihood": kind.likelihood}
    return assemble(facts, networks=kind.networks, **options)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each row of the table."""
    return KINDS[request.param]


@pytest.fixture
def build():
    """Function from a kind to its model."""
    return assembled


@pytest.fixture
def labels():
    """One-hot labels of eight examples."""
    return jnp.eye(3)[np.arange(8) % 3]

"""Use of the code by a model of tokens: against counts by hand, and models that use it wholly or not at all."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvae import Functions, rng
from jaxvae.distributions import Categorical, Normal
from jaxvae.errors import InputError
from jaxvae.evaluation import code_use, greedy_accuracy, token_accuracy

WORDS = np.array([3, 4, 5])
ROWS = np.stack([WORDS[np.arange(9) % 3], np.ones(9, int), np.zeros(9, int)], axis=1)
"""Nine rows of one word and the end mark."""


def speller(strength):
    """Model whose code is the number of a row's word; the decoder says it with some confidence."""

    def decode(params, z):
        word = jnp.round(z[:, 0]).astype(int)
        right = jnp.stack([word, jnp.ones_like(word), jnp.zeros_like(word)], axis=1)
        scored = Categorical(strength * jax.nn.one_hot(right, 6), event_ndim=1)
        return SimpleNamespace(log_prob=scored.log_prob, sample=scored.sample, point=right)

    return Functions(
        encode=lambda params, x: Normal(x[:, :1].astype(jnp.float32), jnp.full((len(x), 1), -20.0)),
        decode=decode,
        prior=lambda params: Normal(jnp.zeros(1), jnp.zeros(1)),
    )


def test_a_code_that_the_decoder_ignores_saves_nothing():
    use = code_use(None, rng.root(0), ROWS, model=speller(0.0))
    np.testing.assert_array_equal(use.own, use.other)
    assert use.nats == 0


@pytest.mark.parametrize("block_size", [4, 100])
def test_another_code_costs_the_nats_of_a_wrong_word(block_size):
    """A wrong code changes one word: the logit of the true one falls from 2 to 0."""
    use = code_use(None, rng.root(1), ROWS, model=speller(2.0), block_size=block_size)
    differences = use.own - use.other
    assert set(np.round(differences, 4)) <= {0.0, 2.0}  # another row may have the same word
    assert use.nats == pytest.approx(differences.mean())
    assert use.standard_error == pytest.approx(differences.std(ddof=1) / 3)
    assert use.nats > 0


@pytest.mark.parametrize("num", [2, 3, 7])
def test_no_row_keeps_its_code(num):
    rows = np.arange(num)[:, None] * np.ones(3, int)
    use = code_use(None, rng.root(2), rows, model=speller(1.0)._replace(decode=code_in_the_first_place))
    assert (use.own - use.other > 0).all()


def code_in_the_first_place(params, z):
    return Normal(z * jnp.ones(3), jnp.zeros((len(z), 3)))


def test_one_row_has_no_other():
    with pytest.raises(InputError, match="x: codes are shuffled over two or more examples, got 1"):
        code_use(None, rng.root(0), ROWS[:1], model=speller(1.0))


def test_shares_are_those_counted_by_hand():
    rows = np.array([[5, 5, 5, 1], [7, 1, 0, 0]])
    decoded = np.array([[5, 4, 5, 1], [5, 1, 7, 1]])
    right = token_accuracy(rows, decoded)
    assert right.tokens == pytest.approx(4 / 6)
    assert right.classes == pytest.approx(np.mean([2 / 3, 0, 1]))  # of 5, of 7, of the end


def test_padding_of_another_number_does_not_count():
    assert token_accuracy([[3, 9, 9]], [[3, 1, 2]], padding=9) == (1.0, 1.0)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"decoded: shape \(1, 2\), the rows have \(2, 2\)"):
        token_accuracy(np.ones((2, 2)), np.ones((1, 2)))
    with pytest.raises(InputError, match="rows: hold padding alone"):
        token_accuracy(np.zeros((2, 2)), np.ones((2, 2)))


def test_greedy_rows_are_those_of_the_posterior_mean():
    assert greedy_accuracy(None, ROWS, model=speller(3.0)) == (1.0, 1.0)
    always_three = speller(3.0)._replace(encode=lambda params, x: Normal(jnp.full((len(x), 1), 3.0), jnp.zeros(1)))
    right = greedy_accuracy(None, ROWS, model=always_three, block_size=4)
    assert right.tokens == pytest.approx((3 + 9) / 18)
    assert right.classes == pytest.approx(np.mean([1, 0, 0, 1]))  # of the three words, of the end

"""The stack of rANS: what is pushed is popped, in as many bits as probabilities say, beside an independent coder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxvae.coding import Message, bits_back, independent, serial
from jaxvae.coding.counts import gamma
from jaxvae.coding.intervals import Binary, Cumulative, Table, Uniform, Where
from jaxvae.coding.rans import LEAST, first_heads, lent_words

MASSES = st.integers(2, 24).flatmap(
    lambda precision: st.tuples(
        st.just(precision),
        st.integers(0, 2**32 - 1),
        st.integers(2, min(60, 1 << precision)),
        st.integers(0, 120),
    )
)


def random_table(precision, seed, size, num, lanes=1):
    """Symbols with masses of all sizes, and values that have these probabilities, or none of them."""
    draw = np.random.default_rng(seed)
    cuts = draw.choice(np.arange(1, 1 << precision), size - 1, replace=False) if precision < 12 else None
    if cuts is None:
        cuts = np.unique(draw.integers(1, 1 << precision, size - 1))
    ends = np.append(np.sort(cuts), 1 << precision)
    table = Table(np.broadcast_to(ends, (num, lanes, len(ends))), precision)
    symbols = np.searchsorted(ends, draw.integers(0, 1 << precision, (num, lanes)), side="right")
    if seed % 2:
        symbols = draw.integers(0, len(ends), (num, lanes))
    return table, symbols, np.diff(ends, prepend=0)


@settings(deadline=None, max_examples=60)
@given(MASSES)
def test_the_length_is_that_of_the_probabilities(drawn):
    """Words and head take less than 1 + 32 bits more than -log2 p, and the information less than 1."""
    precision, *rest = drawn
    table, symbols, masses = random_table(precision, *rest)
    message, codec = Message(1), independent(table)
    before = message.bits
    codec.push(message, symbols)
    ideal = (precision - np.log2(masses[symbols])).sum()
    assert abs(message.bits - before - ideal) < 1
    assert 32 * len(message) < ideal + 33
    np.testing.assert_array_equal(codec.pop(message), symbols)
    assert len(message) == 0
    np.testing.assert_array_equal(message.heads, first_heads(1))


def test_an_independent_coder_takes_as_many_bits():
    constriction = pytest.importorskip("constriction")
    table, symbols, masses = random_table(16, 4, 30, 2000)
    coder = constriction.stream.stack.AnsCoder()
    model = constriction.stream.model.Categorical(masses / masses.sum(), perfect=False)
    coder.encode_reverse(symbols[:, 0].astype(np.int32), model)
    message = Message(1)
    before = message.bits
    independent(table).push(message, symbols)
    assert abs(message.bits - before - coder.num_valid_bits()) < 32 + 2e-4 * coder.num_valid_bits()


def test_lanes_share_one_stack_and_lend_what_is_missing():
    table, symbols, _ = random_table(16, 2, 50, 40, lanes=7)
    message, codec = Message(7), independent(table)
    popped = codec.pop(message)  # of nothing but what is lent
    assert message.lent > 0
    assert len(np.unique(popped)) > 5
    codec.push(message, popped)
    np.testing.assert_array_equal(message.words, lent_words(message.lent))
    np.testing.assert_array_equal(message.heads, first_heads(7))
    codec.push(message, symbols)
    few = Where(Table(table.ends[:, :3], 16), symbols[:, :3] > 10)
    independent(few).push(message, symbols[:, :3])
    found = independent(few).pop(message)
    np.testing.assert_array_equal(found, np.where(few.there, symbols[:, :3], 0))
    np.testing.assert_array_equal(codec.pop(message), symbols)
    assert ((message.heads >= LEAST) & (message.heads < 2 * LEAST)).all()


@pytest.mark.parametrize(
    ("intervals", "size"),
    [
        (Uniform((3, 5), 6), 64),
        (Binary.from_ones(np.array([0.0, 1e-9, 0.3, 0.5, 1.0])[None]), 2),
        (Table.from_probabilities(np.random.default_rng(0).dirichlet(np.full(9, 0.1), (2, 5))), 9),
        (Table.from_probabilities(np.float32([[[1, 0, 0], [0, 1, 0]]])), 3),
        (Cumulative(lambda k, p: k / 300 * p, (np.array([[0.0, 0.5, 1.0]]),), 300), 300),
        (Cumulative(lambda k, p: 0.7 + 1e-17 * (-1.0) ** k, (np.zeros((1, 1)),), 100), 100),
    ],
    ids=["uniform", "binary", "table", "certain", "cumulative", "not rising"],
)
def test_masses_are_positive_and_sum_to_the_whole(intervals, size):
    positions, lanes = intervals.shape
    symbols = np.broadcast_to(np.arange(size)[:, None, None], (size, positions, lanes))
    starts, masses = (np.stack(of) for of in zip(*map(intervals.of, symbols)))
    assert (masses >= 1).all()
    assert (masses.sum(0) == 1 << intervals.precision).all()
    np.testing.assert_array_equal(starts, np.cumsum(masses, 0) - masses)
    for position in range(positions):
        for ends in (starts, starts + masses - np.uint64(1)):  # the first and the last integer of each interval
            for number in range(size):
                found, start, mass = intervals.find(position, ends[number, position])
                np.testing.assert_array_equal(found, symbols[number, position])
                np.testing.assert_array_equal((start, mass), (starts[number, position], masses[number, position]))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 2**31 - 2), min_size=1, max_size=40), st.integers(1, 9))
def test_integers_without_an_end(values, lanes):
    message, codec = Message(lanes), gamma(len(values), lanes)
    codec.push(message, np.array(values))
    np.testing.assert_array_equal(codec.pop(message), values)
    np.testing.assert_array_equal(message.heads, first_heads(lanes))


def test_bits_come_back():
    """With conjugate masses the bits of z and x are those of x alone: log p(x) = log p(x|z) p(z) / p(z|x)."""
    draw = np.random.default_rng(0)
    prior, likelihood = draw.dirichlet(np.ones(8)), draw.dirichlet(np.ones(5), 8)
    joint = prior[:, None] * likelihood
    evidence = joint.sum(0)

    def table(probabilities):
        return independent(Table.from_probabilities(np.broadcast_to(probabilities, (1, 1, probabilities.shape[-1]))))

    codec = bits_back(
        table(prior), lambda z: table(likelihood[z[0, 0]]), lambda x: table((joint / evidence).T[x[0, 0]])
    )
    x = draw.choice(5, 400, p=evidence).reshape(-1, 1, 1)
    whole, message = serial([codec] * len(x)), Message(1)
    before = message.bits
    whole.push(message, [*x])
    net = message.bits - before - 32 * message.lent
    assert net == pytest.approx(-np.log2(evidence[x]).sum(), rel=2e-3)
    np.testing.assert_array_equal(whole.pop(message), x)
    np.testing.assert_array_equal(message.words, lent_words(message.lent))

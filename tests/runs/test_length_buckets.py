"""--length-buckets: columns of padding are left out, with every dispatch, and nothing else changes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxvae
from jaxvae.data import Split
from jaxvae.data.spaces import Pixels, Tokens
from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs.engine import build_order, step_maker
from jaxvae.runs.lengths import build_buckets
from jaxvae.runs.parts import build_parts, initial_state
from jaxvae.training.lengths import by_length
from jaxvae.types import Batch

NETWORKS = {
    "lstm_vae": {"hidden": (5,), "embedding": 3, "likelihood.hidden": (4,), "likelihood.embedding": 3},
    "transformer_vae": {"width": 4, "num_layers": 1, "num_heads": 2, "likelihood.width": 4, "likelihood.num_heads": 2},
}
WORDS = ["the", "cat", "saw", "a", "small", "dog", "in", "every", "garden", "today"]
DRAW = np.random.default_rng(0)
SENTENCES = [" ".join(DRAW.choice(WORDS, length)) for length in DRAW.integers(1, 9, 60)]


def recipe(preset="lstm_vae", **options):
    small = {"latent_dim": 2, "steps": 6, "batch_size": 8, "log_every": 1, "checkpoint_every": 4, "length_buckets": 2}
    quick = {"devices": 1, "select": "last", "tensorboard": False, "quiet": True}
    return jaxvae.preset(preset, **{**small, **quick, **NETWORKS.get(preset, {}), **options})


def rows_of(space, num=40):
    """Rows of random tokens with ends at random places."""
    lengths = np.random.default_rng(1).integers(1, space.length + 1, num)
    x = np.random.default_rng(2).integers(3, space.size, (num, space.length)).astype(np.int32)
    places = np.arange(space.length)
    return np.where(places == lengths[:, None] - 1, space.end, np.where(places < lengths[:, None], x, space.padding))


@pytest.mark.quick_rows("0.4-lstm_vae")
@pytest.mark.parametrize(("word_dropout", "preset"), [(0.4, "lstm_vae"), (0.4, "transformer_vae")])
def test_a_step_is_that_on_whole_rows(preset, word_dropout):
    space = Tokens(9, 12)
    split, chosen = Split(rows_of(space), space=space), recipe(preset, word_dropout=word_dropout)
    parts = build_parts(chosen, space, num_examples=40)
    buckets, state = build_buckets(chosen, parts, split), initial_state(chosen, parts)
    short, long = (np.flatnonzero(buckets.of_row == number) for number in (0, 1))
    # A long row of weight 0 makes no batch longer.
    ids, weights = np.append(short[:5], long[0]), np.float32([1, 1, 1, 1, 1, 0])
    whole, trimmed = (
        jax.jit(step_maker(parts, chosen.train, split, given)(None))(state, split.rows(), ids, weights, None)
        for given in (None, buckets)
    )
    # Adam's first step is the sign of the gradient, so its mean stands for the gradient.
    for one, other in zip(jax.tree.leaves(whole[0].opt_state), jax.tree.leaves(trimmed[0].opt_state)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4), whole[1], trimmed[1])


def counted(bounds):
    """A step by length whose state holds the length of the rows that its branch got."""
    steps = [lambda state, batch: (state * 0 + batch.x.shape[1], {})] * len(bounds)
    return by_length(steps, bounds, 0, axis_name=None)


def test_a_batch_takes_the_smallest_bound_that_holds_its_rows():
    step, x = counted((2, 5, 8)), np.triu(np.ones((8, 8), np.int32)).T
    for longest, bound in {1: 2, 2: 2, 3: 5, 5: 5, 6: 8, 8: 8}.items():
        weights = np.float32(np.arange(8) < longest)
        assert step(jnp.int32(0), Batch(x, np.arange(8), weights))[0] == bound
    together = jax.vmap(step)(jnp.zeros(2, int), Batch(np.stack([x, x]), np.arange(16).reshape(2, 8), np.eye(2, 8)))
    np.testing.assert_array_equal(together[0], [2, 2])


def test_seeds_run_one_branch_and_not_all():
    batch = Batch(np.ones((2, 3, 8), np.int32), np.arange(6).reshape(2, 3), np.ones((2, 3)))
    text = str(jax.make_jaxpr(jax.vmap(counted((2, 5, 8))))(jnp.zeros(2, int), batch))
    assert "cond[" in text


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return jaxvae.train(recipe(), SENTENCES, run_dir=tmp_path_factory.mktemp("lengths") / "run")


def close(tree, other, tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), tree, other)


@pytest.mark.slow
def test_streamed_and_killed_it_ends_bit_for_bit_as_the_whole_run(whole, tmp_path):
    otherwise = recipe(dispatch="step", input="stream")

    def stop(step, metrics, state):
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jaxvae.train(otherwise, SENTENCES, run_dir=tmp_path / "run", callbacks=[stop])
    again = jaxvae.train(otherwise, SENTENCES, run_dir=tmp_path / "run")
    close(again.params, whole.params, tolerance=0)
    assert [line["loss"] for line in again.metrics()] == [line["loss"] for line in whole.metrics()]


@pytest.mark.slow
def test_with_pmap_it_trains_the_same_model(whole, tmp_path):
    other = jaxvae.train(recipe(dispatch="pmap", devices=2), SENTENCES, run_dir=tmp_path / "run")
    close(other.params, whole.params, tolerance=2e-3)


@pytest.mark.slow
def test_seeds_train_together_as_alone(whole, tmp_path):
    first = jaxvae.train(recipe(seeds=2), SENTENCES, run_dir=tmp_path / "run")
    close(first.params, whole.params, tolerance=2e-3)


def order(split, **options):
    chosen = recipe(**options)
    parts = build_parts(chosen, split.space, num_examples=split.num_examples)
    return build_order(chosen.train, split, 1, build_buckets(chosen, parts, split))


def test_what_has_no_use_for_buckets_is_refused():
    space = Tokens(9, 12)
    split = Split(rows_of(space), space=space)
    with pytest.raises(InputError, match=r"length-buckets: networks tokens or .* have parameters for each place"):
        order(split, preset="token_vae")
    with pytest.raises(InputError, match="length-buckets: does not go with --labelled-per-batch"):
        order(split, labelled_per_batch=3)
    alike = dataclasses.replace(space, length=1)
    with pytest.raises(InputError, match="length-buckets: one bucket alone for rows of up to 1 tokens"):
        order(Split(rows_of(alike), space=alike))
    with pytest.raises(InputError, match="length-buckets: is for rows of tokens"):
        order(Split(np.zeros((20, 3), np.float32), space=Pixels((3,), "ink")), preset="vae")
    with pytest.raises(InputError, match="length-buckets: must be at least 1, got 0"):
        given(length_buckets=0).check()

"""Defaults that fit the data, and options that do not."""

import numpy as np
import pytest

from jaxvae import presets
from jaxvae.data import Dataset, Split, load
from jaxvae.data.spaces import Counts, Pixels, Real, Table, Tokens
from jaxvae.errors import InputError
from jaxvae.likelihoods import LIKELIHOODS, SharedNormal
from jaxvae.nets.conv import channels_for
from jaxvae.options import given
from jaxvae.runs.settle import settle, settle_scale

DIGITS = load("digits")


def own(shape, *, num=300, validation=True, low=0.0, high=1.0):
    """A set of one's own, of real values in a range."""
    rows = np.random.default_rng(0).uniform(low, high, (num, *shape)).astype(np.float32)
    split, space = Split(rows), Pixels(shape) if (low, high) == (0.0, 1.0) else Real(shape)
    return Dataset("mine", split, split, split if validation else None).of_space(space)


@pytest.mark.parametrize(
    ("shape", "preset"),
    [((64, 64, 3), "conv_vae"), ((16, 16, 1), "conv_vae"), ((15, 64, 1), "vae"), ((1, 100, 1), "vae"), ((30,), "vae")],
)
def test_auto_gives_images_of_ones_own_convolutions(shape, preset):
    assert settle(given(dataset="mine.npz"), own(shape)).preset == preset


def test_named_sets_keep_their_network_steps_and_place():
    config = settle(given(), DIGITS)
    assert (config.preset, config.output.checkpoint_every, config.output.patience) == ("vae", 1000, 0)
    assert (config.train.batch_size, config.run_dir) == (128, settle(given(preset="vae"), DIGITS).run_dir)
    assert config.run_dir.name.startswith("digits-vae-")


@pytest.mark.parametrize("side", [16, 28, 64, 96, 256, 512])
def test_depth_follows_the_size_and_parameters_stay_few(side):
    import jax
    import jax.numpy as jnp

    model = presets.build("conv_vae", (side, side, 3), likelihood="normal_shared")
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros((1, side, side, 3))))
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) < 12e6
    smallest = side
    for _ in channels_for((side, side, 3)):
        smallest = -(-smallest // 2)
    assert 4 <= smallest <= 7


@pytest.mark.parametrize(("num", "batch_size"), [(5, 5), (40, 16), (320, 32), (5000, 128)])
def test_batches_fit_small_sets(num, batch_size):
    assert settle(given(dataset="mine.npz"), own((3,), num=num)).train.batch_size == batch_size


def test_a_batch_larger_than_the_set_is_refused():
    with pytest.raises(InputError, match="batch-size: 41 is more than the 40 training examples"):
        settle(given(dataset="mine.npz", batch_size=41), own((3,), num=40))


def test_data_of_ones_own_are_evaluated_often_and_training_stops_early():
    output = settle(given(dataset="mine.npz"), own((3,))).output
    assert (output.checkpoint_every, output.select, output.patience) == (100, "best", 5)
    assert settle(given(dataset="mine.npz", decay="cosine"), own((3,))).output.patience == 0
    without = settle(given(dataset="mine.npz"), own((3,), validation=False)).output
    assert (without.select, without.patience) == ("last", 0)
    with pytest.raises(InputError, match="patience: mine has no validation data"):
        settle(given(dataset="mine.npz", patience=3), own((3,), validation=False))


@pytest.mark.parametrize(("num", "steps"), [(300, 100), (40_000, 313), (400_000, 1000)])
def test_an_evaluation_comes_no_more_often_than_once_an_epoch(num, steps):
    assert settle(given(dataset="mine.npz"), own((1,), num=num)).output.checkpoint_every == steps


def test_real_values_get_a_scale_and_a_likelihood_for_them():
    scale, data = settle_scale(None, own((3,), low=-40.0, high=900.0))
    assert (scale, data.pixels) == ("standard", "real")
    assert settle(given(dataset="mine.npz"), data).likelihood == SharedNormal()
    assert settle_scale(None, own((3,)))[0] is None


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous_bernoulli", "grey_cross_entropy"])
def test_real_values_are_refused_where_they_have_no_likelihood(likelihood):
    data = own((3,), low=-4.0, high=9.0)
    with pytest.raises(
        InputError, match=rf"^likelihood: {likelihood} scores values .*; use --likelihood normal_shared"
    ):
        settle(given(dataset="mine.npz", likelihood=likelihood), data)


def test_the_same_file_is_the_same_run_however_it_is_spelled(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    spelled = ["mine.npz", "./mine.npz", "../there/mine.npz", str(tmp_path / "there" / "mine.npz")]
    places = {settle(given(dataset=name), own((3,))).run_dir for name in spelled}
    assert len(places) == 1
    assert settle(given(dataset="."), own((3,))).run_dir.name.startswith("there-vae-")


@pytest.mark.parametrize(
    ("space", "name", "message"),
    [
        (Pixels((3,), "ink"), "poisson", "poisson scores counts, but mine holds pixels; .* --likelihood bernoulli"),
        (Real((3,)), "tokens", "tokens scores tokens, but mine holds real; .* --likelihood normal_shared"),
        (Counts((3,)), "bernoulli", "bernoulli scores values that are 0 or 1, but mine holds counts; .* negative_bin"),
        (Counts((3,)), "columns", "columns scores tables, but mine holds counts"),
        (Tokens(9, 3), "mse", "mse scores real numbers, but mine holds tokens; .* --likelihood tokens"),
        (Table((0, 2, 3)), "normal_shared", "normal_shared scores real numbers, but mine holds table; .* columns"),
    ],
)
def test_a_likelihood_of_another_kind_of_data_is_refused(space, name, message):
    split = Split(np.zeros((20, 3), np.int32))
    data = Dataset("mine", split, split).of_space(space)
    with pytest.raises(InputError, match=f"likelihood: {message}"):
        settle(given(dataset="mine.npz", likelihood=name), data)


@pytest.mark.parametrize("name", ["poisson", "negative_binomial", "mse", "normal_shared"])
def test_counts_may_be_scored_as_counts_and_as_real_numbers(name):
    split = Split(np.zeros((20, 3), np.int32))
    data = Dataset("mine", split, split).of_space(Counts((3,)))
    assert isinstance(settle(given(dataset="mine.npz", likelihood=name), data).likelihood, LIKELIHOODS[name])


@pytest.mark.parametrize("name", ["discretized_logistic", "beta_binomial"])
def test_levels_are_those_of_bytes(name):
    def settled(pixels):
        split = Split(pixels)
        return settle(given(dataset="mine.npz", likelihood=name), Dataset("mine", split, split)).likelihood

    assert isinstance(settled(np.full((20, 4, 4, 1), 7, np.uint8)), LIKELIHOODS[name])
    message = f"likelihood: {name} scores pixels of 256 levels, but mine holds other numbers; store uint8"
    with pytest.raises(InputError, match=message):
        settled(np.full((20, 4, 4, 1), 0.3, np.float32))

"""--init-from: a run that begins with the parameters of another, and goes on without it."""

import shutil

import jax
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs import experiment, load_run, training


@pytest.fixture(scope="module")
def trained(scripts, small_in, tmp_path_factory):
    config = small_in(tmp_path_factory.mktemp("trained") / "run", ema_decay=0.9)
    assert scripts["train"].main(config) == 0
    return config


@pytest.fixture
def first(trained, tmp_path):
    """A copy of the trained run."""
    return given(trained, run_dir=shutil.copytree(trained.run_dir, tmp_path / "first"))


def starting_state(config):
    with experiment.prepare(config) as prepared:
        return training.restore_or_init(prepared).state


@pytest.mark.quick_rows("1")
@pytest.mark.parametrize("seeds", [1, 2])
def test_it_begins_where_the_other_ended(first, small, capsys, seeds):
    state = starting_state(small(preset="iwae", init_from=first.run_dir, ema_decay=0.9, seeds=seeds))
    assert f"beginning with the parameters of {first.run_dir}" in capsys.readouterr().out
    assert state.step.ravel().tolist() == [0] * seeds

    def assert_of_all_seeds(ours, theirs):
        np.testing.assert_array_equal(ours, np.broadcast_to(theirs, ours.shape))

    theirs = load_run(first.run_dir).params
    jax.tree.map(assert_of_all_seeds, state.params, theirs)
    jax.tree.map(assert_of_all_seeds, state.opt_state.average, theirs)


@pytest.mark.slow
def test_an_interrupted_run_needs_the_other_no_more(scripts, first, small, tmp_path):
    whole = small(run_dir=tmp_path / "whole", init_from=first.run_dir)
    assert scripts["train"].main(whole) == 0
    half = small(run_dir=tmp_path / "half", init_from=first.run_dir, steps=20)
    assert scripts["train"].main(half) == 0
    shutil.rmtree(first.run_dir)
    assert scripts["train"].main(small(run_dir=tmp_path / "half", init_from=first.run_dir)) == 0
    jax.tree.map(np.testing.assert_array_equal, load_run(tmp_path / "half").params, load_run(tmp_path / "whole").params)


@pytest.mark.parametrize("seeds", [1, 2])
def test_parts_that_are_named_come_from_the_other_and_all_else_is_fresh(first, small, capsys, seeds):
    """The decoder may then be another."""
    options = {"prior": "mixture", "likelihood": "normal_shared", "seeds": seeds}
    state = starting_state(small(init_from=first.run_dir, init_parts=("encoder",), **options))
    assert f"beginning with the encoder of {first.run_dir}" in capsys.readouterr().out
    fresh, theirs = starting_state(small(run_dir=first.run_dir.parent / "fresh", **options)), load_run(first.run_dir)

    def assert_same(ours, expected):
        np.testing.assert_array_equal(ours, np.broadcast_to(expected, ours.shape))

    jax.tree.map(assert_same, state.params["encoder"], theirs.params["encoder"])
    assert state.params.keys() == fresh.params.keys() == {"encoder", "prior", "decoder"}
    for name in ("decoder", "prior"):
        jax.tree.map(assert_same, state.params[name], fresh.params[name])


def test_parts_that_are_not_there_are_told_in_a_line(first, small):
    with pytest.raises(InputError, match=r"init-parts: .*first has no 'encodr', it has decoder, encoder; name some"):
        starting_state(small(init_from=first.run_dir, init_parts=("encodr",)))
    with pytest.raises(InputError, match=r"init-parts: .*first has no 'prior', it has decoder, encoder; name some"):
        starting_state(small(init_from=first.run_dir, init_parts=("prior",), prior="mixture"))
    with pytest.raises(InputError, match=r"init-from: the networks of .* are others .hidden"):
        starting_state(small(init_from=first.run_dir, init_parts=("encoder",), hidden=(9,)))
    with pytest.raises(InputError, match=r"init-parts: names parts of a run; give that run by --init-from"):
        small(init_parts=("encoder",)).check()

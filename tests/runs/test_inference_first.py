"""--inference-steps: the encoder moves at every step, all else in its turn, with any other option of the optimizer."""

import jax
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import jaxvae
from jaxvae.data import Dataset, Split
from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs import inference
from jaxvae.runs.parts import build_optimizer
from jaxvae.runs.settle import settle


def moved(num, **options):
    """Steps, of `num`, at which each part moves, and the sizes of the encoder's and the decoder's last updates."""
    train = given(**options).train
    train.check()
    params = {"encoder": {"kernel": np.ones(2, np.float32)}, "decoder": {"kernel": np.ones(2, np.float32)}}
    optimizer = build_optimizer(train)
    state, when, sizes = optimizer.init(params), {name: [] for name in params}, {}
    for number in range(1, num + 1):
        updates, state = optimizer.update(jax.tree.map(np.ones_like, params), state, params, finite=True)
        for name in params:
            size = float(abs(updates[name]["kernel"]).max())
            if size:
                when[name].append(number)
                sizes[name] = size
    return when, sizes


@pytest.mark.parametrize(
    "others", [{}, {"ema_decay": 0.9}, {"clip_norm": 1.0, "weight_decay": 0.01}, {"on_nonfinite": "skip"}]
)
def test_the_decoder_moves_in_its_turn(others):
    when, _ = moved(8, inference_steps=3, inference_until=6, **others)
    assert when == {"encoder": [*range(1, 9)], "decoder": [3, 6, 7, 8]}


def test_the_learning_rate_is_that_of_the_step_for_both():
    options = {"decay": "linear", "steps": 10, "learning_rate": 1.0}
    when, sizes = moved(9, inference_steps=9, **options)
    assert when["decoder"] == [9]
    assert sizes["decoder"] == pytest.approx(sizes["encoder"], rel=1e-4) == pytest.approx(0.2, rel=1e-4)


def test_an_end_of_what_never_began_is_refused():
    with pytest.raises(InputError, match="inference-until: ends --inference-steps"):
        given(inference_until=5).check()
    with pytest.raises(InputError, match="inference-steps: must be at least 1, got 0"):
        given(inference_steps=0).check()


DIGITS = np.random.default_rng(0).random((90, 6, 6, 1), np.float32).round()
INFORMATION = {3: 1.0, 6: 2.0, 9: 2.0, 12: 9.0}
"""Mutual information by step: it grows for the last time before the end of the phase at step 6."""


def trained(folder, *, stop_after=(), **options):
    """Train a small run, killed after these steps and begun again; return it and the steps that moved its decoder."""
    small = {"hidden": (4,), "latent_dim": 2, "steps": 12, "batch_size": 8, "log_every": 1, "checkpoint_every": 3}
    phase = {"inference_steps": 4, "inference_patience": 1, "learning_rate": 0.05, "beta": 4.0}
    defaults = {"devices": 1, "select": "last", "tensorboard": False, "quiet": True}
    recipe = jaxvae.preset("vae", **{**small, **phase, **defaults, **options})
    decoders, stops = {}, list(stop_after)

    def see(step, metrics, state):
        decoders[step] = jax.device_get(state.params["decoder"])
        if stops[:1] == [step]:
            raise KeyboardInterrupt

    while stops:
        with pytest.raises(KeyboardInterrupt):
            jaxvae.train(recipe, DIGITS, run_dir=folder, callbacks=[see])
        del stops[0]
    run = jaxvae.train(recipe, DIGITS, run_dir=folder, callbacks=[see])

    def moves(step):
        pairs = zip(jax.tree.leaves(decoders[step - 1]), jax.tree.leaves(decoders[step]))
        return np.any([(before != after).reshape(recipe.train.seeds, -1).any(1) for before, after in pairs], axis=0)

    return run, np.array([moves(step) for step in range(2, recipe.train.steps + 1)])


def by_step(monkeypatch, values):
    """Let evaluations find these values of the mutual information."""
    steps = iter(values.values())
    monkeypatch.setattr(inference, "mutual_information", lambda *args, **options: next(steps))


@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param({"dispatch": "scan", "ema_decay": 0.9, "clip_norm": 1.0}, marks=pytest.mark.slow),
        pytest.param({"dispatch": "pmap", "devices": 2}, marks=pytest.mark.slow),
        pytest.param({"dispatch": "sharded", "devices": 2, "on_nonfinite": "skip"}, marks=pytest.mark.slow),
    ],
)
def test_all_parts_move_once_the_codes_tell_no_more(options, tmp_path, monkeypatch):
    by_step(monkeypatch, INFORMATION)
    run, moves = trained(tmp_path / "run", **options)
    assert [2 + step for step in np.flatnonzero(moves)] == [4, 8, 10, 11, 12]
    lines = {line["step"]: line for line in run.metrics() if line["split"] == "validation"}
    assert {step: line["mutual_information"] for step, line in lines.items()} == INFORMATION


@pytest.mark.slow
def test_each_seed_ends_its_own_phase(tmp_path, monkeypatch):
    growing, falling = INFORMATION, {3: 1.0, 6: 0.5, 9: 7.0, 12: 8.0}
    by_step(monkeypatch, dict(enumerate(value for pair in zip(growing.values(), falling.values()) for value in pair)))
    _, moves = trained(tmp_path / "run", seeds=2)
    when = [[2 + step for step in np.flatnonzero(of_seed)] for of_seed in moves.T]
    assert when == [[4, 8, 10, 11, 12], [4, 7, 8, 9, 10, 11, 12]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("undisturbed") / "run")


@pytest.mark.slow
def test_a_killed_run_ends_its_phase_at_the_same_step(undisturbed, tmp_path):
    whole, moves = undisturbed
    assert 3 < moves.sum() < 9, "the phase ends within the run"
    killed, _ = trained(tmp_path / "killed", stop_after=(5, 8, 11))
    jax.tree.map(np.testing.assert_array_equal, killed.params, whole.params)

    def lines(run):
        return [{**line, "examples_per_second": None} for line in run.metrics()]

    assert lines(killed) == lines(whole)


def test_the_information_is_that_of_all_codes_of_the_split(undisturbed):
    """One sample of each posterior, scored by all of them, from NumPy's own noise."""
    run, _ = undisturbed
    x, params = run.data.validation, run.params
    found = [inference.mutual_information(params, x, model=run.model, seed=seed) for seed in range(30)]
    posterior = run.encode(x)
    mean, deviation = np.asarray(posterior.mean, float), np.exp(np.asarray(posterior.log_var, float) / 2)
    z = mean + deviation * np.random.default_rng(0).normal(size=(4000, *mean.shape))
    density = norm.logpdf(z[:, :, None], mean, deviation).sum(-1)
    own = np.diagonal(density, axis1=1, axis2=2)
    each = (own - logsumexp(density, axis=2) + np.log(len(mean))).mean(1)
    error = np.hypot(np.std(found) / np.sqrt(len(found)), each.std() / np.sqrt(len(each)))
    assert abs(np.mean(found) - each.mean()) < 6 * error


def test_a_rule_that_cannot_be_followed_is_refused(tmp_path):
    with pytest.raises(InputError, match="inference-patience: ends --inference-steps"):
        given(inference_patience=1).check()
    with pytest.raises(InputError, match=r"inference-patience: needs a diagonal normal .* as posterior, not Delta"):
        trained(tmp_path / "run", posterior="delta", beta=1.0)
    rows = Split(np.zeros((40, 3), np.float32))
    with pytest.raises(InputError, match="inference-patience: mine has no validation data"):
        settle(given(inference_steps=3, inference_patience=1, dataset="mine.npz"), Dataset("mine", rows, rows))

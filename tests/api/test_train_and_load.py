"""The library from Python: a recipe is trained, loaded and used with the user's own examples."""

import dataclasses
import threading

import jax
import numpy as np
import pytest
from matplotlib.text import Text

import jaxvae
from jaxvae import presets
from jaxvae.errors import InputError
from jaxvae.runs.scores import score

RNG = np.random.default_rng(0)
DIGITS = (RNG.random((60, 6, 6, 1)) < 0.3).astype(np.float32)
LABEL = np.arange(60) % 3
SMALL = {"latent_dim": 2, "steps": 6, "batch_size": 10, "log_every": 2, "checkpoint_every": 3, "tensorboard": False}


def small(name="vae", **options):
    own = {"hidden": (8,)} if name != "conv_vae" else {"channels": (3,)}
    return jaxvae.preset(name, **{**SMALL, **own, "quiet": True, **options})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return jaxvae.train(small(), DIGITS, label=LABEL, run_dir=tmp_path_factory.mktemp("api") / "run")


def test_a_run_encodes_decodes_samples_and_scores(run):
    codes = run.encode(DIGITS[:7])
    assert codes.mean.shape == (7, 2)
    assert run.reconstruct(DIGITS[:7]).shape == run.decode(codes.mean).shape == (7, 6, 6, 1)
    np.testing.assert_allclose(run.reconstruct(DIGITS[:7]), run.decode(codes.mean), atol=1e-6)
    assert run.sample(3, seed=1).shape == (3, 6, 6, 1)
    assert (run.sample(3, seed=1) == run.sample(3, seed=1)).all()
    assert (run.sample(3, seed=1) != run.sample(3, seed=2)).any()
    elbo, log_px = run.elbo(DIGITS), run.log_px(DIGITS, 50)
    assert elbo.shape == log_px.shape == (60,)
    assert log_px.mean() > elbo.mean()


def test_what_does_not_integrate_to_one_has_no_log_px(run):
    grey = presets.build("vae", (6, 6, 1), latent_dim=2, hidden=(8,), likelihood="grey_cross_entropy")
    with pytest.raises(InputError, match=r"likelihood: this .* does not integrate to 1"):
        dataclasses.replace(run, model=grey).log_px(DIGITS)


def test_its_scores_are_those_of_evaluate(run):
    lines = {line.name: line.value for line in score(run, run.data.test, num_samples=20)}
    np.testing.assert_allclose(run.log_px(run.data.test, 20).mean(), lines["log_px"], rtol=1e-6)
    assert run.summary["test_elbo"] == pytest.approx(lines["elbo"], abs=1e-3)


def test_loading_gives_the_same_numbers(run):
    loaded = jaxvae.load(str(run.folder))
    assert loaded.step == run.step == 6
    assert (loaded.encode(DIGITS).mean == run.encode(DIGITS).mean).all()
    assert loaded.summary == run.summary


def test_the_same_call_returns_what_is_trained(run, capsys):
    again = jaxvae.train(small(quiet=False), DIGITS, label=LABEL, run_dir=run.folder)
    assert "is at step 6 already" in capsys.readouterr().out
    assert (again.encode(DIGITS).mean == run.encode(DIGITS).mean).all()


def test_it_is_named_after_its_options_and_its_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {str(jaxvae.train(small(steps=1), x).folder) for x in (DIGITS, DIGITS[::-1], DIGITS)}
    assert len(folders) == 2
    assert all(folder.startswith("runs/array-") for folder in folders)


def test_it_describes_itself_in_five_lines(run):
    lines = repr(run).splitlines()
    assert len(lines) == 5
    assert "2 dimensions" in lines[2]
    assert f"ELBO {run.summary['test_elbo']:.2f}" in lines[3]
    assert run._repr_html_().count("<tr>") == 5


def test_callbacks_see_copies_and_may_end_the_training(tmp_path):
    seen = []

    def callback(step, metrics, state):
        seen.append((step, metrics["loss"], state))
        return step >= 4

    # It ends before the first evaluation, so there is no best state yet.
    options = small(select="best", checkpoint_every=6)
    run = jaxvae.train(options, DIGITS, run_dir=tmp_path / "run", callbacks=[callback])
    assert [step for step, *_ in seen] == [2, 4]
    assert run.summary["steps"] == run.summary["selected_step"] == run.step == 4
    losses = [record["loss"] for record in run.metrics() if record["split"] == "train"]
    assert losses == [loss for _, loss, _ in seen]
    first, last = (jax.tree.leaves(state.params)[0] for *_, state in seen)
    assert np.asarray(first != last).any()  # neither is deleted, and they differ


def test_several_trainings_in_threads(tmp_path):
    runs = {}

    def train(seed):
        runs[seed] = jaxvae.train(small(seed=seed), DIGITS, run_dir=tmp_path / str(seed))

    threads = [threading.Thread(target=train, args=(seed,)) for seed in (0, 1)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (runs[0].encode(DIGITS).mean != runs[1].encode(DIGITS).mean).any()
    alone = jaxvae.train(small(seed=0), DIGITS, run_dir=tmp_path / "alone")
    assert (runs[0].encode(DIGITS).mean == alone.encode(DIGITS).mean).all()


@pytest.mark.slow
def test_several_seeds_are_a_run_each(tmp_path):
    run = jaxvae.train(small(seeds=3, devices=1), DIGITS, run_dir=tmp_path / "run")
    runs = [run, *run.others]
    assert [one.recipe.train.seed for one in runs] == [0, 1, 2]
    for one in runs:
        loaded = jaxvae.load(one.folder)
        assert loaded.summary == one.summary != {}
        np.testing.assert_array_equal(loaded.encode(DIGITS).mean, one.encode(DIGITS).mean)
    assert len({one.summary["test_elbo"] for one in runs}) == 3
    with pytest.raises(InputError, match="seeds trained together have it above it"):
        run.metrics()


def test_conditions_are_classes_by_number_or_name(tmp_path):
    run = jaxvae.train(small("conditional_vae"), DIGITS, label=LABEL, run_dir=tmp_path / "run")
    assert run.sample(4, condition="2").shape == (4, 6, 6, 1)
    by_number, by_name = run.encode(DIGITS, LABEL).mean, run.encode(DIGITS, [str(one) for one in LABEL]).mean
    assert (by_number == by_name).all()
    assert (by_number != run.encode(DIGITS, "0").mean).any()
    with pytest.raises(InputError, match="condition: this run wants one of each example, its label"):
        run.encode(DIGITS)
    with pytest.raises(InputError, match="3 for 60 examples"):
        run.encode(DIGITS, [0, 1, 2])


@pytest.mark.slow
def test_numbers_are_in_the_datas_own_units(tmp_path):
    x = RNG.normal(5, 3, (80, 4))
    run = jaxvae.train(small(steps=20), x, run_dir=tmp_path / "run")
    assert abs(run.reconstruct(x).mean() - 5) < 1
    elsewhere = jaxvae.train(small(steps=20), 10 * x, run_dir=tmp_path / "other")
    np.testing.assert_allclose(elsewhere.log_px(10 * x) + 4 * np.log(10), run.log_px(x), atol=0.01)


def test_samples_of_pixels_are_drawn_from_black_to_white(tmp_path):
    options = {"likelihood": "normal_shared", "learning_rate": 0.5, "scale": "none"}
    run = jaxvae.train(small(**options), DIGITS, run_dir=tmp_path / "run")
    assert run.sample(64).min() < 0
    for figure in (run.plot.samples(), run.plot.manifold(5)):
        assert "black is" not in "".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.slow
def test_text_is_a_list_of_sentences(tmp_path):
    text = ["a cat sat", "a dog sat", "the cat ran", "the dog ran"] * 10
    run = jaxvae.train(small("token_vae"), text, run_dir=tmp_path / "run")
    assert all(isinstance(line, str) for line in run.sample(3))
    assert run.encode(["a cat ran"]).mean.shape == (1, 2)
    assert len(run.reconstruct(text[:2])) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.encode(DIGITS[:, :4]), "6, 6"),
        (lambda run: run.encode(DIGITS, condition=LABEL), "condition: this run has none"),
        (lambda run: jaxvae.load("nowhere"), "run-dir: cannot read"),
        (lambda run: jaxvae.preset("vea"), "preset: must be one of"),
        (lambda run: jaxvae.preset("vae", latent=2), "no such option"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(run, call, message):
    with pytest.raises(InputError, match=message) as refusal:
        call(run)
    assert "\n" not in str(refusal.value)


def test_a_posterior_keeps_what_its_examples_share(tmp_path):
    """The networks of a flow have no axis of examples."""
    run = jaxvae.train(small("iaf_vae", steps=1), DIGITS, run_dir=tmp_path / "run")
    whole = jax.tree.map(np.asarray, run.model.encode(run.params, DIGITS[:7]))
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), run.encode(DIGITS[:7]), whole)

"""train.py: what a run leaves behind, the same numbers twice, and a run that goes on where it stopped."""

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image

from jaxvae.errors import InputError
from jaxvae.likelihoods import SharedNormal
from jaxvae.options import given
from jaxvae.report import read_metrics
from jaxvae.runs import experiment, load_run


def summary(run_dir):
    return json.loads((run_dir / "summary.json").read_text())


def test_a_run_directory_holds_everything(scripts, small):
    config = small(latent_dim=2, tensorboard=True, figures=True)
    assert scripts["train"].main(config) == 0
    names = {path.name for path in config.run_dir.iterdir()}
    assert names == {
        "config.json",
        "manifest.json",
        "metrics.jsonl",
        "summary.json",
        "figures",
        "checkpoints",
        "tensorboard",
    }
    figures = {path.name for path in (config.run_dir / "figures").iterdir()}
    assert figures == {"reconstructions.png", "samples.png", "loss.png", "kl_history.png", "latent.png", "manifold.png"}
    for path in (config.run_dir / "figures").iterdir():
        assert np.asarray(Image.open(path).convert("L")).std() > 10, f"{path} is blank"
    manifest = json.loads((config.run_dir / "manifest.json").read_text())
    assert manifest["packages"]["jax"]
    assert manifest["data"]["shape"] == [8, 8, 1]
    assert manifest["data"]["train"] == 1297
    assert list((config.run_dir / "tensorboard").iterdir())


@pytest.mark.slow
def test_a_denoising_autoencoder_has_no_bound_to_report(scripts, small, capsys):
    config = small(preset="denoising_autoencoder", figures=True)
    assert scripts["train"].main(config) == 0
    assert (config.run_dir / "figures" / "denoised.png").exists()
    result = summary(config.run_dir)
    assert "test_elbo" not in result
    assert "test_kl" not in result
    assert f"test log-likelihood {result['test_log_likelihood']:.2f}" in capsys.readouterr().out
    (evaluation, _) = [record for record in read_metrics(config.run_dir / "metrics.jsonl") if "num_examples" in record]
    assert not any("kl" in record for record in read_metrics(config.run_dir / "metrics.jsonl"))
    assert evaluation["loss"] == -evaluation["log_likelihood"]
    assert load_run(config.run_dir, select="best").step in (20, 40)


def test_fewer_training_examples(scripts, small):
    config = small(train_examples=50, batch_size=20, steps=5)
    scripts["train"].main(config)
    manifest = json.loads((config.run_dir / "manifest.json").read_text())
    assert (manifest["data"]["train"], manifest["data"]["test"]) == (50, 300)
    with pytest.raises(InputError, match="train-examples: 2000 asked for, digits has 1297"):
        scripts["train"].main(small(train_examples=2000))


def test_metrics_agree_with_each_other(whole):
    records = read_metrics(whole.run_dir / "metrics.jsonl")
    train = [record for record in records if record["split"] == "train"]
    assert [record["step"] for record in train] == [10, 20, 30, 40]
    for record in train:
        assert record["loss"] == pytest.approx(record["kl"] - record["log_likelihood"], rel=1e-5)
        assert record["kl"] == pytest.approx(sum(record["kl_per_dimension"]), rel=1e-5)
    assert train[-1]["loss"] < train[0]["loss"]
    assert [record["step"] for record in records if record["split"] == "validation"] == [20, 40]
    result = summary(whole.run_dir)
    assert result["test_elbo"] == pytest.approx(result["test_log_likelihood"] - result["test_kl"])
    assert result["test_num_examples"] == 300
    assert result["steps"] == 40
    assert result["examples_per_second"] > 0


@pytest.mark.slow
def test_the_same_options_give_the_same_numbers(scripts, small, whole, tmp_path):
    second = small(run_dir=tmp_path / "elsewhere" / "b", log_every=7, checkpoint_every=13, tensorboard=True)
    scripts["train"].main(second)
    other = small(run_dir=tmp_path / "c", seed=1)
    scripts["train"].main(other)
    assert summary(whole.run_dir)["params_sha256"] == summary(second.run_dir)["params_sha256"]
    assert summary(whole.run_dir)["params_sha256"] != summary(other.run_dir)["params_sha256"]


def test_an_interrupted_run_ends_like_one_that_was_not(scripts, small, tmp_path, monkeypatch, capsys):
    build_engine = experiment.build_engine

    def interrupted_engine(*arguments):
        engine = build_engine(*arguments)

        def run(state, chunk):
            if int(state.step) == 26:
                os.kill(os.getpid(), signal.SIGTERM)
            return engine.dispatch.run(state, chunk)

        return engine._replace(dispatch=engine.dispatch._replace(run=run))

    whole, broken = (small(run_dir=tmp_path / name, compute={"dispatch": "step"}) for name in ("whole", "broken"))
    scripts["train"].main(whole)
    with monkeypatch.context() as patch:
        patch.setattr(experiment, "build_engine", interrupted_engine)
        assert scripts["train"].main(broken) == 143
    assert f"stopped at step 27, saved in {broken.run_dir}: run the same command again" in capsys.readouterr().out
    assert load_run(broken.run_dir, select="last").step == 27
    assert not (broken.run_dir / "summary.json").exists()
    assert scripts["train"].main(broken) == 0
    assert summary(broken.run_dir)["params_sha256"] == summary(whole.run_dir)["params_sha256"]
    assert lines(broken.run_dir) == lines(whole.run_dir), "the interrupted one too"
    assert load_run(broken.run_dir, select="best").step == load_run(whole.run_dir, select="best").step


def lines(run_dir):
    """All that the metrics say, but for the speed."""
    return [{**record, "examples_per_second": None} for record in read_metrics(run_dir / "metrics.jsonl")]


@pytest.mark.slow
def test_a_finished_run_can_be_continued(scripts, small, whole, tmp_path, capsys):
    config = small(run_dir=tmp_path / "grown", steps=20)
    scripts["train"].main(config)
    assert scripts["train"].main(config) == 0
    assert "raise --steps" in capsys.readouterr().out
    scripts["train"].main(given(config, steps=40))
    assert summary(config.run_dir)["params_sha256"] == summary(whole.run_dir)["params_sha256"]


def test_a_run_killed_before_its_summary_writes_it_later(scripts, copied):
    before = summary(copied.run_dir)
    (copied.run_dir / "summary.json").unlink()
    scripts["train"].main(copied)
    after = summary(copied.run_dir)
    assert (after["params_sha256"], after["test_elbo"]) == (before["params_sha256"], before["test_elbo"])
    assert after["examples_per_second"] is None, "no step was left: nothing is known of the speed, which is not 0"


def test_another_run_is_not_written_over(scripts, copied):
    before = (copied.run_dir / "config.json").read_text()
    with pytest.raises(InputError, match=r"learning_rate 0\.001 there, 0\.01 here"):
        scripts["train"].main(given(copied, learning_rate=0.01))
    assert (copied.run_dir / "config.json").read_text() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 2000}, "batch-size: 2000 is more than the 1297"),
        ({"binarize": "none", "likelihood": "bernoulli"}, "likelihood: .* --binarize dynamic"),
        ({"dataset": "digit"}, "did you mean 'digits'"),
        ({"warmup_steps": 40}, "warmup-steps: 40 steps never end in a run of 40"),
        ({"beta_warmup_steps": 50}, "beta: 50 steps never end in a run of 40"),
        ({"compute": {"devices": 3}}, "devices: 3 asked for"),
        ({"compute": {"devices": 2, "dispatch": "scan"}}, "dispatch: scan is for one device"),
        ({"compute": {"devices": 2}, "seeds": 2}, "seeds: 2 are trained at once on one device"),
    ],
)
def test_bad_input_creates_nothing(scripts, small, options, message):
    config = small(**options)
    with pytest.raises(InputError, match=message):
        scripts["train"].main(config)
    assert not config.run_dir.exists()


@pytest.mark.slow
def test_convolutions_on_own_faces_scored_as_shades(scripts, small, shared_data):
    faces = shared_data / "npz" / "frey_faces.npz"
    config = small(preset="conv_vae", channels=(4, 8), dataset=str(faces), batch_size=256, epochs=1.0)
    assert scripts["train"].main(config) == 0
    assert summary(config.run_dir)["steps"] == 7
    assert load_run(config.run_dir).recipe.likelihood == SharedNormal()

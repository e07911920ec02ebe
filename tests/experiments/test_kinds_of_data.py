"""Data that are not images, through the scripts: trained with default options, drawn, evaluated and sampled.

Counts and text go through them in test_presets.py.
"""

import csv
import json

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs.command_line import parse

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(0)
TRAIN = {"steps": 12, "log_every": 4, "checkpoint_every": 12, "batch_size": 16, "hidden": (8,), "latent_dim": 2}
WORDS = ["the", "a", "dog", "cat", "barks", "sleeps", "and"]


def signals(folder):
    np.savez(folder / "mine.npz", x=np.sin(np.linspace(0, 6, 30) + RNG.uniform(0, 6, (80, 1)))[..., None])


def numbers(folder):
    rows = RNG.normal(size=(80, 3))
    np.savetxt(folder / "mine.csv", rows, delimiter=",", header="a,b,c", comments="")


def table(folder):
    rows = [f"{i / 7},{'' if i % 9 == 4 else i * 100},{'xyz'[i % 3]},{i % 2}" for i in range(80)]
    (folder / "mine.csv").write_text("\n".join(["a,b,town,label", *rows]) + "\n")


def text(folder):
    lines = [" ".join(RNG.choice(WORDS, RNG.integers(1, 6))) for _ in range(80)]
    (folder / "mine.txt").write_text("\n".join(lines) + "\n")


KINDS = {  # writer -> end of the files with examples, and names of its scores
    signals: (".png", {"bits_per_dimension", "log_jacobian"}),
    numbers: (".csv", {"bits_per_dimension", "log_jacobian"}),
    table: (".csv", {"log_jacobian"}),
}


@pytest.mark.parametrize("write", KINDS, ids=lambda write: write.__name__)
def test_a_kind_of_data_goes_through_all_scripts(scripts, tmp_path, capsys, write):
    write(tmp_path)
    (source,), run_dir, (end, scores) = list(tmp_path.iterdir()), tmp_path / "run", KINDS[write]
    options = {**TRAIN, "dataset": str(source), "run_dir": run_dir, "tensorboard": False, "num_processes": 1}
    assert scripts["train"].main(given(**options)) == 0
    assert "examples/s" in capsys.readouterr().err
    assert {"reconstructions", "samples", "loss", "latent"} <= {path.stem for path in (run_dir / "figures").iterdir()}
    assert (run_dir / "figures" / f"samples{end}").stat().st_size > 20

    def call(name, *arguments):
        config_type = getattr(scripts[name], f"{name.title()}Config")
        return scripts[name].main(parse(config_type, ["--run-dir", str(run_dir), *arguments]))

    assert call("evaluate", "--num-samples", "2") == 0
    told = json.loads((run_dir / "evaluation.json").read_text())
    assert scores == told.keys() & {"bits_per_dimension", "log_jacobian", "perplexity"}
    assert np.isfinite(told["log_px"])

    assert call("sample", "--num", "9") == 0
    path = run_dir / "samples" / f"samples{end}"
    if end == ".csv":
        with path.open(newline="") as stream:
            assert [len(list(csv.reader(stream)))] == [10]
    with pytest.raises(InputError, match="interpolate: is for images"):
        call("sample", "--interpolate", "0", "1")


def test_a_run_on_text_tells_whether_its_code_is_used(scripts, tmp_path, capsys):
    text(tmp_path)
    options = {**TRAIN, "dataset": str(tmp_path / "mine.txt"), "run_dir": tmp_path / "run", "figures": False}
    assert scripts["train"].main(given(**options, tensorboard=False, num_processes=1, preset="token_vae")) == 0
    summary, told = json.loads((tmp_path / "run" / "summary.json").read_text()), capsys.readouterr().out
    for name in ("mutual_information", "active_units", "nats_from_code", "greedy_accuracy", "greedy_accuracy_by_class"):
        assert np.isfinite(summary[f"test_{name}"])
        assert f"\n{name} " in told
    assert summary["test_log_px_samples"] == 100
    assert summary["test_report_examples"] == 8
    per_token = -summary["test_log_px"] / np.log(summary["test_perplexity"])
    assert 2 < per_token < 7  # words and the end mark of a line


def test_words_are_dropped_in_training_alone(scripts, tmp_path):
    """Every number of an evaluation is that of whole rows: two runs of no step that differ in the dropout agree."""
    text(tmp_path)
    options = {**TRAIN, "dataset": str(tmp_path / "mine.txt"), "figures": False, "tensorboard": False}
    elbos = []
    for share in (0.0, 0.5):
        run_dir = tmp_path / f"run-{share}"
        arguments = {**options, "run_dir": run_dir, "word_dropout": share, "learning_rate": 1e-12, "num_processes": 1}
        assert scripts["train"].main(given(**arguments)) == 0
        lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
        elbos.append([json.loads((run_dir / "summary.json").read_text())["test_elbo"], lines[0]["loss"]])
    (evaluated, trained), (evaluated_dropped, trained_dropped) = elbos
    assert evaluated == pytest.approx(evaluated_dropped, rel=1e-5)
    assert trained != pytest.approx(trained_dropped, rel=1e-5)
    with pytest.raises(InputError, match="word-dropout: is for rows of tokens, got ink; leave it out"):
        scripts["train"].main(given(dataset="digits", word_dropout=0.1, run_dir=tmp_path / "other", num_processes=1))


def test_the_same_command_goes_on(scripts, tmp_path, capsys):
    table(tmp_path)
    options = {**TRAIN, "dataset": str(tmp_path / "mine.csv"), "run_dir": tmp_path / "run", "figures": False}
    for steps in (6, 12):
        arguments = {**options, "steps": steps, "checkpoint_every": 6, "tensorboard": False, "num_processes": 1}
        assert scripts["train"].main(given(**arguments)) == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["steps"] == 12


@pytest.mark.parametrize("objective", ["elbo", "iwae"])
def test_a_last_batch_of_few_sentences_is_finite(scripts, tmp_path, objective):
    """Padding of a batch is no row of zeros, which would be no sentence."""
    text(tmp_path)
    options = {**TRAIN, "dataset": str(tmp_path / "mine.txt"), "run_dir": tmp_path / "run", "figures": False}
    arguments = {**options, "batch_size": 15, "objective": objective, "tensorboard": False, "num_processes": 1}
    assert scripts["train"].main(given(**arguments)) == 0

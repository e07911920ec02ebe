"""sample.py and evaluate.py need nothing but a run directory."""

import json
import shutil

import pytest

from jaxvae.report import read_metrics
from jaxvae.types import InputError


@pytest.fixture
def run_dir(scripts, small):
    config = small(latent_dim=3)
    scripts["train"].main(config)
    return config.run_dir


def test_sample_writes_three_pictures(scripts, run_dir):
    sample = scripts["sample"]
    assert sample.main(sample.SampleConfig(run_dir=run_dir, num=20)) == 0
    names = {path.name for path in (run_dir / "samples").iterdir()}
    assert names == {"samples.png", "reconstructions.png", "traversal.png"}


def test_evaluation_agrees_with_the_summary(scripts, run_dir, capsys):
    evaluate = scripts["evaluate"]
    assert evaluate.main(evaluate.EvaluateConfig(run_dir=run_dir)) == 0
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    summary = json.loads((run_dir / "summary.json").read_text())
    assert evaluation["elbo"] == summary["test_elbo"]
    assert evaluation["num_examples"] == 300
    assert f"{evaluation['elbo']:.4f}" in capsys.readouterr().out


def test_the_best_checkpoint_can_be_chosen(scripts, small):
    config = small(learning_rate=0.5, steps=60)
    scripts["train"].main(config)
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=config.run_dir, best=True))
    records = [r for r in read_metrics(config.run_dir / "metrics.jsonl") if r["split"] == "validation"]
    best = max(records, key=lambda record: record["elbo"])
    assert best is not records[-1], "the test needs a run whose best checkpoint is not its newest"
    assert json.loads((config.run_dir / "evaluation.json").read_text())["step"] == best["step"]


def test_a_moved_run_loads(scripts, run_dir, tmp_path):
    moved = tmp_path / "elsewhere" / "run"
    shutil.move(run_dir, moved)
    evaluate = scripts["evaluate"]
    assert evaluate.main(evaluate.EvaluateConfig(run_dir=moved)) == 0


def test_a_folder_without_a_run_is_bad_input(scripts, tmp_path):
    evaluate = scripts["evaluate"]
    with pytest.raises(InputError, match="name a folder that train"):
        evaluate.main(evaluate.EvaluateConfig(run_dir=tmp_path))

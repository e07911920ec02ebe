"""Lines of metrics: none lost, none twice, none torn."""

import json

import pytest

from jaxvae.report import MetricsWriter, read_metrics, write_json


def test_records_come_back(tmp_path):
    with MetricsWriter(tmp_path, first_step=0, tensorboard=True) as writer:
        writer.write("train", 10, {"loss": 1.5, "kl_per_dimension": [1.0, 2.0]})
    assert read_metrics(tmp_path / "metrics.jsonl") == [
        {"step": 10, "split": "train", "loss": 1.5, "kl_per_dimension": [1.0, 2.0]}
    ]
    assert list((tmp_path / "tensorboard").iterdir())


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path):
    with MetricsWriter(tmp_path, first_step=0, tensorboard=False) as writer:
        for step in (10, 20, 30):
            writer.write("train", step, {"loss": step})
    with MetricsWriter(tmp_path, first_step=20, tensorboard=False) as writer:
        writer.write("train", 30, {"loss": -1})
    assert [(r["step"], r["loss"]) for r in read_metrics(tmp_path / "metrics.jsonl")] == [(10, 10), (20, 20), (30, -1)]


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "split": "train"}\n{"step": 2, "spl')
    assert [record["step"] for record in read_metrics(path)] == [1]
    with MetricsWriter(tmp_path, first_step=1, tensorboard=False):
        pass
    assert path.read_text() == '{"step": 1, "split": "train"}\n'


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "summary.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}

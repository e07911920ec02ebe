"""Lines of metrics: none lost, none twice, none torn."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxvae.report import MetricsWriter, read_metrics, write_json


def test_records_come_back(tmp_path):
    writer = MetricsWriter(tmp_path, first_step=0)
    writer.write("train", 10, {"loss": 1.5, "kl_per_dimension": [1.0, 2.0]})
    assert read_metrics(tmp_path / "metrics.jsonl") == [
        {"step": 10, "split": "train", "loss": 1.5, "kl_per_dimension": [1.0, 2.0]}
    ]


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path):
    writer = MetricsWriter(tmp_path, first_step=0)
    for step in (10, 20, 30):
        writer.write("train", step, {"loss": step})
    writer = MetricsWriter(tmp_path, first_step=20)
    assert writer.lines == 2
    writer.write("train", 30, {"loss": -1})
    assert [(r["step"], r["loss"]) for r in read_metrics(tmp_path / "metrics.jsonl")] == [(10, 10), (20, 20), (30, -1)]


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "split": "train"}\n{"step": 2, "spl')
    assert [record["step"] for record in read_metrics(path)] == [1]
    MetricsWriter(tmp_path, first_step=1)
    assert path.read_text() == '{"step": 1, "split": "train"}\n'


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "summary.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


@pytest.mark.parametrize("garbage", [b"\xff\xfe", b"3", b"{}", b'{"step": "1", "split": "train"}', b""])
def test_a_damaged_line_is_named_and_the_others_are_read(tmp_path, caplog, garbage):
    path = tmp_path / "metrics.jsonl"
    content = b'{"step": 1, "split": "train"}\n' + garbage + b'\n{"step": 3, "split": "train"}\n'
    path.write_bytes(content)
    assert [record["step"] for record in read_metrics(path)] == [1, 3]
    assert "line 2 cannot be read" in caplog.text
    assert MetricsWriter(tmp_path, first_step=3, expected=3).lines == 2
    assert "1 of 3 lines are lost" in caplog.text
    assert (tmp_path / "metrics.damaged.jsonl").read_bytes() == content


def test_dropping_lines_keeps_the_others_whatever_happens(tmp_path, monkeypatch):
    writer = MetricsWriter(tmp_path, first_step=0)
    writer.write("train", 10, {})
    before = (tmp_path / "metrics.jsonl").read_text()

    def end(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", end)
    with pytest.raises(KeyboardInterrupt):
        MetricsWriter(tmp_path, first_step=10)
    assert (tmp_path / "metrics.jsonl").read_text() == before


def test_what_is_not_finite_is_null_in_every_file(tmp_path):
    nan, infinity = float("nan"), float("inf")
    write_json(tmp_path / "summary.json", {"error": np.float64(nan), "all": {"of": (1.0, [-infinity])}, "steps": 3})
    text = (tmp_path / "summary.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {"error": None, "all": {"of": [1.0, [None]]}, "steps": 3}
    MetricsWriter(tmp_path, first_step=0).write("test", 1, {"error": nan, "elbo": -1.0})
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=pytest.fail)["error"] is None
    assert read_metrics(tmp_path / "metrics.jsonl")[0]["elbo"] == -1


def test_what_an_earlier_version_wrote_is_null_when_the_run_goes_on(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "split": "test", "error": NaN}\n')
    assert MetricsWriter(tmp_path, first_step=1).lines == 1
    assert "null" in (tmp_path / "metrics.jsonl").read_text()

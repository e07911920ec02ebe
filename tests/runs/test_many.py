"""Lines of many runs: their numbers, and the time that is left for all of them."""

from types import SimpleNamespace

import pytest

from jaxvae.options import Train, given
from jaxvae.runs import many


@pytest.fixture
def clock(monkeypatch):
    """A run takes a minute, one that has its summary takes a second."""
    now = [0.0]

    def train(config, options):
        now[0] += 1 if (config.run_dir / "summary.json").exists() else 60
        return 3 if config.train.seed == 9 else 0

    monkeypatch.setattr(many, "train_run", train)
    monkeypatch.setattr(many, "time", SimpleNamespace(monotonic=lambda: now[0]))


def test_runs_are_announced_with_what_is_left(tmp_path, clock, capsys):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "summary.json").write_text("{}")
    runs = {name: given(run_dir=tmp_path / name) for name in ("a", "b", "c", "d")}
    assert many.train_all(runs, Train) == 0
    assert capsys.readouterr().out.splitlines() == [
        "run 1 of 4: a",
        "run 2 of 4: b (about 2 min left)",
        "run 3 of 4: c (about 2 min left)",
        "run 4 of 4: d (about 60 s left)",
    ]


def test_a_run_that_does_not_end_is_the_last(tmp_path, clock, capsys):
    runs = {str(seed): given(run_dir=tmp_path / str(seed), seed=seed) for seed in (9, 1)}
    assert many.train_all(runs, Train) == 3
    assert "run 2" not in capsys.readouterr().out

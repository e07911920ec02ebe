"""sweep.py as a program: a short search on a set of one's own; tests/sweeps has all else."""

import json
import re

import numpy as np
import pytest

from jaxvae.runs.command_line import parse


@pytest.mark.slow
def test_a_short_search(scripts, tmp_path, capsys):
    np.savez(tmp_path / "mine.npz", x=np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32))
    sweep, fixed = scripts["sweep"], ["steps=4", "checkpoint_every=2", "hidden=4", "batch_size=20", "devices=1"]
    words = ["--folder", tmp_path / "found", "--search", "latent_dim=1,2", "--trials", "2"]
    words += ["--fixed", f"dataset={tmp_path / 'mine.npz'}", *fixed]
    assert sweep.main(parse(sweep.SweepConfig, [*map(str, words)])) == 0
    told = capsys.readouterr()
    assert "2 trials ended, 0 were pruned" in told.out
    assert re.search(r"trials that ended: +50%.* 1/2 ", told.err)
    for number in (0, 1):
        run_dir = tmp_path / "found" / f"trial-{number:04d}"
        assert json.loads((run_dir / "config.json").read_text())["train"]["steps"] == 4
        assert json.loads((run_dir / "summary.json").read_text())["steps"] == 4

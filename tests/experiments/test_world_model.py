"""world_model.py: a whole call with few episodes and small networks, twice, and its table on returns that are known."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from jaxvae.errors import InputError

SIZES = {
    "episodes": 20, "frames": 100, "steps": 4, "hidden": (8,), "latent_dim": 2, "memory_steps": 4, "lstm": 4,
    "components": 2, "generations": 2, "population": 4, "trials": 1, "temperatures": (1.0,), "tests": 4, "longest": 20,
    "seeds": 1,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("world", ["cartpole", "breakout"])
def test_all_are_trained_judged_and_drawn(world, scripts, tmp_path, capsys, monkeypatch):
    script = scripts["world_model"]
    if world == "breakout":  # the second round has the same code
        monkeypatch.setattr(script, "ROUNDS", 1)
    quantities = script.WORLDS[world].environment.quantities
    config = script.WorldModelConfig(out=tmp_path, world=world, **SIZES)
    assert script.main(config) == 0
    first = capsys.readouterr().out
    found = json.loads((tmp_path / "world_model.json").read_text())
    (one,) = found["seeds"]
    assert [*one["rows"]] == [
        "random", "state", "pixels", "z", "z, h of an untrained M", "z, h", "dream, temperature 1",
    ]  # fmt: skip
    assert all(len(row["returns"]) == 4 and max(row["returns"]) <= 20 for row in one["rows"].values())
    assert 0 <= one["rows"]["dream, temperature 1"]["dreamt"] <= 20
    assert [*one["probes"]] == ["z", "z, h of an untrained M", "z, h"]
    assert all(len(shares) == len(quantities) for shares in one["probes"].values())
    assert (tmp_path / "world_model.md").read_text() in first
    for name in ("returns.png", "seed-0/film.png", "seed-0/film.gif"):
        with Image.open(tmp_path / name) as image:
            assert np.asarray(image.convert("L")).std() > 1
    if world == "breakout":
        return
    # A second call changes nothing.
    assert script.main(config) == 0
    assert (tmp_path / "world_model.md").read_text() in capsys.readouterr().out
    assert json.loads((tmp_path / "world_model.json").read_text()) == found
    with pytest.raises(InputError, match="begun with another lstm"):
        script.main(dataclasses.replace(config, lstm=8))


def test_the_table_has_interquartile_means_over_seeds(scripts):
    script = scripts["world_model"]
    means = [10, 20, 30, 40, 500]
    found = [{"rows": {"z": {"returns": [mean, mean], "generations": 7}}} for mean in means]
    table = script.table_of_returns(script.WorldModelConfig().setting, found)
    assert "| z | 30 | 10 | 500 | 0.20 | 7 | - |" in table
    table = script.table_of_returns(script.WORLDS["breakout"], found)
    assert "full episodes" not in table, "of a game the return is no number of steps"
    assert "| z | 30.0 | 10.0 | 500.0 | 7 | - |" in table


def test_probes_are_averaged_over_seeds(scripts):
    found = [
        {"probes": {"z": [share, 0, 1, -share]}, "explained_change": [share, share / 2]}
        for share in (0.0, 0.5, 0.6, 0.7, 1.0)
    ]
    table = scripts["world_model"].table_of_probes(("a", "b", "c", "d"), found)
    assert "| z | 0.60 | 0.00 | 1.00 | -0.60 |" in table
    assert "predicts 45.0%" in table


@pytest.mark.parametrize(
    ("name", "value"), [("population", 3), ("temperatures", (0.0,)), ("longest", 1), ("world", "pong")]
)
def test_values_that_cannot_work_are_refused(scripts, name, value):
    with pytest.raises(InputError, match=name):
        scripts["world_model"].WorldModelConfig(**{name: value}).check()

"""synthetic.py from a trained table to its judgement: numbers, rows and pictures."""

import json

import numpy as np
import pandas
import pytest

import jaxvae
from jaxvae.errors import InputError

NOISE = np.random.default_rng(0)
N = 200


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    x = NOISE.normal(size=N)
    table = pandas.DataFrame({"x": x, "y": x + NOISE.normal(size=N), "word": np.where(x > 0, "up", "down")})
    table.loc[::9, "word"] = None
    table.loc[::8, "y"] = np.nan
    table.to_csv(folder / "t.csv", index=False)
    options = {"steps": 100, "hidden": (16,), "latent_dim": 2, "learning_rate": 0.01, "batch_size": 40}
    recipe = jaxvae.preset("vae", devices=1, quiet=True, tensorboard=False, figures=False, **options)
    return jaxvae.train(recipe, str(folder / "t.csv"), run_dir=folder / "run")


@pytest.mark.quick_rows("y")
@pytest.mark.parametrize("target", [None, "y"])
def test_the_rows_are_judged_beside_simpler_ones(scripts, run, target, tmp_path, capsys):
    synthetic = scripts["synthetic"]
    config = synthetic.SyntheticConfig(run_dir=run.folder, target=target, out=tmp_path)
    assert synthetic.main(config) == 0
    found = json.loads((tmp_path / "synthetic.json").read_text())
    assert (found["target"], found["measure"]) == (("word", "AUC") if target is None else ("y", "R^2"))
    rows = found["rows"]
    assert [*rows] == ["real training rows", "VAE", "Gaussian copula", "independent columns"]
    assert rows["real training rows"]["ratio"] == 1
    assert 0.5 < rows["VAE"]["marginals"] <= 1
    assert rows["independent columns"]["pairs"] < rows["Gaussian copula"]["pairs"]
    assert {path.name for path in tmp_path.iterdir()} >= {"rows.csv", "marginals.png", "pairs.png", "synthetic.md"}
    assert (tmp_path / "synthetic.md").read_text().strip() in capsys.readouterr().out
    made = pandas.read_csv(tmp_path / "rows.csv")
    assert made.y.isna().any()  # as many cells are missing as in real rows
    assert {*made.word.dropna()} == {"up", "down"}


def test_an_unknown_target_is_refused(scripts, run):
    synthetic = scripts["synthetic"]
    with pytest.raises(InputError, match=r"target: the run has no column 'words' \(did you mean 'word'"):
        synthetic.main(synthetic.SyntheticConfig(run_dir=run.folder, target="words"))

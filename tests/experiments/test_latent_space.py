"""latent_space.py and one_dimensional.py: runs are trained once, and the tables say what there is to say."""

import json

import numpy as np
import pytest

from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.runs import many


class NoProbe:
    """Sure of nothing: what a probe is worth is tested beside it."""

    def sure(self, images):
        return np.zeros(len(images), bool)

    def probabilities(self, images):
        return np.full((len(images), 10), 0.1)


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def latent_space(scripts, patched):
    """The script, with little to look at."""
    script = scripts["latent_space"]
    for name, value in {"TRAIN": 400, "TEST": 200, "PAIRS": 20, "CELLS": 10, "STEPS": 8}.items():
        patched.setattr(script, name, value)
    patched.setattr(script, "fit_probe", lambda images, labels: NoProbe())
    return script


@pytest.fixture(scope="module")
def config(latent_space, tmp_path_factory):
    out = tmp_path_factory.mktemp("latent_space")
    config = latent_space.LatentSpaceConfig(steps=600, hidden=(32,), out=out)
    assert latent_space.main(config) == 0
    return config


@pytest.mark.slow
def test_the_table_says_of_each_variant_what_there_is_to_say(config):
    rows = json.loads((config.out / "latent_space.json").read_text())["rows"]
    assert list(rows) == ["reconstruction only", "KL only", "both", "denoising", "reference"]
    assert not {"kl", "elbo"} & set(rows["reconstruction only"]), "a point has neither"
    for name in ("KL only", "both"):
        assert rows[name]["elbo"] == pytest.approx(rows[name]["log_likelihood"] - rows[name]["kl"])
    assert rows["KL only"]["neighbour_accuracy"] < rows["reconstruction only"]["neighbour_accuracy"]
    table = (config.out / "latent_space.md").read_text().splitlines()
    assert [line.split(" | ")[1] == "-" for line in table[2:7]] == [False] * 4 + [True]
    assert {path.name for path in config.out.glob("*.png")} == {"latent_space.png", "latent_space_denoising.png"}


@pytest.mark.slow
def test_kl_only_ends_at_its_exact_values(config):
    check = json.loads((config.out / "latent_space.json").read_text())["kl_only"][0]
    mean = load("digits").train.mean().astype(np.float64).ravel()
    inner = mean[(mean > 0) & (mean < 1)]
    entropy = -(inner * np.log(inner) + (1 - inner) * np.log(1 - inner)).sum()
    assert check["minus_entropy"] == pytest.approx(-entropy, rel=1e-6)
    assert check["kl"] < 0.01
    # No constant decoder can do better; a little KL and a little of the last steps' noise are left.
    assert -entropy - 0.1 < check["bound"] < -entropy + 0.01
    assert check["holds"]


@pytest.mark.slow
def test_a_second_time_runs_are_read(latent_space, config, monkeypatch):
    dirs = sorted(path for path in config.out.iterdir() if path.is_dir())
    assert len(dirs) == 4
    written = [(path / "summary.json").stat().st_mtime_ns for path in dirs]
    trained, train = [], many.train_run
    monkeypatch.setattr(many, "train_run", lambda one, options: trained.append(train(one)) or 7)
    assert latent_space.main(config) == 7, "stopped with the run's exit code"
    assert trained == [0]
    assert [(path / "summary.json").stat().st_mtime_ns for path in dirs] == written


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_bad_seeds_are_refused(latent_space, seeds):
    with pytest.raises(InputError, match="seeds: must be one or more different numbers"):
        latent_space.LatentSpaceConfig(seeds=seeds).check()


@pytest.mark.slow
def test_along_one_line(scripts, tmp_path, patched):
    script = scripts["one_dimensional"]
    patched.setattr(script, "fit_probe", lambda images, labels: NoProbe())
    config = script.OneDimensionalConfig(num=12, steps=100, hidden=(16,), out=tmp_path)
    assert script.main(config) == 0
    rows = json.loads((tmp_path / "one_dimensional.json").read_text())
    assert rows["reference"]["codes_distance"] == 0
    assert rows["reference"]["codes_near"] == 1
    assert {"autoencoder", "VAE"} < set(rows)
    assert (tmp_path / "one_dimensional.png").exists()


def test_distances_are_per_pixel(scripts):
    images = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 3.0]])
    found = scripts["one_dimensional"].distances(images, images, 2)
    np.testing.assert_allclose(found, [[0, 1], [0, 1], [0, 2.5**0.5]], rtol=1e-6)
    with pytest.raises(InputError, match="num: there is nothing between"):
        scripts["one_dimensional"].OneDimensionalConfig(num=1).check()

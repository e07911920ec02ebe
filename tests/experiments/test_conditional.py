"""A conditional run through all scripts: `train.py --preset conditional_vae`, and what is done with it."""

import json

import jax
import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs import load_run
from jaxvae.runs.data import load_data


@pytest.fixture(scope="module")
def run_dir(scripts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert scripts["train"].main(options(run_dir=folder, figures=True)) == 0
    return folder


def options(**changes):
    sizes = {"steps": 40, "hidden": (16,), "latent_dim": 2, "log_every": 20, "checkpoint_every": 20}
    plain = {"devices": 1, "num_processes": 1, "tensorboard": False, "figures": False}
    return given(preset="conditional_vae", **{**sizes, **plain, **changes})


def test_the_run_knows_its_classes_and_draws_them(run_dir):
    facts = json.loads((run_dir / "manifest.json").read_text())["data"]
    assert facts["condition"] == {"names": ["label"], "classes": [str(digit) for digit in range(10)]}
    drawn = {path.name for path in (run_dir / "figures").iterdir()}
    assert {"samples.png", "reconstructions.png", "latent.png"} <= drawn
    assert "manifold.png" not in drawn, "there would be one for each class"
    run = load_run(run_dir)
    assert run.params["decoder"]["Dense_0"]["kernel"].shape == (2 + 10, 16)
    test = load_data(run).test
    np.testing.assert_array_equal(test.conditions(), np.eye(10)[test.label])


def test_streamed_it_is_the_same_run(scripts, run_dir, tmp_path):
    assert scripts["train"].main(options(run_dir=tmp_path / "streamed", input="stream")) == 0
    trees = load_run(run_dir).params, load_run(tmp_path / "streamed").params
    # Compiled with little optimization, as in these tests, the two programs round differently.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *trees)


@pytest.mark.slow
def test_samples_and_edits_of_a_class(scripts, run_dir, tmp_path):
    sample = scripts["sample"]
    tools = {"interpolate": (0, 1), "traverse": (0,), "vary": 2, "steps": 2, "num": 2}
    assert sample.main(sample.SampleConfig(run_dir, condition="7", out=tmp_path, **tools)) == 0
    assert {"interpolation.png", "traversal.png", "variations.png"} <= {path.name for path in tmp_path.iterdir()}
    assert sample.main(sample.SampleConfig(run_dir, num=2, out=tmp_path)) == 0
    assert (tmp_path / "samples.png").exists()
    with pytest.raises(InputError, match="condition: there is no class '11'"):
        sample.main(sample.SampleConfig(run_dir, condition="11"))


def test_no_option_does_nothing(scripts, run_dir):
    config = scripts["sample"].SampleConfig(run_dir, condition="7", view="pca")
    with pytest.raises(InputError, match="condition: --view decode no codes; leave it out"):
        config.check()


@pytest.mark.slow
def test_it_is_scored_explored_and_refused_by_quadrature(scripts, run_dir, capsys):
    evaluate, explore, evidence = (scripts[name] for name in ("evaluate", "explore", "evidence"))
    assert evaluate.main(evaluate.EvaluateConfig(run_dir, num_samples=5, num_images=20)) == 0
    assert "each given its label" in capsys.readouterr().out
    assert explore.main(explore.ExploreConfig(run_dir, num_images=5)) == 0
    assert '"kind":"ConditionalDense"' in (run_dir / "explorer.html").read_text()
    with pytest.raises(InputError, match="run-dir: this run decodes each image under its own condition"):
        evidence.main(evidence.EvidenceConfig(run_dir))


@pytest.mark.slow
def test_attributes_of_a_file_are_conditions_too(scripts, tmp_path):
    rng = np.random.default_rng(0)
    known = {"age": rng.normal(40, 9, 60), "smile": np.arange(60) % 2}
    np.savez(tmp_path / "faces.npz", image=rng.integers(0, 255, (60, 4, 4), np.uint8), **known)
    config = options(
        condition="smile,age", dataset=str(tmp_path / "faces.npz"), run_dir=tmp_path / "run", steps=2, likelihood="mse"
    )
    assert scripts["train"].main(config) == 0
    sample = scripts["sample"]
    assert sample.main(sample.SampleConfig(tmp_path / "run", condition="age=60", num=2, steps=2)) == 0
    with pytest.raises(InputError, match=r"'aeg' is no attribute of this run \(did you mean 'age'\?\)"):
        sample.main(sample.SampleConfig(tmp_path / "run", condition="aeg=60"))


def test_a_file_without_labels_is_refused_before_a_folder_is_made(scripts, tmp_path):
    np.savez(tmp_path / "plain.npz", image=np.full((20, 4, 4), 255, np.uint8))
    with pytest.raises(InputError, match="condition: the data set has no labels; name one that has"):
        scripts["train"].main(options(dataset=str(tmp_path / "plain.npz"), run_dir=tmp_path / "run"))
    assert not (tmp_path / "run").exists()

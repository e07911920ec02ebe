"""evaluate.py --quality: samples beside training images, in features of the run's own classifier or of a file's."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges.classifiers import fit_classifier
from jaxvae.runs import quality


@pytest.fixture(scope="module")
def trained(scripts, tmp_path_factory):
    from jaxvae.options import given

    folder = tmp_path_factory.mktemp("quality")
    options = {"run_dir": folder / "run", "steps": 300, "preset": "conditional_vae", "tensorboard": False}
    scripts["train"].main(given(**options, figures=False, devices=1, num_processes=1))
    return folder / "run"


def evaluated(scripts, run_dir, **options):
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=run_dir, num_samples=2, quality=True, **options))
    return json.loads((run_dir / "evaluation.json").read_text())


@pytest.mark.slow
def test_samples_are_judged_beside_training_images(scripts, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(quality, "fit_classifier", functools.partial(fit_classifier, steps=400))
    values = evaluated(scripts, trained)
    assert values["test_accuracy"] > 0.95
    assert values["condition_accuracy"] > 0.8
    assert 0 < values["training_frechet_distance"] < 50
    assert values["frechet_distance"] > 0
    assert all(0 <= values[name] <= 1 for name in ("precision", "recall", "training_precision", "training_recall"))
    assert values["training_recall"] > 0.8
    assert values["copied"] < 0.2
    assert (trained / "quality.png").stat().st_size > 1000
    # The classifier is kept, and the second call gives the same numbers.
    written = (trained / "classifier.npz").stat().st_mtime_ns
    assert evaluated(scripts, trained) == values
    assert (trained / "classifier.npz").stat().st_mtime_ns == written

    classifier = scripts["classifier"]
    monkeypatch.chdir(tmp_path)
    config = classifier.ClassifierConfig(steps=50)
    assert classifier.main(config) == 0
    other = evaluated(scripts, trained, features=tmp_path / "classifier-digits.npz")
    assert other["frechet_distance"] != values["frechet_distance"]
    with pytest.raises(InputError, match=r"out: classifier-digits.npz exists"):
        config.check()
    dataclasses.replace(config, overwrite=True).check()


@pytest.mark.slow
def test_images_without_labels_need_a_file_of_features(scripts, small, tmp_path):
    np.savez(tmp_path / "plain.npz", image=np.random.default_rng(0).random((60, 8, 8, 1), np.float32))
    config = small(dataset=str(tmp_path / "plain.npz"), steps=5)
    scripts["train"].main(config)
    with pytest.raises(InputError, match="quality: the images have no labels"):
        evaluated(scripts, config.run_dir)


def test_rows_that_are_no_images_are_refused(scripts, small, tmp_path):
    np.savez(tmp_path / "rows.npz", x=np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32))
    config = small(dataset=str(tmp_path / "rows.npz"), steps=5)
    scripts["train"].main(config)
    with pytest.raises(InputError, match=r"quality: is for images \[H, W, C\]"):
        evaluated(scripts, config.run_dir)


def test_features_without_quality_are_refused(scripts, tmp_path):
    with pytest.raises(InputError, match="features: is for --quality"):
        scripts["evaluate"].EvaluateConfig(run_dir=tmp_path, features=tmp_path / "a.npz").check()

"""Classes on demand: constraints.py on runs of images and melodies, few_labels.py, and styles of a conditional run."""

import functools
import json

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Dataset, Split
from jaxvae.data.spaces import Tokens
from jaxvae.errors import InputError
from jaxvae.latent import fit_constraints
from jaxvae.runs import load_run


@pytest.fixture(scope="module")
def trained(scripts, tmp_path_factory):
    """A run on digits with few classes, and one with their classes as conditions."""
    from jaxvae.data import load
    from jaxvae.options import given

    folder = tmp_path_factory.mktemp("asked")
    digits = load("digits").train
    few = digits.label < 3
    np.savez(folder / "three.npz", image=digits.x[:][few], label=digits.label[few])
    options = {"dataset": str(folder / "three.npz"), "figures": False, "tensorboard": False, "latent_dim": 4}
    for name, preset, steps in (("plain", "vae", 400), ("classes", "conditional_vae", 2)):
        compute = {"steps": steps, "devices": 1, "num_processes": 1}
        scripts["train"].main(given(preset=preset, run_dir=folder / name, **compute, **options))
    return folder


@pytest.fixture(autouse=True)
def soon(scripts, monkeypatch):
    """Judges that learn for a moment, and small networks that learn soon."""
    sizes = {"hidden": (64, 64), "learning_rate": 1e-3}
    monkeypatch.setattr(scripts["constraints"], "fit_constraints", functools.partial(fit_constraints, **sizes))
    monkeypatch.setattr(scripts["constraints"], "JUDGE_STEPS", 150)
    monkeypatch.setattr(scripts["few_labels"], "NETWORK_STEPS", 20)


@pytest.mark.slow
def test_a_class_is_asked_of_a_run_that_knows_none(scripts, trained):
    constraints = scripts["constraints"]
    config = constraints.ConstraintsConfig(run_dir=trained / "plain", steps=300, num=30, rows=4)
    assert constraints.main(config) == 0
    folder = trained / "plain" / "constraints"
    rows = json.loads((folder / "constraints.json").read_text())["rows"]
    assert rows["test examples"]["spread"] == pytest.approx(1.0)
    assert rows["test examples"]["accuracy"] > 0.9
    assert rows["prior"]["accuracy"] < 0.6
    assert rows["actor"]["accuracy"] > 0.8
    assert rows["mixture per class"]["accuracy"] > 0.8
    assert rows["actor"]["moved"] > 0
    drawn = {"prior", "actor", "gradients", "best-of-the-prior", "mixture-per-class", "edits"}
    assert {path.stem for path in folder.glob("*.png")} == drawn
    assert (folder / "constraints.md").read_text().count("\n") == 8


@pytest.mark.slow
def test_one_class_against_all_others_is_an_attribute(scripts, trained, tmp_path, monkeypatch):
    constraints = scripts["constraints"]
    monkeypatch.setattr(constraints, "JUDGE_STEPS", 2)
    options = {"attribute": "2", "steps": 2, "num": 4, "rows": 2, "out": tmp_path}
    assert constraints.main(constraints.ConstraintsConfig(run_dir=trained / "plain", **options)) == 0
    with pytest.raises(InputError, match="attribute: 'age' is none of this data set's"):
        constraints.main(constraints.ConstraintsConfig(run_dir=trained / "plain", attribute="age", out=tmp_path))
    with pytest.raises(InputError, match="run-dir: this run decodes each image under its own condition"):
        constraints.main(constraints.ConstraintsConfig(run_dir=trained / "classes"))


def test_texts_are_asked_for_by_their_length(scripts):
    kinds_of = scripts["constraints"].kinds_of
    texts = Split(np.array([[3, 1, 0, 0], [3, 4, 1, 0], [3, 4, 5, 1], [4, 1, 0, 0]]), space=Tokens(6, 4))
    data = Dataset("texts", texts, texts)
    names, kinds = kinds_of(data, texts, "length")
    assert (names, kinds.tolist()) == (["without length", "with length"], [0, 1, 1, 0])
    with pytest.raises(InputError, match="attribute: 'lenth' is none of these rows; give one of length"):
        kinds_of(data, texts, "lenth")
    with pytest.raises(InputError, match="attribute: the data set has no labels"):
        kinds_of(data, texts, "label")


@pytest.mark.slow
def test_every_class_is_drawn_in_the_style_of_an_image(scripts, trained, tmp_path):
    sample = scripts["sample"]
    assert sample.main(sample.SampleConfig(run_dir=trained / "classes", styles=(0, 1), out=tmp_path)) == 0
    assert np.asarray(Image.open(tmp_path / "styles.png").convert("L")).std() > 1
    with pytest.raises(InputError, match="styles: the run has no class as its condition"):
        sample.main(sample.SampleConfig(run_dir=trained / "plain", styles=(0,), out=tmp_path))
    with pytest.raises(InputError, match="styles: there is no test image 900"):
        sample.main(sample.SampleConfig(run_dir=trained / "classes", styles=(900,), out=tmp_path))
    with pytest.raises(InputError, match="condition: --styles draws every class"):
        sample.SampleConfig(run_dir=trained / "classes", styles=(0,), condition="1").check()


@pytest.mark.slow
def test_few_labels_are_compared_and_a_second_call_goes_on(scripts, tmp_path, capsys, monkeypatch):
    few_labels = scripts["few_labels"]
    sizes = {"latent_dim": 5, "hidden": (30,), "m1_hidden": (40, 40), "m1m2_steps": 40, "labels": (50,)}
    config = few_labels.FewLabelsConfig(draws=2, steps=30, out=tmp_path, **sizes)
    assert few_labels.main(config) == 0
    errors = json.loads((tmp_path / "few_labels.json").read_text())["errors"]
    assert list(errors) == [
        "M1, logistic regression",
        "M1, support vectors",
        "M1, label spreading",
        "classifier of images",
        "M2",
        "M1+M2",
    ]
    assert all(len(of_num["50"]) == 2 and 0 <= min(of_num["50"]) < 90 for of_num in errors.values())
    assert {path.name for path in tmp_path.glob("*.png")} == {"few_labels.png", "styles.png"}
    run = load_run(tmp_path / "m2-50-1")
    assert (run.recipe.data.labelled, run.recipe.data.labelled_seed) == (50, 1)
    assert (run.step, load_run(tmp_path / "m1m2-50-1").step, load_run(tmp_path / "m1").step) == (30, 40, 30)
    written = (tmp_path / "m2-50-0" / "summary.json").stat().st_mtime_ns
    capsys.readouterr()
    # Judges and picture would be the same again: the second call is about what is trained.
    monkeypatch.setattr(few_labels, "of_codes", lambda *codes: {})
    monkeypatch.setattr(few_labels, "of_images", lambda data, few: 0.5)
    monkeypatch.setattr(few_labels, "draw_styles", lambda config, draw: None)
    assert few_labels.main(config) == 0
    assert (tmp_path / "m2-50-0" / "summary.json").stat().st_mtime_ns == written
    assert "± " in capsys.readouterr().out

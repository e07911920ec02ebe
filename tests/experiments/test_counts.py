"""counts.py: likelihoods and codes of cells of known kinds in one table, batches by thinning, and refusals."""

import functools
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.manifold import TSNE

import jaxvae
from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.judges import groups


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Maps and judges that are made soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn.manifold.TSNE", functools.partial(TSNE, max_iter=250))
        patch.setattr(groups, "TREES", 30)
        yield


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Cells of three kinds that differ in all genes, with an attribute, of different depths."""
    noise, place = np.random.default_rng(0), tmp_path_factory.mktemp("cells") / "cells.npz"
    kind = np.arange(150) % 3
    mean = np.exp(noise.normal(1, 1, (3, 20)))[kind] * noise.gamma(5, 0.2, (150, 1))
    np.savez(place, counts=noise.poisson(mean), label=kind, classes=np.array(["B", "T", "NK"]), site=kind % 2)
    return place


def rows(folder):
    return json.loads((folder / "counts.json").read_text())["rows"]


def is_drawn(path):
    return np.asarray(Image.open(path).convert("L")).std() > 1


@pytest.fixture(scope="module")
def compared(scripts, cells, tmp_path_factory):
    script, folder = scripts["counts"], tmp_path_factory.mktemp("compared")
    sizes = {"latent_dim": 3, "epochs": 400.0, "num_samples": 4}
    assert script.main(script.CountsConfig(dataset=str(cells), out=folder, **sizes)) == 0
    return folder


@pytest.mark.slow
def test_each_likelihood_has_a_row_and_codes_know_the_kinds(compared):
    found = rows(compared)
    assert [*found] == [
        "Poisson",
        "negative binomial",
        "zero-inflated negative binomial",
        "principal components",
    ]
    assert all(np.isfinite(row["nll"][0]) for row in list(found.values())[:3])
    assert all(row["neighbours"][0] > 0.8 for row in found.values())
    assert "nll" not in found["principal components"]
    assert (compared / "counts.md").read_text().count("\n") == 6
    assert is_drawn(compared / "codes-label.png")


@pytest.mark.slow
def test_runs_are_judged_by_another_label(scripts, compared, tmp_path):
    script = scripts["counts"]
    (run_dir,) = compared.glob("Poisson-*")
    assert script.main(script.CountsConfig(run_dir=(run_dir,), label="site", num_samples=2, out=tmp_path)) == 0
    assert [*rows(tmp_path)] == [str(run_dir), "principal components"]
    assert is_drawn(tmp_path / "codes-site.png")


@pytest.mark.slow
def test_thinned_batches_are_made_and_told(scripts, cells, tmp_path):
    script = scripts["counts"]
    sizes = {"latent_dim": 3, "epochs": 20.0, "num_samples": 2}
    assert script.main(script.CountsConfig(dataset=str(cells), thin=True, out=tmp_path, **sizes)) == 0
    found = rows(tmp_path)
    assert [*found] == ["without the batch", "with the batch", "principal components"]
    assert found["principal components"]["batch"][0] > 0.7
    thin, whole = load(str(tmp_path / "thinned.npz")), load(str(cells))
    np.testing.assert_array_equal(thin.train.label, whole.train.label)
    assert thin.classes == whole.classes
    batch = thin.train.attributes["batch"]
    np.testing.assert_array_equal(thin.train.x[batch == 0], whole.train.x[batch == 0])
    kept = thin.train.x[batch == 1].sum(0) / whole.train.x[batch == 1].sum(0)
    assert 0.2 < kept.min() < kept.max() <= 1
    assert is_drawn(tmp_path / "codes-batch.png")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"dataset": "digits"}, "dataset: digits holds ink, here it must be counts"),
        ({"label": "kind"}, r"label: 'kind' is no label or attribute of cells; give one of label, site"),
        ({"batch": "sight"}, r"batch: 'sight' is no label .* \(did you mean 'site'\?\)"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_a_training(scripts, cells, tmp_path, options, told):
    script = scripts["counts"]
    with pytest.raises(InputError, match=told):
        script.main(script.CountsConfig(**{"dataset": str(cells), "out": tmp_path / "new", **options}))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "dataset: give a set to train on, or runs to judge"),
        ({"dataset": "a.npz", "run_dir": ("b",)}, "dataset: give a set to train on, or runs to judge"),
        ({"run_dir": ("b",), "thin": True}, "thin: makes batches of a set to train on"),
        ({"dataset": "a.npz", "epochs": 0.0}, "epochs: must be a positive number, got 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(scripts, options, told):
    with pytest.raises(InputError, match=told):
        scripts["counts"].CountsConfig(**options).check()


def test_a_batch_of_cells_is_a_condition_by_its_name(tmp_path):
    anndata, pandas = pytest.importorskip("anndata"), pytest.importorskip("pandas")
    noise = np.random.default_rng(0)
    obs = pandas.DataFrame({"batch": pandas.Categorical(["north", "south"] * 20)}, index=map(str, range(40)))
    adata = anndata.AnnData(noise.poisson(2.0, (40, 6)).astype(np.float32), obs)
    options = {"hidden": (4,), "latent_dim": 2, "steps": 2, "figures": False, "tensorboard": False, "quiet": True}
    recipe = jaxvae.preset("scvi", condition="batch", devices=1, **options)
    run = jaxvae.train(recipe, adata, run_dir=tmp_path)
    codes = run.encode(adata, {"batch": adata.obs["batch"]}).mean
    assert codes.shape == (40, 2)
    one = run.decode(codes[:1], "batch=south")
    assert not np.allclose(one, run.decode(codes[:1], "batch=north"))
    np.testing.assert_allclose(jaxvae.load(tmp_path).decode(codes[:1], "batch=south"), one, rtol=1e-6)

"""Codes of a whole set in a file: those of the encoder, beside the labels and rows of their examples."""

import csv

import numpy as np
import pandas
import pytest
import scipy.sparse

import jaxvae
from jaxvae.commands.encode import EncodeConfig, main
from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.options.command_line import parse

TINY = {"steps": 4, "hidden": (4,), "latent_dim": 3, "quiet": True, "tensorboard": False, "figures": False}
DRAW = np.random.default_rng(0)
PIXELS, LABEL, AGE = DRAW.integers(0, 256, (60, 4, 4), np.uint8), np.arange(60) % 3, np.linspace(0, 1, 60)


def trained(preset, place, folder):
    return jaxvae.train(jaxvae.preset(preset, devices=1, **TINY), place, run_dir=folder / "run")


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Run of a set in a file."""
    folder = tmp_path_factory.mktemp("faces")
    named = {"classes": np.array(["cat", "dog", "owl"])}
    np.savez(folder / "faces.npz", image=PIXELS, label=LABEL, age=AGE, **named)
    return trained("vae", folder / "faces.npz", folder)


def encode(run, *words):
    config = parse(EncodeConfig, ["--run-dir", str(run.folder), *map(str, words)])
    return main(config)


def test_arrays_of_all_splits(faces, tmp_path):
    assert encode(faces, "--out", tmp_path / "new" / "codes.npz") == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["codes.npz"]
    found = dict(np.load(tmp_path / "new" / "codes.npz"))
    assert [*found] == ["split", "index", "row", "label", "class", "age", "mean", "std"]
    q = faces.encode(PIXELS[found["row"]])
    np.testing.assert_allclose(found["mean"], q.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["std"], np.exp(q.log_var / 2), rtol=1e-5)
    np.testing.assert_array_equal(np.sort(found["row"]), np.arange(60))
    np.testing.assert_array_equal(found["label"], LABEL[found["row"]])
    np.testing.assert_array_equal(found["class"], np.array(["cat", "dog", "owl"])[found["label"]])
    np.testing.assert_array_equal(found["age"], AGE[found["row"]])
    test = found["split"] == "test"
    np.testing.assert_array_equal(found["index"][test], np.arange(6))
    held = load(faces.recipe.data.dataset).test
    np.testing.assert_array_equal(held.x[..., 0], PIXELS[found["row"][test]])


def test_tables_have_a_column_for_each_dimension(faces, tmp_path):
    encode(faces, "--out", tmp_path / "codes.npz", "--split", "test")
    arrays = np.load(tmp_path / "codes.npz")
    encode(faces, "--out", tmp_path / "codes.parquet", "--split", "test")
    encode(faces, "--out", tmp_path / "codes.csv", "--split", "test")
    table = pandas.read_parquet(tmp_path / "codes.parquet")
    with (tmp_path / "codes.csv").open(newline="") as stream:
        rows = [*csv.DictReader(stream)]
    assert [*table.columns] == [*rows[0]]
    assert len(table) == len(rows) == 6
    np.testing.assert_array_equal(table[["mean_0", "mean_1", "mean_2"]], arrays["mean"])
    np.testing.assert_array_equal([float(row["std_2"]) for row in rows], np.float64(arrays["std"][:, 2]))
    assert table["class"].tolist() == [row["class"] for row in rows] == arrays["class"].tolist()


def test_new_examples(faces, tmp_path):
    np.save(tmp_path / "new.npy", PIXELS[:5])
    encode(faces, "--out", tmp_path / "codes.npz", "--new", tmp_path / "new.npy")
    found = np.load(tmp_path / "codes.npz")
    np.testing.assert_allclose(found["mean"], faces.encode(PIXELS[:5]).mean, rtol=1e-5, atol=1e-6)
    assert [*found["split"]] == ["new"] * 5


def test_a_file_is_replaced_only_on_request(faces, tmp_path):
    path = tmp_path / "codes.npz"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"out: .* exists; name another file, or give --overwrite"):
        encode(faces, "--out", path, "--split", "test")
    assert path.read_text() == "mine"
    encode(faces, "--out", path, "--split", "test", "--overwrite")
    assert len(np.load(path)["mean"]) == 6


def test_after_an_error_nothing_is_left(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(np, "savez", lambda path, **arrays: path.write_text("half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        encode(faces, "--out", tmp_path / "codes.npz", "--split", "test")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--out", "codes.txt"], r"out: codes.txt is of a kind that is not written here; end its name in \.npz or"),
        (["--out", "codes.h5ad"], "lie in no .h5ad file; write .npz, .csv or .parquet"),
        (["--out", "codes.h5ad", "--split", "test"], "split: an .h5ad file holds all its cells"),
        (["--out", "a.npz", "--new", "b.npy", "--split", "test"], "new: new examples have no splits"),
        (["--out", "a.npz", "--condition", "3"], "condition: the examples of the run's set have their own"),
        (["--out", "a.npz", "--new", "b.npy"], "x: there is no file 'b.npy'"),
    ],
)
def test_what_cannot_be_written_is_refused(faces, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=told):
        encode(faces, *words)
    assert not [*tmp_path.iterdir()]


def test_anndata_reads_the_codes_beside_the_cells(tmp_path):
    anndata = pytest.importorskip("anndata")
    counts = scipy.sparse.csr_matrix(DRAW.poisson(2.0, (40, 6)).astype(np.float32))
    obs = pandas.DataFrame({"label": pandas.Categorical(["a", "b"] * 20)}, index=[f"cell {i}" for i in range(40)])
    anndata.AnnData(counts, obs).write_h5ad(tmp_path / "cells.h5ad")
    run = trained("vae", tmp_path / "cells.h5ad", tmp_path)
    assert encode(run, "--out", tmp_path / "codes.h5ad") == 0
    cells, found = (anndata.read_h5ad(tmp_path / name) for name in ("cells.h5ad", "codes.h5ad"))
    assert (found.X != cells.X).nnz == 0
    pandas.testing.assert_frame_equal(found.obs, cells.obs)
    pandas.testing.assert_frame_equal(found.var, cells.var)
    q = run.encode(tmp_path / "cells.h5ad")
    np.testing.assert_allclose(found.obsm["X_vae"], q.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.obsm["X_vae_std"], np.exp(q.log_var / 2), rtol=1e-5)
    again = ["--new", tmp_path / "codes.h5ad", "--out", tmp_path / "codes.h5ad", "--overwrite"]
    with pytest.raises(InputError, match=r"obsm\['X_vae'\] already; give another --key"):
        encode(run, *again)
    encode(run, *again, "--key", "X_new")
    assert {*anndata.read_h5ad(tmp_path / "codes.h5ad").obsm} == {"X_vae", "X_vae_std", "X_new", "X_new_std"}

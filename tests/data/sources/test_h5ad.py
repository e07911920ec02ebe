"""Single cells: counts, genes, labels and splits are those of the file; sizes are checked before they are believed."""

import numpy as np
import pytest

from jaxvae.data import load
from jaxvae.data.spaces import Counts
from jaxvae.errors import InputError

h5py = pytest.importorskip("h5py")
COUNTS = np.random.default_rng(0).poisson(0.4, (30, 7)).astype(np.float32)


def write(path, x=COUNTS, sparse=None, shape=None, **obs):
    with h5py.File(path, "w") as file:
        if sparse is None:
            file["X"] = x
        else:
            ordered = x if sparse == "csr_matrix" else x.T
            group = file.create_group("X")
            group.attrs.update({"encoding-type": sparse, "shape": shape or x.shape})
            major, group["indices"] = np.nonzero(ordered)
            group["data"] = ordered[ordered != 0]
            group["indptr"] = np.searchsorted(major, np.arange(len(ordered) + 1))
        for name, size in (("obs", len(x)), ("var", x.shape[1])):
            file.create_group(name).attrs["_index"] = "_index"
            file[name]["_index"] = [f"{name} {i}" for i in range(size)]
        for name, (codes, categories) in obs.items():
            group = file["obs"].create_group(name)
            group.attrs["encoding-type"] = "categorical"
            group["codes"], group["categories"] = codes, categories
        file["obs"]["depth"] = x.sum(1)
    return str(path)


@pytest.mark.parametrize("sparse", [None, "csr_matrix", "csc_matrix"])
def test_counts_are_those_of_the_matrix(tmp_path, sparse):
    codes = np.arange(30, dtype=np.int8)
    split, label = (codes % 2, ["test", "train"]), (codes % 3, ["B", "T", "NK"])
    data = load(write(tmp_path / "cells.h5ad", sparse=sparse, split=split, label=label))
    assert data.space == Counts((7,))
    np.testing.assert_array_equal(data.train.x, COUNTS[1::2])  # category 1 is train
    np.testing.assert_array_equal(data.train.label, codes[1::2] % 3)
    assert data.classes == ("B", "T", "NK")
    assert data.facts == {"columns": [f"var {i}" for i in range(7)]}
    np.testing.assert_array_equal(data.test.attributes["depth"], COUNTS[::2].sum(1))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"x": np.log1p(COUNTS)}, "X holds .*; give raw counts"),
        ({"x": -COUNTS}, "a count is not below 0"),
        ({"sparse": "csr_matrix", "shape": (30, 2)}, "a damaged csr_matrix"),
        ({"sparse": "csr_matrix", "shape": (10**7, 10**6)}, "this machine has .*; keep fewer genes"),
        ({"sparse": "coo_matrix"}, "'coo_matrix'; write it as csr_matrix or csc_matrix"),
        ({"split": (np.zeros(30, np.int8), ["train"])}, "'split' holds train; use train"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path, options, told):
    path = write(tmp_path / "cells.h5ad", **options)
    with pytest.raises(InputError, match=told):
        load(path)


def test_categories_of_cells_have_names_for_conditions(tmp_path):
    codes = np.arange(30, dtype=np.int8) % 2
    data = load(write(tmp_path / "cells.h5ad", batch=(codes, ["north", "south"])))
    assert data.facts["attributes"] == {"batch": ["north", "south"]}
    np.testing.assert_array_equal(data.test.attributes["batch"], codes[data.test.origin])


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "cells.h5ad"
    write(path)
    for content in (b"", path.read_bytes()[:900]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"cells.h5ad: cannot be read"):
            load(str(path))


def test_cells_of_a_study(shared_data):
    data = load(str(shared_data / "counts" / "pbmc68k_reduced.h5ad"))
    with np.load(shared_data / "counts" / "pbmc68k_reduced.npz") as known:
        np.testing.assert_array_equal(data.train.x, known["counts"][known["split"] == 0])
        assert data.facts["columns"] == known["genes"].tolist()

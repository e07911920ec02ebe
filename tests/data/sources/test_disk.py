"""Arrays in HDF5, Zarr and .npy files: the sets are those of the same arrays in an .npz file, and they stay on disk."""

import tracemalloc

import numpy as np
import pytest

from jaxvae.data import Preparation, load, rows
from jaxvae.data.sources import disk
from jaxvae.errors import InputError

RNG = np.random.default_rng(0)
NUM = 40
SPLIT = np.arange(NUM) % 3
SETS = {
    "bytes": {"image": RNG.integers(0, 256, (NUM, 5, 4), np.uint8), "label": SPLIT, "age": RNG.normal(size=NUM)},
    "floats": {"image": RNG.uniform(size=(NUM, 5, 4, 3)), "split": SPLIT},
    "named": {"x": RNG.normal(size=(NUM, 3)), "label": SPLIT, "classes": ["a", "b", "é"], "columns": ["u", "v", "w"]},
    "signals": {"x": RNG.normal(size=(NUM, 30, 2)).astype(np.float32)},
    "counts": {"counts": RNG.poisson(2.0, (NUM, 6)).astype(np.uint8)},
    "tokens": {"tokens": np.tile([[3, 4, 1, 0], [3, 1, 0, 0]], (NUM // 2, 1)), "vocabulary": [*"abcde"]},
}


def write_hdf5(path, arrays, chunks=None):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.create_group("beside")["more"] = np.zeros(3)
        file["number"] = 3
        for key, array in arrays.items():
            file.create_dataset(key, data=array, chunks=chunks and (chunks, *np.shape(array)[1:]))


def write_zarr(path, arrays, chunks=None, zarr_format=3):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    for key, array in arrays.items():
        array = np.asarray(array)
        dtype = str if array.dtype.kind == "U" else array.dtype
        group.create_array(key, shape=array.shape, dtype=dtype, chunks=(chunks or 7, *array.shape[1:]))[:] = array


WRITERS = {".h5": write_hdf5, ".hdf5": write_hdf5, ".zarr": write_zarr}


@pytest.mark.parametrize("end", WRITERS)
@pytest.mark.parametrize("name", SETS)
def test_a_set_is_that_of_the_same_arrays_in_an_npz(tmp_path, end, name):
    WRITERS[end](tmp_path / f"mine{end}", SETS[name])
    np.savez(tmp_path / "mine.npz", **SETS[name])
    data, expected = load(str(tmp_path / f"mine{end}"), stream=True), load(str(tmp_path / "mine.npz"))
    assert (data.name, data.space) == ("mine", expected.space)
    assert (data.classes, data.facts) == (expected.classes, expected.facts)
    assert data.fingerprint() == expected.fingerprint()
    assert isinstance(data.train.x.rows, disk.LazyRows)
    assert isinstance(data.in_memory().train.x, np.ndarray)
    ids = RNG.integers(0, data.train.num_examples, (3, 5))
    np.testing.assert_array_equal(data.train.x[ids], expected.train.x[ids])


def test_zarr_of_format_2_and_a_single_array(tmp_path):
    zarr = pytest.importorskip("zarr")
    write_zarr(tmp_path / "mine.zarr", SETS["bytes"], zarr_format=2)
    np.savez(tmp_path / "mine.npz", **SETS["bytes"])
    assert load(str(tmp_path / "mine.zarr")).fingerprint() == load(str(tmp_path / "mine.npz")).fingerprint()
    zarr.save_array(tmp_path / "one.zarr", SETS["bytes"]["image"])
    np.save(tmp_path / "one.npy", SETS["bytes"]["image"])
    assert load(str(tmp_path / "one.zarr")).fingerprint() == load(str(tmp_path / "one.npy")).fingerprint()


@pytest.mark.parametrize("end", WRITERS)
def test_images_are_resized_when_they_are_read(tmp_path, end):
    WRITERS[end](tmp_path / f"mine{end}", SETS["bytes"])
    np.savez(tmp_path / "mine.npz", **SETS["bytes"])
    found, expected = (
        load(str(tmp_path / name), stream=True, preparation=Preparation(crop=3)) for name in (f"mine{end}", "mine.npz")
    )
    assert (found.shape, found.preparation) == ((3, 3, 1), {"crop": "3x3"})
    assert found.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("end", [".h5", ".zarr"])
@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"image": SETS["bytes"]["image"] // 128}, "'image' is uint8 with no value above 1"),
        ({"image": SETS["bytes"]["image"].astype(int)}, "'image' has dtype int64; give image.astype"),
        ({"image": np.full((4, 3, 3), np.nan)}, "'image' holds NaN or infinity"),
        ({"image": np.full((4, 3, 3), 1e300)}, "'image' holds floats that float32 cannot"),
        ({"pictures": SETS["bytes"]["image"]}, "no array 'image'; did you mean 'pictures'"),
        ({"x": np.full((4, 3), np.inf)}, "'x' holds NaN or infinity"),
        ({"x": np.full((4, 3), 1e300)}, "'x' holds floats that float32 cannot"),
        ({"x": np.full((4, 3), 2**24 + 1)}, "'x' holds integers that float32 cannot"),
        ({"counts": np.full((4, 3), 0.5)}, "'counts' holds 0.5; give raw counts"),
        ({"x": np.zeros((4, 3)), "label": np.zeros(3, int)}, "'label' is int64 .3,.; give integers of shape .4,."),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_in_one_line(tmp_path, end, arrays, told):
    path = tmp_path / f"mine{end}"
    WRITERS[end](path, arrays)
    with pytest.raises(InputError, match=told) as caught:
        load(str(path), stream=True)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_refused_in_one_line(tmp_path):
    pytest.importorskip("h5py")
    zarr = pytest.importorskip("zarr")
    (tmp_path / "a.h5").write_bytes(b"no HDF5")
    (tmp_path / "b.zarr").mkdir()
    zarr.open_group(tmp_path / "c.zarr", mode="w")
    zarr.open_group(tmp_path / "d.zarr", mode="w", attributes={"encoding-type": "anndata"})
    (tmp_path / "e.npy").write_bytes(b"no array")
    for name, told in {
        "a.h5": "cannot be read .*; write it again with h5py",
        "b.zarr": "cannot be read .*; write it again with zarr",
        "c.zarr": "holds no array; give it one called 'image'",
        "d.zarr": r"holds AnnData; write it as \.h5ad",
        "e.npy": "cannot be read .*; save numbers with numpy.save",
    }.items():
        with pytest.raises(InputError, match=rf"{name}: {told}") as caught:
            load(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_a_chunk_that_is_damaged_later_is_refused_in_one_line(tmp_path):
    write_zarr(tmp_path / "mine.zarr", SETS["bytes"])
    data = load(str(tmp_path / "mine.zarr"), stream=True)
    for file in (tmp_path / "mine.zarr" / "image" / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"mine\.zarr: array 'image' cannot be read .*; write it again"):
        data.train.x[:2]


ROW = 1 << 16
"""Bytes of one example of a set that is large for this test."""


@pytest.mark.parametrize("end", [".npy", ".h5", ".zarr"])
def test_batches_are_read_and_never_the_whole_set(tmp_path, monkeypatch, end):
    """Reading batches takes the memory of a batch; opening, which reads all once, that of some blocks."""
    monkeypatch.setattr(rows, "BLOCK_BYTES", 16 * ROW)
    image = np.zeros((300, 256, 256), np.uint8)
    image[:, 0, 0] = np.arange(300) % 251 + 2
    path = tmp_path / f"large{end}"
    np.save(path, image) if end == ".npy" else WRITERS[end](path, {"image": image}, chunks=1)
    total = image.nbytes
    del image
    tracemalloc.start()
    try:
        data = load(str(path), stream=True)
        _, opening = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        for ids in RNG.integers(0, data.train.num_examples, (3, 8)):
            batch = data.train.x[ids]
            assert batch.shape == (8, 256, 256, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 6 * 8 * ROW < total / 6
    assert opening < total / 3

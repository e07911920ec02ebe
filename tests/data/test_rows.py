"""Rows that are read when they are asked for, against the array that holds the same rows."""

import threading
import tracemalloc

import numpy as np
import pytest

from jaxvae.data import Dataset, Split, rows
from jaxvae.data.rows import LazyRows, Subset, blocks, num_bytes

ARRAY = np.random.default_rng(0).integers(0, 256, (23, 4, 3, 2), dtype=np.uint8)
ORDER = np.random.default_rng(1).permutation(23)[:17]


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch):
    monkeypatch.setattr(rows, "_TASK_BYTES", 5 * ARRAY[0].size)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 8 * ARRAY[0].size)


def _lazy(array: np.ndarray) -> LazyRows:
    return LazyRows(lambda ids: array[ids], array.shape, array.dtype)


KINDS = {
    "array": (ARRAY, ARRAY),
    "lazy": (_lazy(ARRAY), ARRAY),
    "float": (_lazy(ARRAY / np.float32(255)), ARRAY / np.float32(255)),
    "subset": (Subset(_lazy(ARRAY), ORDER), ARRAY[ORDER]),
    "subset of an array": (Subset(ARRAY, ORDER), ARRAY[ORDER]),
    "subset of a subset": (Subset(Subset(_lazy(ARRAY), ORDER), ORDER[ORDER < 17]), ARRAY[ORDER][ORDER[ORDER < 17]]),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.mark.parametrize(
    "ids",
    [
        slice(None),
        slice(3, 9),
        slice(9, 99),
        slice(0, 0),
        slice(-3, None),
        slice(None, None, -2),
        np.array([5, 0, 5]),
        np.arange(12).reshape(2, 3, 2),
        np.array([], int),
        np.int32(3),
        -1,
    ],
    ids=str,
)
def test_rows_are_those_of_the_array(kind, ids):
    found, array = kind
    assert (found.shape, found.dtype, len(found)) == (array.shape, array.dtype, len(array))
    np.testing.assert_array_equal(found[ids], array[ids])
    assert found[ids].shape == array[ids].shape


def test_a_row_that_is_not_there_is_an_error(kind):
    with pytest.raises(IndexError):
        kind[0][np.array([0, 99])]


def test_blocks_are_all_rows_in_order(kind):
    found, array = kind
    parts = list(blocks(found))
    assert {len(part) for part in parts[:-1]} == {rows.BLOCK_BYTES // array[0].nbytes}
    np.testing.assert_array_equal(np.concatenate(parts), array)
    assert num_bytes(found) == array.nbytes


def test_a_row_larger_than_a_block_is_a_block(monkeypatch):
    monkeypatch.setattr(rows, "BLOCK_BYTES", 1)
    assert [len(part) for part in blocks(ARRAY)] == [1] * len(ARRAY)


@pytest.mark.parametrize("scale", [1, np.float32(1 / 255)], ids=["uint8", "float32"])
def test_splits_and_fingerprints_do_not_depend_on_where_the_data_is(scale):
    label = np.arange(23, dtype=np.int32)
    resident = Dataset("set", Split(ARRAY * scale, label), Split(ARRAY[:5] * scale), Split(ARRAY[5:9] * scale))
    streamed = Dataset("set", *(Split(_lazy(part.x), part.label) for part in resident[1:3]), resident.validation)
    assert streamed.fingerprint() == resident.fingerprint() == streamed.in_memory().fingerprint()
    assert streamed.shape == (4, 3, 2)
    for one, other in zip((streamed.train, streamed.test), (resident.train, resident.test)):
        np.testing.assert_array_equal(one.mean(), other.mean())
        np.testing.assert_allclose(one.mean(), np.mean(other.x / (255 if scale == 1 else 1), axis=0), rtol=1e-6)
        np.testing.assert_allclose(one.first(3), other.x[:3] / (255 if scale == 1 else 1), rtol=1e-6)
        assert one.mean().dtype == one.first(3).dtype == np.float32


@pytest.mark.parametrize("place", [(0, 0), (22, -1)])
def test_one_other_pixel_is_another_fingerprint(place):
    changed = ARRAY.copy()
    changed[place[0]].flat[place[1]] ^= 1
    same, other = (Dataset("set", Split(_lazy(image)), Split(ARRAY)).fingerprint() for image in (ARRAY, changed))
    assert same != other


def test_going_through_a_set_holds_little_of_it_in_memory(monkeypatch):
    monkeypatch.setattr(rows, "_TASK_BYTES", 1 << 18)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 1 << 20)
    image = LazyRows(lambda ids: np.multiply.outer(ids, np.ones((64, 64), int)).astype(np.uint8), (10_000, 64, 64))
    data = Dataset("set", Split(Subset(image, np.arange(9_000))), Split(Subset(image, np.arange(9_000, 10_000))))
    tracemalloc.start()
    data.fingerprint()
    mean = data.train.mean()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert num_bytes(image) > 40e6
    assert peak < 15e6
    np.testing.assert_allclose(mean, np.full((64, 64), np.mean(np.arange(9_000) % 256) / 255), rtol=1e-6)


def test_tasks_run_side_by_side(monkeypatch):
    monkeypatch.setattr(rows.os, "cpu_count", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)  # broken unless two threads come to it

    def read(ids):
        meeting.wait()
        return ARRAY[ids]

    np.testing.assert_array_equal(LazyRows(read, ARRAY.shape)[:10], ARRAY[:10])


def test_an_error_of_a_task_comes_through():
    error = OSError("gone")

    def read(ids):
        if 12 in ids:
            raise error
        return ARRAY[ids]

    with pytest.raises(OSError, match="gone") as caught:
        LazyRows(read, ARRAY.shape)[:]
    assert caught.value is error

"""Reading ahead: the same items in the same order, errors and an early end included."""

import itertools
import threading
import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image

from jaxvae.data import load
from jaxvae.data.rows import LazyRows
from jaxvae.data.stream import fits_on_device, prefetch
from jaxvae.errors import InputError


def _wait_until(condition) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def _readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("grain")]


@pytest.mark.parametrize("num_threads", [0, 1, 2, 3])
@pytest.mark.parametrize("num_items", [0, 1, 7, 40])
def test_items_come_in_order_however_long_each_takes(num_threads, num_items):
    def read(item):
        time.sleep(0.004 * (item % 3 == 0))
        return np.full(2, item)

    found = [item.tolist() for item in prefetch(read, num_items, num_threads=num_threads, buffer_size=3)]
    assert found == [[item, item] for item in range(num_items)]


def test_none_is_an_item_like_any_other():
    assert list(prefetch(lambda item: None, 3, num_threads=2, buffer_size=2)) == [None] * 3


def test_a_buffer_is_read_ahead_and_no_more():
    begun, third = [], threading.Event()

    def read(item):
        begun.append(item)
        if item == 3:
            third.set()
        return item

    items = prefetch(read, 100, num_threads=2, buffer_size=3)
    assert begun == []
    assert next(items) == 0
    assert third.wait(10)  # while the first item is still at work
    time.sleep(0.05)
    assert sorted(begun) == [0, 1, 2, 3]
    items.close()


@pytest.mark.parametrize("error", [InputError("004.png: not a readable image"), OSError("gone"), KeyError("x")])
def test_errors_come_as_they_are_after_the_items_before(error):
    def read(item):
        if item == 4:
            raise error
        return item

    items = prefetch(read, 100, num_threads=2, buffer_size=3)
    assert list(itertools.islice(items, 4)) == [0, 1, 2, 3]
    with pytest.raises(type(error)) as caught:
        next(items)
    assert caught.value is error
    assert _wait_until(lambda: not _readers())


@pytest.mark.parametrize("end", ["close", "forget"])
def test_an_early_end_leaves_no_reader_behind(end):
    begun, gate = [], threading.Event()

    def read(item):
        begun.append(item)
        if item >= 3:
            gate.wait(10)
        return item

    items = prefetch(read, 1000, num_threads=2, buffer_size=8)
    assert next(items) == 0
    if end == "close":
        items.close()
    del items
    gate.set()
    assert _wait_until(lambda: not _readers())
    assert len(begun) < 20


@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("first_step", [0, 1, 5])
def test_a_streamed_folder_gives_the_batches_of_the_array_from_any_step_on(tmp_path, num_threads, first_step):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 6, 5), dtype=np.uint8)
    for index, pixels in enumerate(image):
        Image.fromarray(pixels).save(tmp_path / f"{index:02}.png")
    streamed, resident = (load(str(tmp_path), stream=stream).train for stream in (True, False))
    ids = np.stack([rng.permutation(32).reshape(4, 8) for _ in range(3)]).reshape(6, 2, 8)  # 6 chunks of 2 steps

    def read(item):
        return streamed.x[ids[first_step + item]]

    chunks = list(prefetch(read, 6 - first_step, num_threads=num_threads, buffer_size=2))
    np.testing.assert_array_equal(chunks, resident.x[ids[first_step:]])
    assert isinstance(resident.x, np.ndarray)
    assert not isinstance(streamed.x, np.ndarray)


@pytest.mark.parametrize(("limit", "fits"), [(400, True), (399, False)])
def test_a_set_fits_that_takes_a_quarter_of_the_device(limit, fits):
    device = SimpleNamespace(memory_stats=lambda: {"bytes_limit": limit, "bytes_in_use": 0})
    assert fits_on_device(np.zeros((10, 10), np.uint8), device) is fits


def test_the_host_is_the_memory_of_a_cpu():
    device = jax.devices("cpu")[0]
    assert fits_on_device(np.zeros((10, 10), np.uint8), device)
    assert not fits_on_device(LazyRows(lambda ids: None, (10**12, 28, 28)), device)

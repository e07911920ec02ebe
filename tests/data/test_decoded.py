"""Decoded images are kept for the bytes that they came from, and nothing depends on it."""

import numpy as np
import pytest

from jaxvae.data import Split, decoded


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A function that opens a file of two images by way of the cache, and the number of times they were decoded."""
    monkeypatch.setattr(decoded, "CACHE", tmp_path / "cache")
    (tmp_path / "set").write_bytes(b"\x07\x09")
    times = []

    def open_set(label=True):
        def decode():
            times.append(1)
            pixels = np.frombuffer((tmp_path / "set").read_bytes(), np.uint8)
            return Split(pixels[:, None, None, None].repeat(3, 1), np.arange(2) if label else None)

        split = decoded.kept([tmp_path / "set"], decode)
        return split.x[:][:, 0, 0, 0].tolist(), split.label if split.label is None else split.label.tolist()

    return open_set, times


@pytest.mark.parametrize("label", [True, False])
def test_the_second_time_they_are_read(opened, label):
    open_set, times = opened
    assert open_set(label) == open_set(label) == ([7, 9], [0, 1] if label else None)
    assert len(times) == 1


def test_other_bytes_are_another_set(opened, tmp_path):
    open_set, times = opened
    open_set()
    (tmp_path / "set").write_bytes(b"\x07\x08")
    assert open_set() == ([7, 8], [0, 1])
    assert len(times) == 2


def test_what_was_kept_and_is_damaged_is_decoded_again(opened, tmp_path):
    open_set, times = opened
    open_set()
    (file,) = (tmp_path / "cache").rglob("image.npy")
    file.write_bytes(file.read_bytes()[:-1])
    assert open_set() == open_set() == ([7, 9], [0, 1])
    assert len(times) == 2
    assert not list(tmp_path.rglob("*.part"))


def test_without_a_place_it_is_decoded_each_time(opened, tmp_path):
    open_set, times = opened
    (tmp_path / "cache").write_text("in the way")
    assert open_set() == open_set() == ([7, 9], [0, 1])
    assert len(times) == 2

"""Windows of a series in a file: every point where it was, no window across the border of two parts."""

import numpy as np
import pytest

from jaxvae.data import Preparation, load, open_data
from jaxvae.data.rows import gather
from jaxvae.data.scaling import fit_scaling
from jaxvae.data.sources.series import read_series, series_split
from jaxvae.data.spaces import Incomplete
from jaxvae.errors import InputError

VALUES = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
ANOMALY = np.arange(100) == 97


def cut(path, window=8, stride=None):
    return load(str(path), preparation=Preparation(window=window, stride=stride))


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "mine.npz", x=VALUES, anomaly=ANOMALY)
    return tmp_path / "mine.npz"


def test_windows_are_parts_of_the_series_and_cross_no_border(npz):
    data = cut(npz, 4, 3)
    assert data.shape == (4, 2)
    assert data.preparation == {"window": "4 points, stride 3"}
    limits = {"train": (0, 80), "validation": (80, 90), "test": (90, 100)}
    for name, (low, high) in limits.items():
        split = getattr(data, name)
        for window, end in zip(split.x, split.attributes["time"]):
            assert low <= end - 3
            assert end < high
            np.testing.assert_array_equal(window, VALUES[end - 3 : end + 1])
        np.testing.assert_array_equal(split.attributes["anomaly"], ANOMALY[split.attributes["time"]])
    np.testing.assert_array_equal(np.diff(data.train.attributes["time"]), 3)


def test_a_table_is_the_same_series(npz, tmp_path):
    lines = [f"2024-01-01 {i},{a},{b},{int(bad)}" for i, ((a, b), bad) in enumerate(zip(VALUES.tolist(), ANOMALY))]
    (tmp_path / "mine.csv").write_text("Timestamp,a,b,is_anomaly\n" + "\n".join(lines) + "\n")
    here, there = read_series(tmp_path / "mine.csv"), read_series(npz)
    np.testing.assert_array_equal(here.values, there.values)
    np.testing.assert_array_equal(here.anomaly, there.anomaly)
    assert cut(tmp_path / "mine.csv").fingerprint() == cut(npz).fingerprint()


def test_one_channel_of_an_array(tmp_path):
    np.save(tmp_path / "mine.npy", np.arange(50))
    data = cut(tmp_path / "mine.npy", 5)
    assert data.shape == (5, 1)
    np.testing.assert_array_equal(data.train.x[3, :, 0], [3, 4, 5, 6, 7])
    assert series_split(tmp_path / "mine.npy", 5).x.shape == (46, 5, 1)


def test_gaps_of_a_series_are_not_observed(tmp_path):
    gaps = np.zeros((100, 2), bool)
    gaps[[5, 40], [0, 1]] = True
    np.save(tmp_path / "mine.npy", np.where(gaps, np.nan, VALUES))
    lines = [",".join("" if gap else str(a) for a, gap in zip(*row)) for row in zip(VALUES.tolist(), gaps)]
    (tmp_path / "mine.csv").write_text("a,b\n" + "\n".join(lines) + "\n")
    data = cut(tmp_path / "mine.npy", 4)
    assert data.space == Incomplete((4, 2))
    assert data.preparation == {"window": "4 points, stride 1, 2 of 200 values missing"}
    assert data.fingerprint() == cut(tmp_path / "mine.csv", 4).fingerprint()
    window = data.space.read(None, gather(data.train.x, np.arange(3, 4)))
    np.testing.assert_array_equal(window["observed"][0], ~gaps[3:7])
    np.testing.assert_array_equal(window["x"][0], np.where(gaps, 0, VALUES)[3:7])
    scaled = fit_scaling("standard", data)
    there = ~gaps[data.train.attributes["time"][:, None] - 3 + np.arange(4)]
    values = np.where(there, VALUES[data.train.attributes["time"][:, None] - 3 + np.arange(4)], np.nan)
    np.testing.assert_allclose(scaled.shift, np.nanmean(values, axis=(0, 1)), rtol=1e-4)
    np.testing.assert_allclose(scaled.factor, np.nanstd(values, axis=(0, 1)), rtol=1e-4)
    np.testing.assert_allclose(data.train.mean(), np.nanmean(values, axis=0), rtol=1e-4, atol=1e-6)


def test_parts_of_ones_own(tmp_path):
    names = np.repeat(["train", "test"], [30, 70])
    lines = [f"{value},{name}" for value, name in zip(VALUES[:, 0].tolist(), names)]
    (tmp_path / "mine.csv").write_text("value,split\n" + "\n".join(lines) + "\n")
    data = cut(tmp_path / "mine.csv", 10)
    assert (data.train.num_examples, data.validation, data.test.num_examples) == (21, None, 61)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("value\n" + "1\n" * 20, "window-length: 8 is more than the 2 points of the test part"),
        ("value\n1\n2\n", "window-length: 8 is more than the 2 points of the series"),
        ("value,is_anomaly\n1,2\n", "is_anomaly holds other values than 0 and 1"),
        ("value,name\n1,x\n", "column 'name' holds words; remove it, or call it timestamp"),
        ("value,is_anomaly\n1,0\n2,\n", "column 'is_anomaly' misses 1 values; fill them"),
        ("timestamp\n1\n", "holds no columns of values"),
        ("value,split\n1,later\n", "split holds 'later'; use train"),
    ],
)
def test_a_series_that_cannot_be_cut_is_refused(tmp_path, text, message):
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        cut(tmp_path / "mine.csv")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (VALUES.T, r"time comes first, channels last"),
        (VALUES[None], r"a series is numbers \[T\] or \[T, C\]"),
        (np.full(50, np.nan), "holds nothing but NaN"),
        (np.full(50, np.inf), "holds infinity, or more than float32 can"),
    ],
)
def test_an_array_that_is_no_series_is_refused(tmp_path, array, message):
    np.save(tmp_path / "mine.npy", array)
    with pytest.raises(InputError, match=message):
        cut(tmp_path / "mine.npy")


def test_windows_are_for_series_in_files(tmp_path):
    with pytest.raises(InputError, match="window-length: cuts a series in a file, and digits is none"):
        cut("digits")
    with pytest.raises(InputError, match="window-length: cuts a series in a file; save it"):
        open_data(VALUES, preparation=Preparation(window=4))
    (tmp_path / "poems.txt").write_text("a\n")
    with pytest.raises(InputError, match=r"window-length: poems.txt holds no series"):
        cut(tmp_path / "poems.txt")
    with pytest.raises(InputError, match="window-stride: is for the windows of a series"):
        load("digits", preparation=Preparation(stride=2))
    with pytest.raises(InputError, match="window-length: must be at least 1, got 0"):
        load("digits", preparation=Preparation(window=0))

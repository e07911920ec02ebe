"""Arrays that are not images: what is read is what was saved, and what may be two things is refused."""

import numpy as np
import pytest

from jaxvae.data import Preparation, load
from jaxvae.data.spaces import Counts, Pixels, Real, Tokens
from jaxvae.errors import InputError

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(30, 5))
SIGNALS = RNG.normal(size=(30, 40, 2))
COUNTS = RNG.poisson(3.0, (30, 6))
WORDS = np.array(["<pad>", "<end>", "<unk>", "a", "b"])
TOKENS = np.array([[3, 4, 1, 0], [4, 2, 3, 1], [1, 0, 0, 0]] * 10)
SPLIT = np.arange(30) % 3


def save(tmp_path, **arrays):
    np.savez(tmp_path / "mine.npz", **arrays)
    return str(tmp_path / "mine.npz")


def test_numbers_under_x_are_real(tmp_path):
    data = load(save(tmp_path, x=VECTORS, split=SPLIT, columns=np.array(list("abcde")), label=SPLIT, age=SPLIT / 2))
    assert data.space == Real((5,))
    np.testing.assert_array_equal(data.test.x, VECTORS[2::3].astype(np.float32))
    assert data.facts == {"columns": list("abcde")}
    assert set(data.train.attributes) == {"age"}
    assert data.test.label.tolist() == [2] * 10


@pytest.mark.parametrize("key", ["x", "data"])
def test_signals_have_channels_last(tmp_path, key):
    assert load(save(tmp_path, **{key: SIGNALS})).space == Real((40, 2))


def test_whole_numbers_are_counts_whatever_their_type(tmp_path):
    for dtype in (np.int64, np.uint8, np.float32):
        data = load(save(tmp_path, counts=COUNTS.astype(dtype), split=SPLIT))
        assert data.space == Counts((6,))
        np.testing.assert_array_equal(data.validation.x, COUNTS[1::3])
        assert data.validation.x.dtype == np.int32


def test_tokens_with_and_without_words(tmp_path):
    data = load(save(tmp_path, tokens=TOKENS, vocabulary=WORDS, split=SPLIT))
    assert (data.space.size, data.space.length) == (5, 4)
    assert data.show(data.train.first(1)).lines == ("a b",)
    assert load(save(tmp_path, tokens=TOKENS)).space == Tokens(5, 4)
    other = load(save(tmp_path, tokens=TOKENS, vocabulary=WORDS[[0, 1, 2, 4, 3]], split=SPLIT))
    assert other.fingerprint() != data.fingerprint()


def test_npy_files(tmp_path):
    for name, array, space in (
        ("images", RNG.integers(0, 256, (20, 6, 6), np.uint8), Pixels((6, 6, 1))),
        ("shades", RNG.uniform(size=(20, 6, 6, 3)), Pixels((6, 6, 3))),
        ("vectors", VECTORS, Real((5,))),
        ("signals", SIGNALS, Real((40, 2))),
    ):
        np.save(tmp_path / f"{name}.npy", array)
        assert load(str(tmp_path / f"{name}.npy")).space == space


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"x": VECTORS, "counts": COUNTS}, "arrays 'x' and 'counts'; keep one"),
        ({"x": VECTORS * np.nan}, "'x' holds NaN or infinity"),
        ({"x": VECTORS * 1e300}, "floats that float32 cannot"),
        ({"x": np.array([["a"]])}, "dtype <U1; give integers or floats"),
        ({"x": np.array([[None]])}, "'x' cannot be read .*allow_pickle"),
        ({"x": VECTORS[:0]}, "is empty"),
        ({"x": np.full((4, 2), 2**24 + 1)}, "integers that float32 cannot"),
        ({"x": np.zeros((9, 8, 8, 3))}, "save images as 'image'"),
        ({"x": np.zeros((9, 8, 8))}, "may hold images, float64"),
        ({"x": np.zeros((9, 8, 3), np.uint8)}, "may hold images, uint8"),
        ({"x": np.zeros((9, 2, 40))}, r"channels come last; transpose \(0, 2, 1\)"),
        ({"x": VECTORS, "columns": np.array(["a"])}, "'columns' holds 1 names"),
        ({"x": VECTORS, "columns": np.arange(5)}, "its columns is int64"),
        ({"counts": COUNTS - 1}, "'counts' holds -1; a count is not below 0"),
        ({"counts": COUNTS / 2}, "'counts' holds .*5; give raw counts"),
        ({"counts": SIGNALS}, r"give \[N, D\]"),
        ({"tokens": TOKENS / 1}, r"give integers \[N, T\]"),
        ({"tokens": TOKENS + 1}, "end marks"),
        ({"tokens": TOKENS, "vocabulary": WORDS[:4]}, "a vocabulary of 4 has 0 to 3"),
        ({"tokens": TOKENS, "vocabulary": np.arange(5)}, "its vocabulary is int64"),
        ({"x": VECTORS, "label": SPLIT[:9]}, r"give integers of shape \(30,\), one per example"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused_in_one_line(tmp_path, arrays, told):
    path = save(tmp_path, **arrays)
    with pytest.raises(InputError, match=told) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (COUNTS, r"counts, tokens or numbers; numpy.savez\('.*mine.npz', counts=x\)"),
        (np.array([[None]], object), "cannot be read .*Python objects"),
        (VECTORS * np.nan, "NaN"),
        (np.zeros((9, 8, 8)), "may hold images"),
    ],
)
def test_npy_files_that_cannot_be_used_are_refused(tmp_path, array, told):
    np.save(tmp_path / "mine.npy", array)
    with pytest.raises(InputError, match=f"^{tmp_path}/mine.npy.*{told}"):
        load(str(tmp_path / "mine.npy"))


def test_damaged_npy_files_are_refused(tmp_path):
    np.save(path := tmp_path / "mine.npy", VECTORS)
    content = path.read_bytes()
    claims = content.replace(b"(30, 5)", b"(30000000, 500000)")[:128]
    for damage, told in ((content[:200], "cannot be read"), (b"", "cannot be read"), (claims, "than file size")):
        path.write_bytes(damage)
        with pytest.raises(InputError, match=told):
            load(str(path))


def test_sizes_are_for_images(tmp_path):
    with pytest.raises(InputError, match=r"resize: .* holds no images; leave it out"):
        load(save(tmp_path, x=VECTORS), preparation=Preparation(resize=8))

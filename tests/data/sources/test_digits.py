"""The bundled digits, against scikit-learn's own arrays."""

import numpy as np
import sklearn.datasets

from jaxvae.data import Dataset, load


def _rows(data: Dataset) -> np.ndarray:
    """Every example of every split as 64 pixels and a label, sorted."""
    splits = [split for split in (data.train, data.validation, data.test) if split]
    rows = [np.column_stack([split.x.reshape(-1, 64), split.label]) for split in splits]
    return np.array(sorted(map(tuple, np.concatenate(rows).tolist())))


def test_sizes_and_types():
    data = load("digits")
    assert data.shape == (8, 8, 1)
    assert data.pixels == "ink"
    for split, size in ((data.train, 1297), (data.validation, 200), (data.test, 300)):
        assert split.num_examples == size
        assert split.x.dtype == np.uint8
        assert split.label.dtype == np.int32
        assert split.label.shape == (size,)


def test_every_example_of_scikit_learn_is_there_once():
    grey, label = sklearn.datasets.load_digits(return_X_y=True)
    scaled = [[round(value * 255 / 16) for value in row] for row in grey.tolist()]
    expected = sorted((*row, digit) for row, digit in zip(scaled, label.tolist()))
    np.testing.assert_array_equal(_rows(load("digits")), expected)


def test_full_range_is_used():
    train = load("digits").train.x
    assert train.min() == 0
    assert train.max() == 255


def test_split_is_fixed():
    first, second = load("digits"), load("digits")
    assert first.fingerprint() == second.fingerprint()
    assert first.fingerprint() == "39160aa3702828ef818979a878c3eb90a4d42877d3bae84eb43e2f6bc866d534"


def test_every_split_holds_every_digit():
    data = load("digits")
    for split in (data.train, data.validation, data.test):
        shares = np.bincount(split.label, minlength=10) / split.num_examples
        assert shares.min() > 0.05
        assert shares.max() < 0.2

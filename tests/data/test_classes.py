"""Names of classes, in the order of their numbers."""

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import load
from jaxvae.data.classes import class_order


@pytest.mark.parametrize(
    "ordered",
    [
        ("1", "2", "10"),
        ("-10", "-2", "0.5", "3"),
        ("01", "1", "2"),
        ("10", "2", "cat"),
        ("1e3", "2"),
        ("10000000000000000000", "10000000000000000001"),
        (),
    ],
)
def test_numbers_sort_as_numbers_and_words_as_words(ordered):
    assert class_order([*ordered[::-1], *ordered]) == ordered


def test_class_folders_keep_their_names_and_numbers_their_order(tmp_path):
    for number in range(12):
        (tmp_path / str(number)).mkdir()
        for i in range(3):
            Image.fromarray(np.full((4, 4), 20 * number, np.uint8)).save(tmp_path / str(number) / f"{i}.png")
    data = load(str(tmp_path))
    assert data.classes == tuple(map(str, range(12)))
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(split.label, split.x[:, 0, 0, 0] // 20)

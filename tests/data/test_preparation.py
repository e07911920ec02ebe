"""Sizes and backgrounds: what is kept of an image, against Pillow's own filters and plain slices."""

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Dataset, Preparation, Split, load
from jaxvae.data.preparation import prepare, prepare_rows
from jaxvae.errors import InputError

RNG = np.random.default_rng(8)
COLOUR = RNG.integers(0, 256, (5, 30, 20, 3), dtype=np.uint8)


def test_resizing_cuts_to_the_proportions_and_then_scales():
    found = prepare_rows(COLOUR, Preparation(resize=(10,)), "set")[:]
    square = (0, 5, 20, 25)
    images = [Image.fromarray(image).resize((10, 10), Image.Resampling.LANCZOS, box=square) for image in COLOUR]
    expected = np.stack([np.asarray(image) for image in images])
    np.testing.assert_array_equal(found, expected)


def test_the_first_number_is_the_height():
    assert prepare_rows(COLOUR, Preparation(resize=(6, 12)), "set").shape == (5, 6, 12, 3)


def test_it_antialiases():
    """A chequerboard of single pixels becomes grey, not black or white."""
    board = np.indices((64, 64)).sum(0) % 2 * np.uint8(255)
    found = prepare_rows(board.astype(np.uint8)[None, ..., None], Preparation(resize=(8,)), "set")[:]
    assert np.abs(found.astype(int) - 127).max() < 8


def test_cropping_keeps_the_centre():
    found = prepare_rows(COLOUR, Preparation(crop=10), "set")[:]
    np.testing.assert_array_equal(found, COLOUR[:, 10:20, 5:15])
    resized = prepare_rows(COLOUR, Preparation(resize=(16,)), "set")[:]
    both = prepare_rows(COLOUR, Preparation(resize=(16,), crop=10), "set")[:]
    np.testing.assert_array_equal(both, resized[:, 3:13, 3:13])


def test_floats_stay_in_their_range_and_any_channels_are_kept():
    steps = (RNG.uniform(size=(4, 12, 12, 2)) > 0.5).astype(np.float32) * 3 - 1
    found = prepare_rows(steps, Preparation(resize=(7,)), "set")[:]
    assert (found.dtype, found.shape) == (np.float32, (4, 7, 7, 2))
    assert -1 <= found.min() < found.max() <= 2


def test_a_binary_set_that_was_scaled_is_grey():
    binary = Split(RNG.integers(0, 2, (6, 8, 8, 1), dtype=np.uint8) * 255)
    data = Dataset("set", binary, binary)
    assert prepare(data, Preparation(resize=(4,))).pixels == "grey"
    assert prepare(data, Preparation(crop=4)).pixels == "binary"
    assert prepare(data, Preparation()) is data


def test_named_sets_are_prepared_too():
    data = load("digits", preparation=Preparation(resize=16))
    assert (data.shape, data.pixels, data.train.num_examples) == ((16, 16, 1), "ink", 1297)
    assert data.preparation == {"resize": "16x16 Pillow LANCZOS"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": 0}, "resize: must be one or two positive numbers, got 0"),
        ({"resize": (0,)}, r"resize: must be one or two positive numbers, got \(0,\)"),
        ({"resize": (1, 2, 3)}, "resize: must be one or two"),
        ({"resize": ()}, "resize: must be one or two"),
        ({"crop": 0}, "crop: must be at least 1, got 0"),
        ({"resize": (8, 4), "crop": 5}, "crop: 5 is more than resize 4; make it smaller"),
        ({"background": "whit"}, "background: 'whit' is no colour; give a name"),
        ({"background": "#ffffff80"}, "background: '#ffffff80' is no colour"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=f"^{message}"):
        load("digits", preparation=Preparation(**options))

"""Films: the frames in their order, forth and back, in large pixels."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from jaxvae.report import animation


@pytest.fixture
def film(tmp_path):
    """Write images as a film; frames as arrays, their durations, and how often it is shown (0: for ever)."""

    def write(images, **options):
        animation.save_gif(tmp_path / "deep" / "film.gif", images, **options)
        with Image.open(tmp_path / "deep" / "film.gif") as gif:
            frames = [
                (np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(gif)
            ]
            return [frame for frame, _ in frames], [duration for _, duration in frames], gif.info["loop"]

    return write


def test_it_runs_forth_and_back_for_ever_and_rests_where_it_turns(film):
    shades = np.array([0, 51, 102, 204], np.float32) / 255
    frames, durations, loop = film(shades[:, None, None, None, None] * np.ones((4, 1, 8, 8, 1)), rests=[2])
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 51, 102, 204, 102, 51]
    rest, move = animation.REST, animation.FRAME
    assert durations == [rest, move, rest, rest, rest, move]
    assert loop == 0


def test_time_runs_in_one_direction_where_it_is_asked_to(film):
    shades = np.array([0, 102, 204], np.float32) / 255
    images = shades[:, None, None, None, None] * np.ones((3, 3, 8, 8, 1))
    frames, _, _ = film(images, back=False, columns=3)
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 102, 204]
    assert frames[0].shape[1] > 2.5 * frames[0].shape[0], "three in one row"


def test_a_pixel_becomes_a_square_of_pixels(film):
    images = np.random.default_rng(0).integers(0, 256, (2, 1, 3, 4, 1)) / 255
    frames, _, _ = film(images)
    times = animation.SIDE // 4
    expected = np.kron(images[0, 0, ..., 0] * 255, np.ones((times, times)))
    np.testing.assert_array_equal(frames[0][..., 0], np.round(expected))


def test_images_stand_side_by_side(film):
    images = np.stack([np.full((5, 4, 4, 1), 0.2), np.full((5, 4, 4, 1), 0.8)])
    images[0, 4] = 1.0
    frame = film(images)[0][0][..., 0]
    middles = frame.reshape(9, frame.shape[0] // 9, 14, frame.shape[1] // 14)[:, 0, :, 0][2::5, 2::5]
    assert middles.tolist() == [[51, 51, 51], [51, 255, 128]], "three columns, and grey where no image is"


def test_colours_stay(film):
    red, blue = np.zeros((2, 1, 4, 4, 3))
    red[..., 0] = blue[..., 2] = 1
    frames, _, _ = film(np.stack([red, blue]))
    assert frames[0][0, 0].tolist() == [255, 0, 0]
    assert frames[1][0, 0].tolist() == [0, 0, 255]


def test_a_name_stands_below_its_image(film):
    images = np.full((2, 2, 4, 4, 1), 0.5)
    plain, named = (film(images, labels=labels)[0][0][..., 0] for labels in ([], ["test 3: cat", ""]))
    times = plain.shape[0] // 4
    (band,) = {named.shape[0] - plain.shape[0]}
    np.testing.assert_array_equal(named[: 4 * times, : 4 * times], plain[:, : 4 * times])
    below = named[4 * times : 4 * times + band]
    first, second = below[:, : 4 * times], below[:, 5 * times :]
    assert first.min() < 50 < first.max()
    assert (second == 255).all()

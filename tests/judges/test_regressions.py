"""A regression reads numbers from images that it has not seen."""

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges.regressions import fit_regression


def bumps(num, seed):
    """Images of a bump, and its place and height."""
    random = np.random.default_rng(seed)
    place, height = random.uniform(2, 6, num), random.uniform(0.3, 1, num)
    x = height[:, None] * np.exp(-((np.arange(8) - place[:, None]) ** 2) / 2)
    return np.repeat(x[:, None, :, None], 4, axis=1).astype(np.float32), np.stack([place, 100 * height], axis=1)


def test_numbers_are_read_from_new_images_in_their_units():
    regression, (images, numbers) = fit_regression(*bumps(800, 0)), bumps(200, 1)
    assert (regression.explained(images, numbers) > 0.9).all()
    error = np.mean((regression.predict(images) - numbers) ** 2, axis=0) / numbers.var(axis=0)
    np.testing.assert_allclose(regression.explained(images, numbers), 1 - error, rtol=1e-5)
    np.testing.assert_allclose(regression.predict(np.uint8(np.round(255 * images))), regression.predict(images), atol=1)


def test_one_number_is_a_column_and_the_seed_decides():
    images, numbers = bumps(100, 0)
    first, again = (fit_regression(images, numbers[:, :1], epochs=2, seed=3) for _ in range(2))
    assert first.predict(images).shape == (100, 1)
    np.testing.assert_array_equal(first.predict(images), again.predict(images))


def test_a_row_of_numbers_for_each_image_is_needed():
    images, numbers = bumps(10, 0)
    for wrong in (numbers[:5], numbers[:, 0]):
        with pytest.raises(InputError, match=r"numbers: shape .* for 10 images"):
            fit_regression(images, wrong)

"""Orders of axes that sizes tell apart, and such as they do not."""

import numpy as np
import pytest

from jaxvae.data.sources.axes import misplaced_axes


@pytest.mark.parametrize(
    ("right", "order"),
    [
        ((40, 12, 12, 3), (0, 3, 1, 2)),
        ((60000, 28, 28, 1), (0, 3, 1, 2)),
        ((7, 32, 48, 4), (0, 3, 1, 2)),
        ((60, 12, 12, 2), (0, 3, 1, 2)),
        ((73257, 32, 32, 3), (1, 2, 3, 0)),
        ((20, 64, 64, 1), (1, 2, 3, 0)),
        ((60000, 28, 28), (1, 2, 0)),
    ],
)
def test_the_transpose_that_is_named_is_the_right_one(right, order):
    wrong = tuple(right[axis] for axis in order)
    fault = misplaced_axes(wrong)
    assert f"; transpose {tuple(int(axis) for axis in np.argsort(order))} if" in fault
    assert misplaced_axes(right) is None


AMBIGUOUS = [(60, 12, 12, 2), (5, 3, 12, 3), (60, 4, 4, 64), (60, 2, 2, 512), (9, 1, 128, 6), (12, 12, 24)]
RIGHT = [(28, 20, 1965), (100, 784), (3, 3, 3, 3), (500, 8, 4, 64), (1, 12, 12, 3), (10, 12, 12, 12)]


@pytest.mark.parametrize("shape", AMBIGUOUS + RIGHT)
def test_what_may_be_right_is_left_alone(shape):
    assert misplaced_axes(shape) is None

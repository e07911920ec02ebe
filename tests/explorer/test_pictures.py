"""Shapes that are drawn."""

import pytest

from jaxvae.errors import InputError
from jaxvae.explorer.pictures import image_shape


def test_shapes_of_other_kinds_are_refused():
    with pytest.raises(InputError, match=r"images \[H, W, C\] and vectors \[D\], got \[8, 8\]"):
        image_shape((8, 8))

"""The form that images of a set are brought to, and what is said where there is none."""

import numpy as np
import pytest

from jaxvae.data import Preparation
from jaxvae.data.headers import Header
from jaxvae.data.survey import Survey
from jaxvae.errors import InputError


def _survey(*headers: Header) -> Survey:
    survey = Survey()
    for number, header in enumerate(headers):
        survey.add(header, f"set: file {number}")
    return survey


def test_the_commonest_sizes_are_named():
    sizes = [(4, 6)] * 3 + [(9, 9), (8, 2), (4, 6), (8, 2), (1, 1), (2, 2), (3, 3)]
    survey = _survey(*(Header(height, width, 1) for height, width in sizes))
    named = r"6x4 \(4: file 0\), 2x8 \(2: file 4\), 9x9 \(1: file 3\), 1x1 \(1: file 7\) and 2 others"
    with pytest.raises(InputError, match=rf"^set: images of 6 sizes, {named}; bring .* --resize 64 or --crop 64"):
        survey.form("set", Preparation())
    assert survey.form("set", Preparation(resize=(5,))).shape == (5, 5, 1)


@pytest.mark.parametrize(
    ("headers", "background", "shape", "dtype"),
    [
        ([Header(4, 6, 1)], "white", (4, 6, 1), np.uint8),
        ([Header(4, 6, 1), Header(4, 6, 3)], "white", (4, 6, 3), np.uint8),
        ([Header(4, 6, 1, alpha=True)], "grey", (4, 6, 1), np.uint8),
        ([Header(4, 6, 1, alpha=True)], "red", (4, 6, 3), np.uint8),
        ([Header(4, 6, 1)], "red", (4, 6, 1), np.uint8),
        ([Header(4, 6, 1, deep=True), Header(4, 6, 3)], "white", (4, 6, 3), np.float32),
    ],
)
def test_one_form_for_all(headers, background, shape, dtype):
    form = _survey(*headers).form("set", Preparation(background=background))
    assert (form.shape, form.dtype) == (shape, dtype)
    assert form.named == ({"background": background} if any(header.alpha for header in headers) else {})


def test_an_image_that_no_memory_holds_is_refused():
    with pytest.raises(InputError, match=r"one image of 1000000000x1000000000 .* GB, this machine has .* GB; make"):
        _survey(Header(4, 6, 3)).form("set", Preparation(resize=(10**9,)))

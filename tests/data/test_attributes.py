"""Slant and width of drawn bars, and the names under which a split's attributes are found."""

import numpy as np
import pytest

from jaxvae.data import Dataset, Split, named_attributes
from jaxvae.data.attributes import sequence_attributes, usable_attributes
from jaxvae.data.spaces import Pixels, Tokens
from jaxvae.data.strokes import slant, stroke_width
from jaxvae.errors import InputError
from jaxvae.music.attributes import ATTRIBUTES

SIZE, FINE = 40, 8
GRID = (np.arange(SIZE * FINE) + 0.5) / FINE - SIZE / 2
Y, X = np.meshgrid(-GRID, GRID, indexing="ij")


def drawn(inside):
    """Grey values of a shape given on a grid eight times as fine."""
    return inside.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))


def sheared_bar(shear, width, shift=0.0):
    return drawn((np.abs(X - shift - shear * Y) <= width / 2) & (np.abs(Y) <= 12))


@pytest.mark.parametrize("width", [1.5, 3, 6])
def test_slant_is_the_shear_of_a_bar(width):
    shears = [-0.7, -0.2, 0, 0.3, 0.6]
    images = np.stack([sheared_bar(shear, width, shift=3.3) for shear in shears])
    np.testing.assert_allclose(slant(images[..., None]), shears, atol=0.01)
    np.testing.assert_allclose(slant(0.3 * images), slant(images), atol=1e-12)  # pale ink leans as far


@pytest.mark.parametrize("width", [2, 3, 4.5])
@pytest.mark.parametrize("degrees", [0, 20, 45, 90])
def test_width_of_a_bar_at_any_angle(width, degrees):
    length, angle = 30, np.deg2rad(degrees)
    along, across = X * np.sin(angle) + Y * np.cos(angle), X * np.cos(angle) - Y * np.sin(angle)
    image = drawn((np.abs(across) <= width / 2) & (np.abs(along) <= length / 2))
    # Twice the area by the whole outline, ends included: w l / (w + l).
    assert stroke_width(image[None])[0] == pytest.approx(width * length / (width + length), abs=0.35)


def test_width_of_a_ring():
    radius = np.hypot(X, Y)
    assert stroke_width(drawn((radius > 9) & (radius < 12))[None])[0] == pytest.approx(3, rel=0.03)


def test_no_ink_is_neither_slanted_nor_wide():
    blank = np.zeros((2, 8, 8, 1))
    blank[1, 4] = 1  # a row has no height to lean over
    assert slant(blank).tolist() == [0, 0]
    assert stroke_width(blank)[0] == 0


IMAGES = (np.stack([sheared_bar(shear, 3) for shear in (0.5, -0.5, 0.1)])[..., None] * 255).astype(np.uint8)
SPLIT = Split(IMAGES, np.array([7, 2, 7], np.int32), {"smile": np.array([0, 1, 1], np.uint8)})


def test_classes_attributes_and_measures_by_name():
    found = named_attributes(SPLIT, "ink")
    assert list(found) == ["2", "7", "smile", "slant", "width"]
    assert found["7"].tolist() == [1, 0, 1]
    np.testing.assert_array_equal(found["smile"], [0, 1, 1])
    np.testing.assert_allclose(found["slant"], [0.5, -0.5, 0.1], atol=0.02)
    assert list(named_attributes(SPLIT, "grey")) == ["2", "7", "smile"]
    assert list(named_attributes(SPLIT, "ink", ["width", "2"])) == ["width", "2"]


def test_what_the_set_says_goes_before_what_is_measured():
    known = SPLIT._replace(attributes={"slant": np.array([1, 2, 3])})
    assert named_attributes(known, "ink")["slant"].tolist() == [1, 2, 3]


def test_what_nobody_knows_is_refused():
    with pytest.raises(InputError, match=r"'hat' is none of this data set's; give one of 2, 7, smile, slant, width"):
        named_attributes(SPLIT, "ink", ["hat"])
    with pytest.raises(InputError, match="neither labels nor attributes"):
        named_attributes(Split(IMAGES), "grey")


def test_classes_have_their_names_and_answer_to_their_numbers():
    names = ("nobody", *"abcdef", "smile")
    found = named_attributes(SPLIT, "grey", classes=names)
    assert list(found) == ["b", "class smile", "smile"], "a class and an attribute of one name are told apart"
    assert found["class smile"].tolist() == [1, 0, 1]
    assert list(named_attributes(SPLIT, "grey", ["7", "b"], names)) == ["class smile", "b"]
    numbered = named_attributes(SPLIT._replace(label=np.array([0, 1, 1])), "grey", ["2"], ("1", "2"))
    assert numbered["2"].tolist() == [0, 1, 1], "a name goes before a number"


KNOWN = {
    "age": np.array([1.0, np.nan, np.nan]),
    "far": np.array([1, np.inf, 2]),
    "same": np.ones(3),
    "good": np.eye(3)[0],
}


def test_attributes_of_no_use_are_left_out_by_name(caplog):
    assert list(usable_attributes(KNOWN)) == ["good"]
    assert [record.getMessage() for record in caplog.records] == [
        "attribute: 'age' holds NaN in 2 of 3 images; it is left out",
        "attribute: 'far' holds infinity in 1 of 3 images; it is left out",
        "attribute: 'same' is 1 in all 3 images; it is left out",
    ]
    assert list(usable_attributes(KNOWN, may_be_constant=True)) == ["same", "good"]
    with pytest.raises(InputError, match="attribute: 'far' holds infinity in 1 of 3 images; name another"):
        usable_attributes({name: KNOWN[name] for name in ("good", "far")}, wanted=["far"])


def test_some_examples_keep_what_is_known_of_them():
    some = SPLIT.take(np.array([2, 0])).take(np.array([1]))
    np.testing.assert_array_equal(some.x[:], IMAGES[:1])
    assert (some.label.tolist(), some.attributes["smile"].tolist()) == ([7], [0])
    assert Split(IMAGES).take(np.array([1])).label is None


def data_of(rows, space, facts=None):
    split = Split(np.asarray(rows), space=space)
    return Dataset("rows", split, split, facts=facts or {})


def test_length_of_a_text_is_what_stands_before_the_end_mark():
    rows = np.array([[5, 4, 1, 0], [1, 0, 0, 0], [7, 7, 7, 1], [5, 5, 5, 5]])
    found = sequence_attributes(data_of(rows, Tokens(8, 4)), rows)
    assert {name: values.tolist() for name, values in found.items()} == {"length": [2, 0, 3, 4]}


def test_attributes_of_melodies_are_those_of_their_notes():
    rows = np.array([[3, 2, 4, 2, 1], [3, 4, 3, 4, 1]])
    melodies = data_of(rows, Tokens(6, 5), {"pitches": [60, 62], "steps_per_bar": 16})
    found = sequence_attributes(melodies, rows)
    assert found.keys() == ATTRIBUTES.keys()
    for name, values in found.items():
        np.testing.assert_allclose(values, [ATTRIBUTES[name](melody, 4) for melody in melodies.show(rows).notes])


def test_images_have_no_attributes_of_sequences():
    images = np.zeros((2, 4, 4, 1))
    assert sequence_attributes(data_of(images, Pixels((4, 4, 1), "ink")), images) == {}

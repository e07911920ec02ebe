"""Parts that features play: found where there is one way to read a set, chosen where there are several."""

import numpy as np
import pytest

from jaxvae.data.sources.features import Chosen, Feature, check_choices, choose, short_names, split_parts
from jaxvae.errors import InputError

IMAGE, TEXT, LABEL, OTHER = (Feature(kind) for kind in ("image", "text", "label", "other"))
NUMBER, INTEGER = Feature("number", np.dtype("f4")), Feature("number", np.dtype("i8"))
VECTOR, INTEGERS = Feature("array", np.dtype("f4"), (5,)), Feature("array", np.dtype("i8"), (5,))
PIXELS = Feature("array", np.dtype("u1"), (8, 8, 3))


@pytest.mark.parametrize(
    ("features", "asked", "expected"),
    [
        ({"image": IMAGE, "label": LABEL}, {}, Chosen("image", ("image",), "label", ())),
        ({"photo": IMAGE, "breed": LABEL, "id": TEXT}, {}, Chosen("image", ("photo",), "breed", ())),
        ({"a": IMAGE, "u": LABEL, "v": LABEL, "n": NUMBER}, {}, Chosen("image", ("a",), None, ("u", "v", "n"))),
        ({"a": IMAGE, "u": LABEL, "v": LABEL}, {"label": "v"}, Chosen("image", ("a",), "v", ("u",))),
        ({"a": IMAGE, "label": LABEL}, {"label": ""}, Chosen("image", ("a",), None, ("label",))),
        ({"a": IMAGE, "b": IMAGE}, {"image": "b"}, Chosen("image", ("b",), None, ())),
        ({"a": IMAGE, "label": INTEGER}, {}, Chosen("image", ("a",), "label", ())),
        ({"a": IMAGE, "label": NUMBER}, {}, Chosen("image", ("a",), None, ("label",))),
        ({"a": IMAGE, "label": TEXT}, {}, Chosen("image", ("a",), "label", ())),
        ({"v": VECTOR, "label": LABEL}, {}, Chosen("x", ("v",), "label", ())),
        ({"v": PIXELS, "boxes": OTHER}, {}, Chosen("image", ("v",), None, ())),
        ({"v": INTEGERS}, {"counts": "v"}, Chosen("counts", ("v",), None, ())),
        ({"text": TEXT, "label": LABEL}, {}, Chosen("text", ("text",), "label", ())),
        ({"sentence": TEXT}, {}, Chosen("text", ("sentence",), None, ())),
        ({"sentence": TEXT}, {"words": "20"}, Chosen("text", ("sentence",), None, (), 20)),
        ({"text": TEXT, "length": INTEGER, "title": TEXT}, {}, Chosen("text", ("text",), None, ("length",))),
        ({"age": NUMBER, "sex": TEXT, "label": LABEL}, {}, Chosen("columns", ("age", "sex"), "label", ())),
        ({"age": NUMBER, "n": INTEGER, "id": TEXT}, {"columns": "age,n"}, Chosen("columns", ("age", "n"), None, ())),
    ],
)
def test_parts(features, asked, expected):
    assert choose("tfds:set", features, asked) == expected


def test_the_feature_that_a_set_is_meant_to_predict_is_its_label():
    features = {"age": NUMBER, "sex": LABEL, "class": LABEL, "survived": LABEL}
    chosen = choose("tfds:titanic", features, {}, supervised="survived")
    assert chosen == Chosen("columns", ("age", "sex", "class"), "survived", ())


@pytest.mark.parametrize(
    ("features", "asked", "told"),
    [
        ({"a": IMAGE, "b": IMAGE}, {}, r"a, b could each be the image; choose one: tfds:set\?image=a"),
        ({"v": INTEGERS}, {}, r"'v' holds integers, .*; say which: tfds:set\?counts=v, \?tokens=v or \?x=v"),
        ({"a": OTHER}, {}, "has no image, text or number to learn, only a; name another set"),
        ({"a": IMAGE}, {"image": "b"}, "has no feature 'b'; choose of a"),
        ({"smile": IMAGE}, {"label": "smiles"}, r"has no feature 'smiles' \(did you mean 'smile'\?\)"),
        ({"a": IMAGE}, {"words": "3"}, "words=3: give a number from 1, for a text"),
        ({"a": TEXT}, {"words": "0"}, "words=0: give a number from 1"),
        ({"a": IMAGE}, {"text": "a"}, "'a' is of kind image, which is no text"),
        ({"a": IMAGE}, {"label": "a"}, "'a' is of kind image, which is no label"),
    ],
)
def test_what_is_open_or_wrong_is_refused_in_one_line(features, asked, told):
    with pytest.raises(InputError, match=told) as caught:
        choose("tfds:set", features, asked)
    assert str(caught.value).startswith("tfds:set: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"image": "a", "text": "b"}, "both 'image' and 'text' are chosen; choose one"),
        ({"imag": "a"}, r"'imag' cannot be chosen \(did you mean 'image'\?\); choose one of image, x"),
        ({"config": "a"}, "'config' cannot be chosen"),
    ],
)
def test_choices_that_there_are_not_are_refused(asked, told):
    with pytest.raises(InputError, match=f"^tfds:set: {told}"):
        check_choices("tfds:set", asked)
    check_choices("hf:set", {"config": "a", "label": ""}, "config")


def test_names_are_shortened_where_they_stay_different():
    assert short_names(["a/x", "b/x", "b/y"]) == {"a/x": "a/x", "b/x": "b/x", "b/y": "y"}


@pytest.mark.parametrize(
    ("splits", "asked", "expected"),
    [
        (["train"], {}, None),
        (["train", "test"], {}, {"train": 0, "test": 2}),
        (["train", "valid", "test", "extra"], {}, {"train": 0, "valid": 1, "test": 2}),
        (["train", "validation"], {"test": "validation"}, {"train": 0, "validation": 2}),
        (["train", "test", "extra"], {"train": "extra"}, {"extra": 0, "test": 2}),
    ],
)
def test_splits(splits, asked, expected):
    assert split_parts("hf:set", splits, asked) == expected


@pytest.mark.parametrize(
    ("splits", "asked", "told"),
    [
        (["train", "validation"], {}, r"but train and test are needed; say which is which, such as hf:set\?train"),
        (["train", "test"], {"test": "tests"}, r"has no split 'tests' \(did you mean 'test'\?\); choose of train"),
    ],
)
def test_splits_that_cannot_be_used_are_refused(splits, asked, told):
    with pytest.raises(InputError, match=told):
        split_parts("hf:set", splits, asked)

"""Conditions: what a data set's labels and attributes become, and which are refused."""

import json

import numpy as np
import pytest

from jaxvae.data import Dataset, Split
from jaxvae.data.batches import sequential_batches
from jaxvae.data.conditions import Attributes, Classes, conditioned, fit_condition, from_json
from jaxvae.data.spaces import Categories, Real
from jaxvae.errors import InputError
from jaxvae.rng import root

RNG = np.random.default_rng(0)


def split(num, **changes):
    label = (np.arange(num) % 3).astype(np.int32)
    known = {"age": RNG.normal(40, 10, num), "smile": np.arange(num) % 2}
    return Split(RNG.random((num, 4), np.float32), label, known)._replace(**changes)


DATA = Dataset("faces", split(30), split(7), classes=("cat", "dog", "owl"))


def test_labels_become_one_hot_vectors_in_every_split():
    data = conditioned(DATA, fit_condition("label", DATA))
    assert data.train.condition_space == Categories(3)
    np.testing.assert_array_equal(data.test.conditions(), np.eye(3)[np.arange(7) % 3])
    np.testing.assert_array_equal(data.test.take(np.array([5, 3])).conditions(), np.eye(3)[[2, 0]])
    assert data.fingerprint() == DATA.fingerprint()


def test_attributes_are_standardised_by_the_training_split():
    condition = fit_condition("age,smile", DATA)
    data = conditioned(DATA, condition)
    assert data.train.condition_space == Real((2,))
    rows = data.train.conditions()
    np.testing.assert_allclose([rows.mean(0), rows.std(0)], [[0, 0], [1, 1]], atol=1e-6)
    wanted = (DATA.test.attributes["age"] - DATA.train.attributes["age"].mean()) / DATA.train.attributes["age"].std()
    np.testing.assert_allclose(data.test.conditions()[:, 0], wanted, rtol=1e-5)
    own = f"smile={DATA.test.attributes['smile'][1]},age={DATA.test.attributes['age'][1]}"
    np.testing.assert_allclose(condition.parse(own), data.test.conditions()[1], rtol=1e-5)


def test_batches_have_the_conditions_of_their_own_examples_and_unknown_ones_are_zeros():
    test = DATA.test._replace(label=np.int32([2, -1, 0, 1, 1, 0, 2]))
    test = conditioned(DATA._replace(test=test), fit_condition("label", DATA)).test
    given = {"condition": test.condition, "condition_space": test.condition_space}
    first, second = sequential_batches(test.x, root(0), batch_size=4, **given)
    np.testing.assert_array_equal(first.condition, [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(second.condition[:3], np.eye(3)[[1, 0, 2]])


@pytest.mark.parametrize("text", ["label", "smile", "smile,age"])
def test_it_survives_json(text):
    condition = fit_condition(text, DATA)
    assert from_json(json.loads(json.dumps(condition.to_json()))) == condition


@pytest.mark.parametrize(("text", "number"), [("dog", 1), ("2", 2), ("0", 0)])
def test_a_class_is_given_by_its_name_or_number(text, number):
    np.testing.assert_array_equal(Classes(("cat", "dog", "owl")).parse(text), np.eye(3)[number])


def test_a_name_that_is_another_classes_number_means_the_name():
    np.testing.assert_array_equal(Classes(("1", "2", "10")).parse("1"), [1, 0, 0])


def with_train(**changes):
    return DATA._replace(train=DATA.train._replace(**changes))


@pytest.mark.parametrize(
    ("data", "text", "message"),
    [
        (with_train(label=None), "label", "condition: the data set has no labels; name one that has"),
        (with_train(label=np.zeros(30, np.int32)), "label", "condition: the training examples are of one class"),
        (with_train(label=np.int32([-1, 1] * 15)), "label", "condition: the training examples are of one class"),
        (DATA, "smiel", r"condition: the data set has no attribute 'smiel' \(did you mean 'smile'\?\); give one of"),
        (DATA, "labels", r"no attribute 'labels' \(did you mean 'label'\?\); give one of label, age, smile"),
        (Dataset("a", Split(np.ones((3, 2))), Split(np.ones((3, 2)))), "age", "no attribute 'age'; the set has none"),
        (with_train(attributes={"age": np.ones(30)}), "age", "'age' is 1 in all 30 examples; name another"),
        (with_train(attributes={"age": np.array([np.nan, 1, 2])}), "age", "'age' is NaN or infinite in 1 of 3 examp"),
    ],
)
def test_data_without_such_a_condition_are_refused(data, text, message):
    with pytest.raises(InputError, match=message):
        fit_condition(text, data)


@pytest.mark.parametrize(
    ("label", "message"),
    [(None, "condition: a split has no labels"), (np.int32([0, 3]), "condition: label 3 is none of the 3 classes")],
)
def test_splits_without_the_condition_are_refused(label, message):
    with pytest.raises(InputError, match=message):
        conditioned(DATA._replace(test=DATA.test._replace(label=label)), fit_condition("label", DATA))


@pytest.mark.parametrize(
    ("condition", "text", "message"),
    [
        (Classes(("cat", "dog")), "dgo", r"there is no class 'dgo' \(did you mean 'dog'\?\); give one of cat, dog"),
        (Classes(("cat", "dog")), "2", "there is no class '2'; give one of cat, dog"),
        (Attributes(("age",), (1.0,), (2.0,)), "aeg=3", r"'aeg' is no attribute of this run \(did you mean 'age'\?\)"),
        (Attributes(("age",), (1.0,), (2.0,)), "age", "age must be a finite number, got ''; give age=NUMBER"),
        (Attributes(("age",), (1.0,), (2.0,)), "age=inf", "age must be a finite number, got 'inf'"),
    ],
)
def test_other_choices_are_refused(condition, text, message):
    with pytest.raises(InputError, match=message):
        condition.parse(text)


CELLS = DATA._replace(facts={"attributes": {"smile": ["north", "south"]}})


def test_attributes_with_named_categories_are_one_hot_beside_numbers():
    condition = fit_condition("smile,age", CELLS)
    data = conditioned(CELLS, condition)
    assert data.train.condition_space == Real((3,))
    np.testing.assert_array_equal(data.test.conditions()[:, :2], np.eye(2)[np.arange(7) % 2])
    numbers = fit_condition("age", DATA).rows(DATA.test)
    np.testing.assert_allclose(data.test.conditions()[:, 2:], numbers, rtol=1e-6)
    np.testing.assert_allclose(condition.parse("smile=south"), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(condition.parse("age=40"), [0, 0, *condition.parse("smile=north,age=40")[2:]])
    words = Split(np.zeros((2, 1)), None, {"smile": np.array(["south", "north"]), "age": np.array([40.0, 41.0])})
    np.testing.assert_array_equal(condition.rows(words)[:, :2], [[0, 1], [1, 0]])
    assert from_json(json.loads(json.dumps(condition.to_json()))) == condition


def test_categories_that_training_has_not_are_refused():
    condition = fit_condition("smile", CELLS)
    with pytest.raises(InputError, match=r"smile has no category 'nort' \(did you mean 'north'\?\)"):
        condition.parse("smile=nort")
    with pytest.raises(InputError, match="'smile' holds 2, it has 2 categories in training"):
        condition.rows(Split(np.zeros((1, 1)), None, {"smile": np.array([2])}))

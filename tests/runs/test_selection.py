"""Which checkpoint a run reports, and when it stops looking for a better one."""

import json

import numpy as np
import pytest

from jaxvae.data import Dataset, Split
from jaxvae.errors import InputError
from jaxvae.runs.selection import Patience, settle

ROWS = Split(np.zeros((4, 2), np.float32))
WITH, WITHOUT = Dataset("with", ROWS, ROWS, ROWS), Dataset("without", ROWS, ROWS)


@pytest.mark.parametrize(
    ("asked", "data", "settled"),
    [(None, WITH, "best"), (None, WITHOUT, "last"), ("last", WITH, "last"), ("best", WITH, "best")],
)
def test_validation_data_choose_where_there_are_any(asked, data, settled):
    assert settle(asked, data) == settled


def test_the_test_split_never_chooses():
    with pytest.raises(InputError, match=r"^select: without has no validation data .*; give last$"):
        settle("best", WITHOUT)


def test_patience_counts_evaluations_since_the_best():
    patience, over = Patience(2), []
    for score in (-5.0, -3.0, -4.0, -3.0, -9.0):
        patience.see(score)
        over.append(patience.is_over)
    assert over == [False, False, False, True, True]


def test_a_better_one_begins_the_count_anew():
    patience = Patience(2)
    for score in (-5.0, -6.0, -4.0, -6.0):
        patience.see(score)
    assert not patience.is_over


def test_no_limit_never_ends():
    patience = Patience(0)
    for _ in range(50):
        patience.see(-1.0)
    assert not patience.is_over


def test_an_interrupted_count_goes_on():
    whole, first = Patience(3), Patience(3)
    scores = (-5.0, -6.0, -7.0, -8.0)
    for score in scores:
        whole.see(score)
    for score in scores[:2]:
        first.see(score)
    second = Patience(3, json.loads(json.dumps(first.to_json())))
    for score in scores[2:]:
        second.see(score)
    assert second.to_json() == whole.to_json()
    assert second.is_over
    assert Patience(3).to_json() is None


def test_what_is_no_number_is_no_best():
    patience = Patience(2)
    for score in (float("nan"), float("nan")):
        patience.see(score)
    assert patience.is_over
    assert patience.to_json() is None

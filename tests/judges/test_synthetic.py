"""Judges of synthetic rows: what they say of the real rows themselves, of noise, of copies and of a Gaussian."""

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.judges.copula import gaussian_copula, independent
from jaxvae.judges.synthetic import Columns, closeness, detection, marginals, pairs, usefulness


def rows(num, seed, correlation=0.9):
    noise = np.random.default_rng(seed)
    x = noise.normal(size=num)
    y = correlation * x + np.sqrt(1 - correlation**2) * noise.normal(size=num)
    word = np.where(x + 0.3 * noise.normal(size=num) > 0.5, "high", np.where(x > -1, "middle", "low"))
    return {"x": np.exp(x), "y": np.round(y, 2), "word": word}


TRAIN, TEST, FRESH, LOOSE = rows(1500, 0), rows(500, 1), rows(1500, 2), rows(1500, 3, correlation=0)
COLUMNS = Columns.of(TRAIN)


def test_fresh_rows_of_the_same_kind_pass():
    assert min(marginals(COLUMNS, TEST, FRESH).values()) > 0.93
    assert pairs(COLUMNS, TEST, FRESH).min() > 0.8
    assert detection(COLUMNS, TRAIN, FRESH) == pytest.approx(0.5, abs=0.06)
    found = closeness(COLUMNS, TRAIN, TEST, FRESH)
    assert found.nearer_to_training == pytest.approx(0.5, abs=6 * 0.5 / np.sqrt(1500))
    assert found.distance == pytest.approx(found.held_out_distance, rel=0.3)
    assert found.copies == 0


def test_what_is_lost_between_columns_is_seen():
    assert min(marginals(COLUMNS, TEST, LOOSE).values()) > 0.9
    assert pairs(COLUMNS, TEST, LOOSE)[0, 1] < pairs(COLUMNS, TEST, FRESH)[0, 1] - 0.2
    assert detection(COLUMNS, TRAIN, LOOSE) > 0.75
    useful, lost = (usefulness(COLUMNS, some, TEST, "y") for some in (FRESH, LOOSE))
    assert useful > 0.7
    assert lost < 0.1


def test_the_total_variation_is_by_hand():
    real = {"word": np.array(["a", "a", "b", "c"])}
    other = {"word": np.array(["a", "b", "b", "d"])}
    # Shares 2/4, 1/4, 1/4, 0 and 1/4, 2/4, 0, 1/4.
    assert marginals(Columns.of(real), real, other) == {"word": pytest.approx(0.5)}


def test_copies_are_found():
    found = closeness(COLUMNS, TRAIN, TEST, TRAIN)
    assert found.copies == 1
    assert found.nearer_to_training > 0.6


@pytest.mark.slow
def test_a_category_is_predicted_with_its_auc():
    useful, lost = (usefulness(COLUMNS, some, TEST, "word") for some in (FRESH, independent(TRAIN, 1500)))
    assert useful > 0.9
    assert lost == pytest.approx(0.5, abs=0.15)
    one = {**TEST, "word": np.full(500, "low")}
    with pytest.raises(InputError, match="target: the test rows have one word alone"):
        usefulness(COLUMNS, FRESH, one, "word")


def test_missing_cells_are_a_kind_of_their_own():
    holed = {**TRAIN, "x": np.where(np.arange(1500) % 3 == 0, np.nan, TRAIN["x"])}
    columns = Columns.of(holed)
    assert pairs(columns, holed, TRAIN)[0, 1] < 0.8
    assert np.isfinite(usefulness(columns, holed, TEST, "x"))
    assert np.isfinite(columns.points(holed)).all()


def test_a_copula_keeps_marginals_and_correlations():
    made = gaussian_copula(TRAIN, 4000, seed=1)
    assert {*made["word"]} == {"low", "middle", "high"}
    assert min(marginals(COLUMNS, TRAIN, made).values()) > 0.96
    real, drawn = (np.corrcoef(np.log(some["x"]), some["y"])[0, 1] for some in (TRAIN, made))
    assert drawn == pytest.approx(real, abs=6 / np.sqrt(4000) + 0.01)
    alone = independent(TRAIN, 4000, seed=1)
    assert abs(np.corrcoef(alone["x"], alone["y"])[0, 1]) < 6 / np.sqrt(4000)
    assert (gaussian_copula(TRAIN, 9, seed=1)["y"] == gaussian_copula(TRAIN, 9, seed=1)["y"]).all()

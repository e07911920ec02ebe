"""Scaling: what is fitted, undone and counted agrees with scikit-learn's scalers and with SciPy's densities."""

import json

import numpy as np
import pytest
import scipy.stats
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from jaxvae.data import Dataset, Split
from jaxvae.data.rows import LazyRows
from jaxvae.data.scaling import Scaling, fit_scaling, mean_log_jacobian, scaled
from jaxvae.data.spaces import Counts, Real, Table, Tokens
from jaxvae.errors import InputError

RNG = np.random.default_rng(0)
COLUMNS = (RNG.normal(size=(60, 4)) * [1e-3, 1.0, 50.0, 1e4] + [5.0, 0.0, -200.0, 1e5]).astype(np.float32)
TABLE = Dataset("table", Split(COLUMNS[:40]), Split(COLUMNS[40:])).of_space(Real((4,)))


def test_standard_is_scikit_learns_of_the_training_split():
    wanted = StandardScaler().fit(COLUMNS[:40].astype(np.float64)).transform(COLUMNS[40:].astype(np.float64))
    found = scaled(TABLE, fit_scaling("standard", TABLE))
    np.testing.assert_allclose(found.test.x, wanted, atol=1e-4)
    assert found.test.x.dtype == np.float32
    assert found.pixels == "real"


def test_unit_is_scikit_learns_of_the_whole_set():
    wanted = MinMaxScaler().fit(COLUMNS.astype(np.float64)).transform(COLUMNS[:40].astype(np.float64))
    found = scaled(TABLE, fit_scaling("unit", TABLE))
    np.testing.assert_allclose(found.train.x, wanted, atol=1e-4)
    assert found.pixels == "grey"


@pytest.mark.parametrize("kind", ["unit", "standard"])
def test_it_is_undone_and_survives_json(kind):
    scaling = fit_scaling(kind, TABLE)
    again = Scaling.from_json(json.loads(json.dumps(scaling.to_json())))
    np.testing.assert_allclose(again.undo(scaling.apply(COLUMNS)), COLUMNS, rtol=1e-5, atol=1e-3)


def test_the_log_jacobian_is_the_difference_of_two_densities():
    scaling = fit_scaling("standard", TABLE)
    x = COLUMNS[:5].astype(np.float64)
    own_units = scipy.stats.norm(scaling.shift, scaling.factor).logpdf(x).sum(axis=1)
    in_scaled_units = scipy.stats.norm(0, 1).logpdf((x - scaling.shift) / scaling.factor).sum(axis=1)
    np.testing.assert_allclose(own_units, in_scaled_units + scaling.log_jacobian((4,)), rtol=1e-9)


def test_channels_of_images_share_a_scale_and_the_jacobian_counts_every_pixel():
    image = RNG.normal(size=(20, 3, 5, 2)).astype(np.float32) * [1.0, 10.0]
    data = Dataset("images", Split(image), Split(image))
    scaling = fit_scaling("standard", data)
    np.testing.assert_allclose(scaling.factor, image.std(axis=(0, 1, 2)), rtol=1e-5)
    assert scaling.log_jacobian((3, 5, 2)) == pytest.approx(-15 * np.log(scaling.factor).sum())


def test_a_constant_column_keeps_its_scale():
    constant = Dataset("c", Split(np.full((9, 1), 1e5, np.float32)), Split(np.full((3, 1), 1e5, np.float32)))
    assert fit_scaling("standard", constant).factor == [1.0]
    assert scaled(constant, fit_scaling("unit", constant)).train.x.max() == 0.0


def test_rows_that_are_read_as_needed_stay_so_and_bytes_count_as_shades():
    stored = RNG.integers(0, 256, (30, 4, 4, 1)).astype(np.uint8)
    data = Dataset("lazy", Split(LazyRows(lambda ids: stored[ids], stored.shape)), Split(stored))
    found = scaled(data, fit_scaling("standard", data))
    assert isinstance(found.train.x, LazyRows)
    shades = stored / 255.0
    np.testing.assert_allclose(found.train.x[:], (shades - shades.mean()) / shades.std(), atol=1e-5)


def test_a_table_is_scaled_where_its_numbers_are_observed():
    observed = RNG.uniform(size=(60, 4)) < 0.7
    values = np.where(observed, COLUMNS, 0).astype(np.float32)
    values[:, 1] = np.where(observed[:, 1], np.arange(60) % 3, 0)
    rows = [Split({"x": values[part], "observed": observed[part]}) for part in (slice(40), slice(40, 60))]
    data = Dataset("table", *rows).of_space(Table((0, 3, 0, 0)))
    scaling = fit_scaling("standard", data)
    found = scaled(data, scaling)
    holes = np.where(observed, values, np.nan).astype(np.float64)
    wanted = StandardScaler().fit(holes[:40]).transform(holes[40:])
    for column in (0, 2, 3):
        there = observed[40:, column]
        np.testing.assert_allclose(found.test.x["x"][there, column], wanted[there, column], atol=1e-4)
        assert (found.test.x["x"][~there, column] == 0).all()
    np.testing.assert_array_equal(found.test.x["x"][:, 1], values[40:, 1])
    np.testing.assert_allclose(scaling.undo_examples(found.test.x)["x"], values[40:], rtol=1e-5, atol=1e-3)
    deviations = np.nanstd(holes[:40], axis=0)[[0, 2, 3]]
    expected = -(np.log(deviations) * observed[40:][:, [0, 2, 3]]).sum(axis=1).mean()
    assert mean_log_jacobian(scaling, found.test) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("space", [Counts((4,)), Tokens(9, 4), Table((0, 0, 0, 0))])
def test_values_that_cannot_be_scaled_so_are_refused(space):
    data = Dataset("mine", Split(np.zeros((9, 4), np.int32)), Split(np.zeros((9, 4), np.int32))).of_space(space)
    with pytest.raises(InputError, match=r"^scale: mine "):
        fit_scaling("unit", data)

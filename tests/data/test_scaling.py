"""Scaling: what is fitted, undone and counted agrees with scikit-learn's scalers and with SciPy's densities."""

import json

import numpy as np
import pytest
import scipy.stats
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from jaxvae.data import Dataset, Split
from jaxvae.data.rows import LazyRows
from jaxvae.data.scaling import Scaling, fit_scaling, scaled
from jaxvae.data.spaces import Real

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

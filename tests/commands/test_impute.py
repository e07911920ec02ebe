"""A table from its file to sampled rows, rows given some columns, and filled cells."""

import csv

import numpy as np
import pandas
import pytest

import jaxvae
from jaxvae.commands import impute, sample
from jaxvae.errors import InputError
from jaxvae.options.command_line import parse
from jaxvae.runs.imputing import complete, given_rows
from jaxvae.runs.rows import sample_rows

NOISE = np.random.default_rng(0)
N = 300
CITY = NOISE.choice(["Bern", "Basel", "Chur"], N, p=[0.6, 0.3, 0.1])
ROOMS = NOISE.integers(1, 8, N) * 3 + 20
PRICE = np.round(ROOMS * 10.0 + 100 * (CITY == "Bern") + NOISE.normal(size=N), 1)
TABLE = pandas.DataFrame({"city": CITY, "rooms": ROOMS, "price": PRICE, "label": NOISE.choice(["a", "b"], N)})
HOLES = TABLE.copy()
HOLES.loc[::5, "price"] = np.nan
HOLES.loc[1::7, "city"] = None


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    HOLES.to_csv(folder / "flats.csv", index=False)
    options = {"steps": 600, "hidden": (32,), "latent_dim": 2, "learning_rate": 0.01, "batch_size": 60}
    recipe = jaxvae.preset("vae", devices=1, quiet=True, tensorboard=False, figures=False, **options)
    return jaxvae.train(recipe, str(folder / "flats.csv"), run_dir=folder / "run")


def call(command, options, run, *words):
    return command.main(parse(options, ["--run-dir", str(run.folder), *map(str, words)]))


def test_sampled_rows_have_the_columns_types_and_range_of_the_table(run, tmp_path):
    call(sample, sample.SampleConfig, run, "--num", 400, "--out", tmp_path / "rows.csv")
    rows = pandas.read_csv(tmp_path / "rows.csv")
    assert [*rows.columns] == ["city", "rooms", "price"]
    assert len(rows) == 400
    assert rows.rooms.dtype == np.int64
    assert rows.rooms.between(ROOMS.min(), ROOMS.max()).all()
    assert rows.price.between(PRICE.min(), PRICE.max()).all()
    assert (rows.price.round(1) == rows.price).all()
    shares = rows.city.value_counts(normalize=True)
    # Drawn and not the likeliest, which would never be Chur.
    assert abs(shares["Chur"] - np.mean(CITY == "Chur")) < 0.1
    assert np.corrcoef(rows.rooms, rows.price)[0, 1] > 0.5
    np.testing.assert_array_equal(sample_rows(run, 400)["price"], rows.price)


def test_rows_given_some_columns(run, tmp_path):
    call(
        sample, sample.SampleConfig, run, "--given", "city=Chur,rooms=38", "--num", 50, "--out", tmp_path / "r.parquet"
    )
    rows = pandas.read_parquet(tmp_path / "r.parquet")
    assert {*rows.city} == {"Chur"}
    assert {*rows.rooms} == {38}
    assert rows.price.nunique() > 10
    dear = given_rows(run, "city=Bern,rooms=38", 50)
    assert np.median(dear["price"]) > rows.price.median() + 30


def test_filled_cells_are_near_and_the_others_stay(run, tmp_path):
    out = tmp_path / "filled.csv"
    call(impute, impute.ImputeConfig, run, "--out", out, "--tables", 2, "--uncertainty", "--num-samples", 200)
    filled, drawn = pandas.read_csv(out), pandas.read_csv(tmp_path / "filled_2.csv")
    assert [*filled.columns][:4] == [*HOLES.columns]
    assert (filled.label == HOLES.label).all()
    known = HOLES.price.notna()
    np.testing.assert_allclose(filled.price[known], HOLES.price[known], atol=0.05)
    error = np.sqrt(np.mean((filled.price - PRICE)[~known] ** 2))
    assert error < 0.6 * HOLES.price.std()
    assert not filled.city.isna().any()
    assert (drawn.price[~known] != filled.price[~known]).mean() > 0.8
    assert (filled.price_deviation[known] == 0).all()
    assert (filled.price_deviation[~known] > 0).all()
    assert (filled.city_chance[HOLES.city.notna()] == 0).all()


def test_rows_that_nobody_saw_are_filled_in_python(run):
    new = pandas.DataFrame({"city": [None, "Bern"], "rooms": [38.0, 41.0], "price": [383.0, None]})
    found = complete(run, new, num_samples=500)
    assert found.missing == 2
    assert found.effective_samples.shape == (2,)
    assert 300 < found.single["price"][1] < 650
    whole = complete(run, new.iloc[:0:-1].fillna(400.0))
    assert (whole.missing, [*whole.uncertainty]) == (0, [])


def test_a_missing_value_may_lie_outside_the_range_of_the_others(run):
    large = pandas.DataFrame({"city": ["Bern"], "rooms": [np.nan], "price": [2 * PRICE.max()]})
    found = complete(run, large, num_samples=100)
    assert found.single["price"][0] == pytest.approx(2 * PRICE.max(), rel=1e-3)  # was observed, and is not clipped


REFUSED = {
    "--given city=Bern": "given: must be given with --out FILE.csv",
    "--overwrite": "overwrite: must be given with --out FILE.csv",
    "--out rows.csv --dataset digits": "dataset: must be left out with --out FILE.csv",
    "--out rows.csv --vary 3": "vary: draws a figure, and --out rows.csv is for rows",
    "--out rows.csv --given town=Bern": "given: the run has no column 'town'",
    "--out rows.csv --given city": "given: 'city' gives nothing; write NAME=VALUE",
    "--out rows.csv --given price=many": "given: column 'price' holds numbers, got 'many'",
    "--out rows.csv --given city=Rome": "holds 'Rome', the run knows Basel, Bern, Chur",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_sampled_is_refused(run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=REFUSED[words]):
        call(sample, sample.SampleConfig, run, *words.split())


def test_runs_of_other_data_are_refused(tmp_path):
    recipe = jaxvae.preset("vae", devices=1, quiet=True, tensorboard=False, figures=False, steps=2, hidden=(4,))
    run = jaxvae.train(recipe, NOISE.normal(size=(60, 3)), run_dir=tmp_path / "run")
    with pytest.raises(InputError, match="its examples are real, not rows of"):
        sample_rows(run, 3)
    with (tmp_path / "t.csv").open("w") as stream:
        csv.writer(stream).writerows([["a", "b"], *NOISE.normal(size=(60, 2)).tolist()])
    whole = jaxvae.train(recipe, str(tmp_path / "t.csv"), run_dir=tmp_path / "whole")
    assert sample_rows(whole, 3)["a"].shape == (3,)
    with pytest.raises(InputError, match="its rows have no missing values and its networks read none"):
        call(impute, impute.ImputeConfig, whole, "--out", tmp_path / "filled.csv")

"""The anomaly command: scores of images, tables, vectors and text, their table and figures."""

import csv
import json

import numpy as np
import pytest

import jaxvae
from jaxvae.commands.anomaly import AnomalyConfig, main
from jaxvae.errors import InputError
from jaxvae.judges.complexity import compressed_bits
from jaxvae.judges.outliers import detection
from jaxvae.options.command_line import parse

TINY = {"steps": 30, "hidden": (16,), "latent_dim": 2, "quiet": True, "tensorboard": False, "figures": False}
DRAW = np.random.default_rng(0)
FAR = np.arange(200) % 10 == 0


def trained(place, folder, preset="vae", **options):
    return jaxvae.train(jaxvae.preset(preset, devices=1, **{**TINY, **options}), place, run_dir=folder / "run")


def scored(run, *words):
    config = parse(AnomalyConfig, ["--run-dir", str(run.folder), "--num-samples", "3", *map(str, words)])
    assert main(config) == 0
    return json.loads((config.folder / "anomalies.json").read_text()), dict(np.load(config.folder / "scores.npz"))


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return trained("digits", tmp_path_factory.mktemp("digits"), only=("3",), likelihood="normal_shared")


def test_images_of_one_class(digits, capsys):
    found, columns = scored(digits, "--regret-steps", 2)
    test = jaxvae.data.load("digits").test
    np.testing.assert_array_equal(columns["anomalous"], test.label != 3)
    names = ["negative_elbo", "negative_log_px", "reconstruction", "regret", "complexity_corrected"]
    names += ["pca", "isolation_forest", "one_class_svm", "nearest_neighbours"]
    assert [*found["rows"]] == names
    for name in names:
        assert found["rows"][name] == detection(columns[name], test.label != 3)
    assert columns["by_value"].shape == (300, 8, 8, 1)
    np.testing.assert_allclose(columns["by_value"].sum((1, 2, 3)), columns["reconstruction"], rtol=1e-4)
    with (digits.folder / "anomalies" / "ranked.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["index"] for row in rows[:5]] == list(map(str, np.argsort(-columns["negative_elbo"])[:5]))
    assert {path.name for path in (digits.folder / "anomalies").glob("*.png")} == {"examples.png", "histogram.png"}
    flagged = columns["negative_elbo"] > found["threshold"]
    assert found["flagged"] == flagged.sum()
    assert f"{flagged.sum():,} of 300 examples" in capsys.readouterr().out


def test_another_set_is_anomalous_and_what_compresses_badly_less_so(digits, tmp_path):
    rng = np.random.default_rng(1)
    noise = rng.random((40, 8, 8, 1)).astype(np.float32)
    np.savez(tmp_path / "noise.npz", image=noise, split=np.repeat([0, 2], 20))
    _, columns = scored(digits, "--others", tmp_path / "noise.npz", "--first", 12, "--out", tmp_path)
    np.testing.assert_array_equal(columns["anomalous"], np.repeat([False, True], 12))
    levels = np.round(255 * np.concatenate([jaxvae.data.load("digits").test.first(12), noise[20:32]])).astype(np.uint8)
    wanted = (columns["negative_elbo"] / np.log(2) - compressed_bits(levels)) / 64
    np.testing.assert_allclose(columns["complexity_corrected"], wanted, rtol=1e-4)


def test_no_score_depends_on_what_else_is_scored(digits, tmp_path):
    _, whole = scored(digits)
    np.savez(tmp_path / "few.npz", image=jaxvae.data.load("digits").test.x[:4], label=[3, 1, 2, 3])
    found, few = scored(digits, "--dataset", tmp_path / "few.npz", "--out", tmp_path, "--score", "reconstruction")
    assert found["score"] == "reconstruction"
    order = np.argsort(few["row"])
    np.testing.assert_array_equal(few["label"][order], [3, 1, 2, 3])
    np.testing.assert_allclose(few["pca"][order], whole["pca"][:4], rtol=1e-4)
    # The noise is keyed by the number among those that are scored.
    np.testing.assert_allclose(few["reconstruction"][order], whole["reconstruction"][:4], rtol=0.3, atol=8)


@pytest.mark.slow
def test_tables_are_read_by_their_columns(tmp_path, monkeypatch):
    town, age = np.where(FAR, "sea", "hill"), DRAW.normal(40, 5, 200)
    lines = [f"{a:.2f},{t},{2 * a:.2f}" for a, t in zip(age, town)]
    (tmp_path / "mine.csv").write_text("age,town,double\n" + "\n".join(lines) + "\n")
    run = trained(str(tmp_path / "mine.csv"), tmp_path)
    (tmp_path / "new.csv").write_text("double,town,age,class\n80,hill,40,normal\n,hill,40,odd\n900,hill,40,odd\n")
    _, columns = scored(run, "--dataset", tmp_path / "new.csv", "--normal", "normal")
    order = np.argsort(columns["row"])
    np.testing.assert_array_equal(columns["anomalous"][order], [False, True, True])
    assert columns["reconstruction"].argmax() == order[2]
    assert columns["by_value"][order[1]][2] == 0, "a missing value is not scored"
    with (run.folder / "anomalies" / "ranked.csv").open() as stream:
        assert next(csv.DictReader(stream))["value"] == "double"
    assert not (run.folder / "anomalies" / "examples.png").exists()


@pytest.mark.slow
def test_an_attribute_tells_the_anomalies(tmp_path):
    x = DRAW.normal(size=(200, 20)).cumsum(1) + 10 * FAR[:, None]
    np.savez(tmp_path / "mine.npz", x=x, anomaly=FAR)
    run = trained(str(tmp_path / "mine.npz"), tmp_path, likelihood="normal_pixel")
    found, columns = scored(run)
    np.testing.assert_array_equal(columns["anomalous"], columns["anomaly"])
    assert found["rows"]["nearest_neighbours"]["auroc"] > 0.9
    assert (run.folder / "anomalies" / "examples.png").exists()


@pytest.mark.slow
def test_a_series_with_gaps_is_scored_at_each_of_its_points(tmp_path):
    value, bad = 20 * np.sin(np.arange(300) / 5) + 2 * DRAW.normal(size=300) + 90, np.arange(300) == 260
    cells = ["" if i % 20 == 7 else str(a) for i, a in enumerate(value[:200])]
    (tmp_path / "train.csv").write_text("time,value\n" + "\n".join(f"{i},{a}" for i, a in enumerate(cells)) + "\n")
    rows = [f"{a + 80 * b},{int(b)}" for a, b in zip(value, bad)]
    (tmp_path / "new.csv").write_text("value,is_anomaly\n" + "\n".join(rows) + "\n")
    model = {"channels": (8,), "objective": "m_elbo", "window_length": 16}
    run = trained(str(tmp_path / "train.csv"), tmp_path, "signal_vae", **model, steps=200)
    found, columns = scored(run, "--dataset", tmp_path / "new.csv")
    assert found["score"] == "last_point"
    np.testing.assert_array_equal(columns["time"], np.arange(15, 300))
    assert columns["time"][columns["last_point"].argmax()] == 260
    np.testing.assert_allclose(columns["by_value"][:, -1, 0], columns["last_point"], rtol=1e-5)
    assert found["rows"]["last_point"]["auroc"] == 1
    assert (run.folder / "anomalies" / "series.png").exists()
    found, columns = scored(run)
    assert columns["time"].min() >= 180 + 15, "the last tenth of the training's series"


@pytest.mark.slow
def test_sentences_have_a_bound_and_no_baselines(tmp_path):
    (tmp_path / "poems.txt").write_text("a rose is a rose\nthe sea is blue\n" * 30)
    run = trained(str(tmp_path / "poems.txt"), tmp_path, "token_vae", steps=2)
    found, columns = scored(run)
    assert found["rows"] == {}
    assert {"negative_elbo", "negative_log_px"} <= columns.keys()
    assert "pca" not in columns


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--normal", "12"), "normal: there is no class '12'"),
        (("--score", "regret"), "score: regret is left out; give --regret-steps"),
        (("--score", "last_point"), "score: this run has no last_point; choose one of negative_elbo"),
        (("--others", "mnist", "--normal", "3"), "others: are all anomalies, beside the run's test split"),
        (("--split", "train"), "split: is for --dataset"),
        (("--quantile", "1"), "quantile: must be a share, between 0 and 1, got 1.0"),
        (("--normal", *map(str, range(10))), "normal: of the 300 examples there is no anomaly"),
    ],
)
def test_what_cannot_be_scored_is_refused(digits, words, message):
    with pytest.raises(InputError, match=message):
        scored(digits, *words)

"""evaluate.py on models of every kind, table.py from a config to its line, and what the configs promise."""

import dataclasses
import json
import re
import statistics
import tomllib
from pathlib import Path

import jax.numpy as jnp
import pytest

from jaxvae.data import load
from jaxvae.distributions import MultivariateNormal
from jaxvae.errors import InputError
from jaxvae.options.stored import from_json, to_json
from jaxvae.runs import load_run, scores

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "experiments" / "configs").glob("*.toml"))


def evaluation(run_dir):
    return json.loads((run_dir / "evaluation.json").read_text())


@pytest.mark.slow
def test_two_stochastic_layers_are_trained_and_scored_but_are_no_points(scripts, small, tmp_path, capsys):
    config = small(steps=20, latent_dim=4, upper_latent_dims=(2,), upper_hidden=(8,))
    scripts["train"].main(config)
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=config.run_dir, num_samples=30, num_images=50))
    values, told = evaluation(config.run_dir), capsys.readouterr().out
    assert values["elbo"] < values["log_px"] + 3 * values["log_px_standard_error"]
    assert (values["num_examples"], values["num_samples"]) == (50, 30)
    layers = [values[f"active_units_of_layer_{number}"] for number in (1, 2)]
    assert values["active_units"] == sum(layers)
    assert all(0 <= units <= size for units, size in zip(layers, (4, 2)))
    assert "images binarized afresh at each use" in told
    sample = scripts["sample"]
    with pytest.raises(InputError, match=r"run-dir: its codes are tuples of \[4, 2\] numbers"):
        sample.main(sample.SampleConfig(run_dir=config.run_dir, out=tmp_path / "out"))


@pytest.mark.slow
def test_annealing_and_the_parts_of_the_kl(scripts, small):
    config = small(steps=100, latent_dim=2)
    scripts["train"].main(config)
    evaluate = scripts["evaluate"]
    options = {"num_samples": 200, "ais": True, "ais_images": 10, "ais_temperatures": 30, "ais_chains": 4}
    evaluate.main(evaluate.EvaluateConfig(run_dir=config.run_dir, num_images=200, **options))
    values = evaluation(config.run_dir)
    parts = [values[name] for name in ("mutual_information", "total_correlation", "dimension_wise_kl")]
    assert sum(parts) == pytest.approx(values["kl"], abs=0.3)  # one draw of each posterior
    gap = values["simulated_log_px_upper"] - values["simulated_log_px_lower"]
    assert -0.1 < gap < 1
    assert values["ais_log_px"] == pytest.approx(values["ais_images_log_px"], abs=0.5)


def test_a_code_that_is_a_point_has_one_number(scripts, small):
    config = small(steps=5, preset="autoencoder")
    scripts["train"].main(config)
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=config.run_dir))
    assert "log_px" not in evaluation(config.run_dir)
    assert evaluation(config.run_dir)["log_likelihood"] < 0


CONFIG = """
paper = "A paper"
table = "table 1"
published = { log_px = -20.0, active_units = "3" }
must_reach = -21.0
num_samples = 20
seeds = [0, 1]

[train]
dataset = "digits"
hidden = [8]
latent_dim = 2
epochs = 1
"""


@pytest.mark.slow
def test_a_config_becomes_one_line_however_often_it_is_run(scripts, tmp_path, monkeypatch):
    table = scripts["table"]
    (tmp_path / "tiny.toml").write_text(CONFIG)
    monkeypatch.setattr(table, "CONFIGS", tmp_path)
    page = tmp_path / "results.md"
    page.write_text("# Results\n\n| config | paper |\n|---|---|\n| [other](x) | stays |\n\nThe end.\n")
    options = {"name": "tiny", "runs": tmp_path / "runs", "results": page, "num_images": 40}
    assert table.main(table.TableConfig(**options)) == 0
    first = page.read_text()
    assert table.main(table.TableConfig(**options)) == 0
    assert page.read_text() == first
    lines = first.splitlines()
    assert lines[4] == "| [other](x) | stays |"
    assert lines[5].startswith(
        "| [tiny](../experiments/configs/tiny.toml) | A paper, table 1 | digits, training images bin"
    )
    assert re.search(r"\| -20\.00 \(3\) \| -\d+\.\d\d ± 0\.\d\d \(\d, \d\) \|", lines[5])
    assert "| 0, 1 | L20 on 40 images |" in lines[5]
    values = [json.loads((tmp_path / f"runs/tiny-{seed}/evaluation.json").read_text())["log_px"] for seed in (0, 1)]
    assert f"| {statistics.mean(values):.2f} ± {statistics.stdev(values):.2f} (" in lines[5]
    assert lines[-1] == "The end."
    assert table.main(table.TableConfig(**options, epochs=0.5)) == 0
    assert "| only 0.5 of 1 epochs, " in page.read_text()


@pytest.mark.slow
def test_a_config_that_starts_from_another_trains_that_first(scripts, tmp_path, monkeypatch):
    table = scripts["table"]
    (tmp_path / "tiny.toml").write_text(CONFIG)
    (tmp_path / "tiny_iwae.toml").write_text(
        CONFIG.replace("[0, 1]", '[1]\nstart = "tiny"').replace("[train]", '[train]\npreset = "iwae"')
    )
    monkeypatch.setattr(table, "CONFIGS", tmp_path)
    page = tmp_path / "results.md"
    page.write_text("| config | paper |\n|---|---|\n")
    runs = tmp_path / "runs"
    assert table.main(table.TableConfig(name="tiny_iwae", runs=runs, results=page, num_images=40)) == 0
    assert {path.name for path in runs.iterdir()} == {"tiny-1", "tiny_iwae-1"}
    assert load_run(runs / "tiny_iwae-1").recipe.train.init_from == runs / "tiny-1"
    assert "| 1 + 1 epochs, " in page.read_text()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_says_where_its_number_is_from_and_its_options_hold(scripts, path):
    row, head = tomllib.loads(path.read_text()), path.read_text().split("\npaper =")[0]
    for word in (row["paper"], row["table"], f"experiments/table.py {path.stem}", "Protocol:", "Estimator:"):
        assert word in head
    assert f"Published: {row['published']['log_px']} nats" in head
    assert row["must_reach"] < row["published"]["log_px"]
    table = scripts["table"]
    config = table.TableConfig(name=path.stem, data_dir=Path("data"))
    config.check()
    for seed in row["seeds"]:
        run = table.one_seed(config, row, seed)
        assert (run.train.seed, run.data.data_dir) == (seed, Path("data"))
        assert from_json(json.loads(json.dumps(to_json(run)))) == run


@pytest.mark.slow
def test_the_kl_is_wholly_taken_apart_only_where_prior_and_posterior_are_diagonal_normals(scripts, small):
    config = small(steps=2, latent_dim=2)
    scripts["train"].main(config)
    run, test = load_run(config.run_dir), load("digits").test
    assert "total_correlation" in {line.name for line in scores.score(run, test, num_samples=2, num_images=20)}
    prior = MultivariateNormal(jnp.zeros(2), jnp.eye(2))
    other = dataclasses.replace(run, model=dataclasses.replace(run.model, prior=lambda params, condition=None: prior))
    names = [line.name for line in scores.score(other, test, num_samples=2, num_images=20)]
    assert names[-3:] == ["active_units", "mutual_information", "total_correlation"]  # which no prior concerns


def test_of_one_image_there_is_no_standard_error(scripts, copied):
    evaluate = scripts["evaluate"]
    evaluate.main(evaluate.EvaluateConfig(run_dir=copied.run_dir, num_samples=2, num_images=1))
    assert not [name for name in evaluation(copied.run_dir) if "standard_error" in name]

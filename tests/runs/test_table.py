"""The table of runs: what differs, in the order and with the conditions that are asked for; two runs side by side."""

import json
import os
import time

import numpy as np
import pytest

import jaxvae
from jaxvae.commands import runs
from jaxvae.commands.runs import RunsConfig, main
from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.options.stored import to_json
from jaxvae.report import history
from jaxvae.runs import table

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
TINY = {"steps": 4, "hidden": (4,), "log_every": 2, "checkpoint_every": 2, "batch_size": 20, "select": "last"}
QUIET = {"quiet": True, "tensorboard": False, "figures": False, "devices": 1, "train_examples": 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three runs, one of them of two seeds, and one that has not ended."""
    folder = tmp_path_factory.mktemp("runs")
    for name, options in {
        "plain": {"latent_dim": 2},
        "vamp": {"latent_dim": 3, "prior": "vamp", "prior.num_inputs": 5},
        "deep/two_seeds": {"latent_dim": 2, "seeds": 2},
    }.items():
        jaxvae.train(jaxvae.preset("vae", **TINY, **QUIET, **options), X, run_dir=folder / name)
    (folder / "begun").mkdir()
    recipe = given(latent_dim=2, **{**TINY, **QUIET, "steps": 100})
    (folder / "begun" / "config.json").write_text(json.dumps(to_json(recipe)))
    (folder / "begun" / "metrics.jsonl").write_text('{"step": 40, "split": "train", "loss": 3.0}\n')
    hour_ago = time.time() - 3600
    for file in ("config.json", "metrics.jsonl"):
        os.utime(folder / "begun" / file, (hour_ago, hour_ago))
    return folder


def listed(capsys, folder, **options):
    """The table as rows of words."""
    assert main(RunsConfig(folder=folder, **options)) == 0
    return [line.split("  ") for line in capsys.readouterr().out.splitlines()]


def names(rows):
    return [row[0] for row in rows[1:]]


def test_a_row_for_each_run_with_the_options_that_differ(folder, capsys):
    rows = listed(capsys, folder)
    head = [word.strip() for word in rows[0] if word]
    assert {"run", "latent_dim", "prior", "seeds", "test_elbo", "test_kl", "step", "age"} <= {*head}
    assert not {"hidden", "prior.num_inputs", "steps", "run_dir"} & {*head}
    assert sorted(names(rows)) == ["begun", "deep/two_seeds", "plain", "vamp"], "single seeds belong to their run"
    assert names(rows)[-1] == "begun", "the newest first"
    assert "40 of 100" in rows[-1][-2] + rows[-1][-3]
    (both,) = (row for row in rows if row[0] == "deep/two_seeds")
    assert "±" in " ".join(both)


def test_numbers_are_those_of_the_summary(folder):
    (entry,) = (entry for entry in table.read_runs(folder) if entry.folder.name == "plain")
    summary = json.loads((folder / "plain" / "summary.json").read_text())
    assert table.cell(entry, "test_elbo") == f"{summary['test_elbo']:.2f}"
    assert (entry.step, entry.finished, entry.value("latent_dim")) == (4, True, 2)


def test_order_and_conditions(folder, capsys):
    elbo = {entry.folder.name: entry.value("test_elbo") for entry in table.read_runs(folder)}
    rising = sorted((name for name in elbo if elbo[name] is not None), key=elbo.get)
    found = [name.split("/")[-1] for name in names(listed(capsys, folder, sort="test-elbo"))]
    assert found == [*rising, "begun"], "one without the number comes last"
    turned = names(listed(capsys, folder, sort="test_elbo", reverse=True))
    assert [name.split("/")[-1] for name in turned] == [*rising[::-1], "begun"]
    assert names(listed(capsys, folder, filter=("latent_dim>=3",))) == ["vamp"]
    assert names(listed(capsys, folder, filter=("prior=standard", "seeds=1", "step!=4"))) == ["begun"]
    assert names(listed(capsys, folder, filter=("prior.num_inputs=5",), columns=("hidden",))) == ["vamp"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sort": "test_elb"}, r"sort: no run has 'test_elb' \(did you mean 'test_elbo'\?\); name an option"),
        ({"filter": ("latent_dim",)}, "filter: 'latent_dim' is no condition; write NAME=VALUE"),
        ({"filter": ("prior<vamp",)}, "filter: 'prior<vamp' orders words; use = or !="),
        ({"columns": ("nothing",)}, "columns: no run has 'nothing'"),
    ],
)
def test_mistakes_are_one_line(folder, options, message):
    with pytest.raises(InputError, match=f"^{message}"):
        main(RunsConfig(folder=folder, **options))


def test_what_is_no_run_is_told(folder, tmp_path, capsys, caplog):
    with pytest.raises(InputError, match=r"^folder: .* is no folder"):
        main(RunsConfig(folder=tmp_path / "none"))
    assert main(RunsConfig(folder=tmp_path)) == 0
    assert "no runs under" in capsys.readouterr().out
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "config.json").write_text("{")
    assert table.read_runs(tmp_path) == []
    assert "torn cannot be read and is left out" in caplog.text


def test_two_runs_side_by_side(folder, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(runs, "comparison", lambda lines: drawn.append(history.comparison(lines)) or drawn[0])
    pair = (folder / "plain", folder / "vamp")
    main(RunsConfig(compare=pair, out=tmp_path / "two.png"))
    rows = {words[0]: words[1:] for line in capsys.readouterr().out.splitlines() if (words := line.split())}
    assert rows["latent_dim"] == ["2", "3"]
    assert rows["prior"] == ["standard", "vamp"]
    assert rows["prior.num_inputs"] == ["-", "5"], "an option that one run does not have differs too"
    assert "hidden" not in rows
    assert (tmp_path / "two.png").stat().st_size > 1000
    objective, bound, _ = drawn[0].axes
    assert "ELBO" in bound.get_title()
    for axis, key, split in ((objective, "loss", "train"), (bound, "elbo", "validation")):
        for line, run in zip(axis.lines, pair):
            records = [json.loads(text) for text in (run / "metrics.jsonl").read_text().splitlines()]
            expected = [[record["step"], record[key]] for record in records if record["split"] == split]
            np.testing.assert_allclose(line.get_xydata(), expected)


def test_one_run_is_no_comparison(tmp_path):
    with pytest.raises(InputError, match=r"^compare: one run is given"):
        RunsConfig(compare=(tmp_path,)).check()

"""--reproduce: a finished run trained again from its directory, and what is said where something differs."""

import json

import pytest

from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs.reproduce import relative_difference


def change(path, *keys, value):
    """Set a value deep in a JSON file."""
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("options", [{}, pytest.param({"seeds": 2}, marks=pytest.mark.slow)], ids=["one", "two seeds"])
def test_a_run_that_was_continued_is_reproduced_from_its_first_step(scripts, small, capsys, options):
    run_dir = small().run_dir
    assert scripts["train"].main(small(steps=20, log_every=7, **options)) == 0
    assert scripts["train"].main(small(**options)) == 0
    capsys.readouterr()
    assert scripts["train"].main(given(reproduce=run_dir)) == 0
    here = run_dir.with_name("run-reproduced")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"reproducing {run_dir} in {here}"
    assert lines[1].startswith("  equal      python, packages, ")
    assert lines[1].endswith(" data")
    assert lines[-1] == f"equal: {here} has the numbers of {run_dir}"
    shas = [json.loads((folder / "summary.json").read_text())["params_sha256"] for folder in (run_dir, here)]
    assert shas[0] == shas[1]
    with pytest.raises(InputError, match=r"run-dir: .*run-reproduced holds a finished run; name another"):
        scripts["train"].main(given(reproduce=run_dir))


@pytest.mark.slow
def test_what_differs_is_said_and_by_how_much(scripts, copied, tmp_path, capsys):
    manifest = copied.run_dir / "manifest.json"
    change(manifest, "packages", "jax", value="0.1.2")
    change(manifest, "data", "fingerprint", value="abc")
    change(manifest, "config", "train", "learning_rate", value=2e-3)
    capsys.readouterr()
    assert scripts["train"].main(given(reproduce=copied.run_dir, run_dir=tmp_path / "again")) == 1
    before, after = capsys.readouterr().out.split("test ELBO")
    assert "  different  packages.jax      0.1.2 there, " in before
    assert "  different  data.fingerprint  abc there, " in before
    assert "  different  params_sha256" in after
    verdict = after.splitlines()[-1]
    assert verdict.startswith("different: parameters by ")
    assert verdict.endswith("the first line of metrics that differs is that of step 10 (train)")
    here = json.loads((tmp_path / "again" / "summary.json").read_text())
    assert here["test_elbo"] != json.loads((copied.run_dir / "summary.json").read_text())["test_elbo"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "reproduce: .*run holds no finished run; name a folder with a summary.json"),
        ({"steps": 3}, "reproduce: all options are those of .*run; leave --steps away"),
        ({"batch_size": 3}, "leave --batch-size away"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(scripts, tmp_path, options, message):
    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match=message):
        scripts["train"].main(given(reproduce=tmp_path / "run", **options))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_finished_run_is_not_written_over(scripts, tmp_path):
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(InputError, match=r"run-dir: .* holds a finished run"):
        scripts["train"].main(given(reproduce=tmp_path, run_dir=tmp_path))


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        ({"a": 1.0, "b": [2.0, 4.0]}, {"a": 1.0, "b": [2.0, 5.0]}, 0.2),
        ({"a": 0.0}, {"a": 0.0}, 0.0),
        ({"a": 1.0}, {}, float("inf")),
        ({"a": [1.0]}, {"a": [1.0, 2.0]}, float("inf")),
        ({"split": "train"}, {"split": "test"}, float("inf")),
    ],
)
def test_difference_of_records(there, here, expected):
    assert relative_difference(there, here) == pytest.approx(expected)


def test_null_is_equal_to_null_only():
    assert relative_difference({"error": None}, {"error": None}) == 0
    assert relative_difference({"kl": [None, 1.0]}, {"kl": [None, 2.0]}) == 0.5
    assert relative_difference({"error": None}, {"error": 1.0}) == float("inf")

"""Attribute arithmetic on small digits, and the counting behind its table."""

import json

import numpy as np
import pytest

from jaxvae.errors import InputError


@pytest.fixture(scope="module")
def script(scripts):
    return scripts["attributes"]


def read_rows(folder):
    rows = json.loads((folder / "attributes.json").read_text())["rows"]
    return {(row["attribute"], row["strength"]): row for row in rows}


@pytest.mark.slow
def test_edits_change_what_they_should(scripts, script, small, capsys):
    run = small(steps=250, hidden=(64,), latent_dim=6, learning_rate=5e-3, checkpoint_every=250, log_every=250)
    scripts["train"].main(run)
    chosen = {"attribute": ("0", "slant"), "strengths": (-1.5, 0, 1.5)}
    config = script.AttributesConfig(run_dir=run.run_dir, num_train=600, num=200, rows=4, **chosen)
    assert script.main(config) == 0
    folder = run.run_dir / "attributes"
    assert {path.name for path in folder.iterdir()} == {"attributes.json", "attributes.md", "0.png", "slant.png"}
    assert (folder / "attributes.md").read_text() in capsys.readouterr().out
    rows = read_rows(folder)
    assert rows["slant", 0]["label_kept"] == 1
    for name in ("0", "slant"):
        assert rows[name, 1.5]["seen_where_absent"] > rows[name, 0]["seen_where_absent"] + 0.1
        assert rows[name, -1.5]["seen_where_present"] < rows[name, 0]["seen_where_present"] - 0.1

    assert "label_kept" not in rows["0", 1.5]
    assert "slant_kept" not in rows["slant", 1.5]


def test_shares_are_counted_where_the_attribute_is_absent_and_where_it_is_present(script):
    truth = np.array([False, False, False, True])
    unedited = {"label": np.array([3, 5, 5, 8]), "smile": np.array([False, True, False, True])}
    seen = {"label": np.array([3, 8, 8, 8]), "smile": np.array([True, True, False, False])}
    smile = {"seen_where_absent": 2 / 3, "seen_where_present": 0, "label_kept": 0.5}
    assert script.compare("smile", seen, unedited, {}, truth) == smile
    eight = {"seen_where_absent": 2 / 3, "seen_where_present": 1, "smile_kept": 0.5}
    assert script.compare("cat", seen, unedited, {"cat": 8}, truth) == eight
    assert "seen_where_present" not in script.compare("cat", seen, unedited, {"cat": 8}, np.zeros(4, bool))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num": 1}, "num: must be at least 2, got 1"),
        ({"num_train": 0}, "num-train: must be at least 2"),
        ({"strengths": ()}, "strengths: "),
        ({"strengths": (1.0, float("nan"))}, "give finite numbers"),
    ],
)
def test_bad_options_are_refused(script, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        script.AttributesConfig(run_dir=tmp_path, **options).check()

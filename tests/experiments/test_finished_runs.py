"""A finished training always has its summary, whatever becomes of its figures; and its data may have moved."""

import json
import shutil

import numpy as np
import pytest

from jaxvae.commands.figures import grids
from jaxvae.data import Dataset, load
from jaxvae.errors import InputError
from jaxvae.runs import drawing, load_run
from jaxvae.runs.data import load_data
from jaxvae.runs.seeds import together
from jaxvae.runs.trained import Trained


@pytest.mark.slow
def test_a_figure_that_fails_costs_one_line(scripts, small, monkeypatch, caplog, capsys):
    def fail(*_, **__):
        raise TypeError("Invalid shape (97, 103, 2) for image data")

    config = small(figures=True, steps=4)
    monkeypatch.setattr(drawing, "save_stages", fail)
    assert scripts["train"].main(config) == 0
    path = config.run_dir / "figures" / "reconstructions.png"
    reason = "TypeError: Invalid shape (97, 103, 2) for image data"
    assert [record.getMessage() for record in caplog.records] == [
        f"figure {path.name} cannot be drawn ({reason}); all else is"
    ]
    assert json.loads((config.run_dir / "summary.json").read_text())["steps"] == 4
    assert not path.parent.with_name("figures.part").exists()
    assert {file.name for file in path.parent.iterdir()} == {"samples.png", "loss.png", "kl_history.png"}
    assert scripts["train"].main(config) == 0, "the same command again"
    sample = scripts["sample"]
    monkeypatch.setattr(grids, "save_stages", fail)
    assert sample.main(sample.SampleConfig(run_dir=config.run_dir, num=2, steps=2)) == 1
    assert (config.run_dir / "samples" / "traversal.gif").exists(), "the others are drawn"


def test_figures_that_an_interruption_left_out_are_drawn_by_the_same_command(scripts, small, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    config = small(figures=True, steps=4)
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "save_stages", interrupt)
        with pytest.raises(KeyboardInterrupt):
            scripts["train"].main(config)
    assert (config.run_dir / "summary.json").exists()
    assert not (config.run_dir / "figures").exists()
    assert scripts["train"].main(config) == 0
    assert len([*(config.run_dir / "figures").iterdir()]) == 4


@pytest.fixture
def moved(scripts, small, tmp_path):
    """A run, and the folder to which its data were moved."""
    image = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)
    (tmp_path / "there").mkdir()
    np.savez(tmp_path / "mine.npz", image=image)
    np.savez(tmp_path / "there" / "other.npz", image=image[::-1])
    config = small(dataset=str(tmp_path / "mine.npz"), steps=2, batch_size=8, train_examples=20)
    assert scripts["train"].main(config) == 0
    shutil.move(tmp_path / "mine.npz", tmp_path / "there" / "mine.npz")
    return load_run(config.run_dir), tmp_path / "there"


def test_data_that_moved_are_known_by_their_fingerprint(moved):
    run, there = moved
    with pytest.raises(InputError, match=r"mine.npz' is neither .* if it moved, name its place with --dataset"):
        load_data(run)
    data = load_data(run, dataset=str(there / "mine.npz"))
    assert (data.name, data.train.num_examples) == ("mine", 32)
    with pytest.raises(InputError, match=r"other.npz is another set than .*mine.npz, which the run was trained on"):
        load_data(run, dataset=str(there / "other.npz"))


def test_data_that_changed_where_they_lie_are_named(moved, caplog):
    run, there = moved
    shutil.copy(there / "other.npz", run.recipe.data.dataset)
    load_data(run)
    assert f"{run.recipe.data.dataset} is no longer as it was" in caplog.text


def test_test_images_are_called_by_what_they_show(tmp_path):
    digits = load("digits")
    named, unlabelled = digits._replace(classes=tuple("abcdefghij")), digits.test._replace(label=None)
    first = int(digits.test.label[17])

    def shows(data: Dataset) -> list[str]:
        return Trained(None, data, tmp_path).shows([17])

    assert shows(digits) == [f"test 17: class {first}"]
    assert shows(named) == [f"test 17: {'abcdefghij'[first]}"]
    assert shows(digits._replace(test=unlabelled)) == ["test 17"]


def test_seeds_are_brought_together_where_one_has_no_number():
    both = together([{"error": None, "steps": 3}, {"error": 0.5, "steps": 3}])
    assert np.isnan([both["error"], both["error_std"]]).all()
    assert both["steps"] == 3

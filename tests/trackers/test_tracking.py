"""Trackers of a training: each number once, whatever is repeated; one that fails stops nothing."""

import json

import pytest

import jaxvae.trackers
from jaxvae.errors import InputError
from jaxvae.options import earlier, given
from jaxvae.options.command_line import parse
from jaxvae.options.recipe import Recipe
from jaxvae.options.stored import to_json
from jaxvae.trackers import TRACKERS, About, Row
from jaxvae.trackers.tracking import Tracking, tracked


class Memory:
    """Tracker that keeps what it is given."""

    def __init__(self, about):
        self.about, self.given, self.known_as = about, [], about.known_as or "one"

    def log(self, step, values):
        self.given.append((step, dict(values)))

    def figure(self, name, path):
        self.given.append((name, path.read_bytes()))

    def finish(self, summary):
        self.given.append(dict(summary))


class Failing(Memory):
    def log(self, step, values):
        raise ConnectionError("no network\nat all")


@pytest.fixture
def memories(monkeypatch):
    """Trackers in memory, as they are opened."""
    opened = []
    rows = {"memory": Memory, "failing": Failing, "absent": lambda about: 1 / 0}
    keep = {
        name: Row(lambda about, make=make: opened.append(make(about)) or opened[-1], "json", "trackers")
        for name, make in rows.items()
    }
    monkeypatch.setattr(jaxvae.trackers.tracking, "TRACKERS", keep)
    return opened


def about(folder, first_step=0):
    return About(folder, {}, {}, first_step)


def test_a_run_that_goes_on_is_the_same_one_and_repeats_nothing(tmp_path, memories):
    first = Tracking(["memory"], about(tmp_path))
    first.log("train", 10, {"loss": 2.0, "kl_per_dimension": [1.0]})
    first.log("validation", 10, {"elbo": -2.0})
    first.log("train", 20, {"loss": 1.0})
    second = Tracking(["memory"], about(tmp_path, first_step=10))  # killed before step 20 was saved
    second.log("train", 20, {"loss": 1.0})
    second.log("validation", 20, {"elbo": -1.0})
    assert memories[0].given == [
        (10, {"train/loss": 2.0}),
        (10, {"validation/elbo": -2.0}),
        (20, {"train/loss": 1.0}),
    ]
    assert memories[1].about.known_as == "one"
    assert memories[1].given == [(20, {"validation/elbo": -1.0})]


def test_one_that_fails_warns_once_and_the_others_go_on(tmp_path, memories, caplog):
    tracking = Tracking(["absent", "failing", "memory"], about(tmp_path))
    for step in (1, 2):
        tracking.log("train", step, {"loss": 1.0})
    tracking.finish({"test_elbo": -1.0})
    assert [record.message for record in caplog.records] == [
        "--track absent fails and is left out (ZeroDivisionError: division by zero); the run goes on",
        "--track failing fails and is left out (ConnectionError: no network); the run goes on",
    ]
    assert memories[1].given == [(1, {"train/loss": 1.0}), (2, {"train/loss": 1.0}), {"test_elbo": -1.0}]


def test_figures_and_numbers_come_at_the_end_and_once(tmp_path, memories):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "loss.png").write_bytes(b"png")
    with tracked(["memory"], about(tmp_path)) as tracking:
        tracking.finish({"test_elbo": float("nan")}, tmp_path / "figures")
    assert memories[0].given == [("figures/loss.png", b"png"), {"test_elbo": None}]


def test_one_that_is_interrupted_is_closed_without_numbers(tmp_path, memories):
    with pytest.raises(KeyboardInterrupt), tracked(["memory"], about(tmp_path)):
        raise KeyboardInterrupt
    assert memories[0].given == [{}]


@pytest.mark.parametrize(
    ("line", "track"),
    [
        ("", ("tensorboard",)),
        ("--no-tensorboard", ()),
        ("--track", ()),
        ("--track tensorboard --no-tensorboard", ()),
        ("--no-tensorboard --tensorboard", ("tensorboard",)),
    ],
)
def test_the_option_of_version_0_1_is_one_of_the_trackers(line, track):
    assert parse(Recipe, line.split()).output.track == track


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--track wand", r"track: must be some of tensorboard, wandb, mlflow, got 'wand' \(did you mean 'wandb'\?\)"),
        ("--tensorboard=no", "tensorboard: takes no value, got 'no'; give --tensorboard or --no-tensorboard"),
    ],
)
def test_mistakes_are_one_line(line, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        parse(Recipe, line.split())


def test_a_tracker_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(TRACKERS, "wandb", TRACKERS["wandb"]._replace(module="not_there"))
    with pytest.raises(InputError, match=r"^track wandb: needs not_there, which is .* 'jaxvae\[trackers\]'$"):
        given(track=("wandb",)).check()


def test_configs_and_files_with_the_earlier_option_are_read(tmp_path):
    new = to_json(given(preset="vae"))
    for written, track in ((True, ("tensorboard",)), (False, ())):
        old = {name: value for name, value in new["output"].items() if name != "track"} | {"tensorboard": written}
        assert earlier.read(json.loads(json.dumps({**new, "output": old}))).output.track == track
        (tmp_path / "recipe.toml").write_text(f"tensorboard = {str(written).lower()}\n")
        assert parse(Recipe, ["--config", str(tmp_path / "recipe.toml")]).output.track == track
    assert earlier.read({"tensorboard": False}).output.track == ()

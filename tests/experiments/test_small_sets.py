"""Sets of a few images with gaps in what is known of them: scripts do their work, or name an option that they have."""

import dataclasses
import json
import re

import numpy as np
import pytest

from jaxvae.errors import InputError
from jaxvae.options import Recipe
from jaxvae.options.names import options
from jaxvae.runs.command_line import parse

pytestmark = pytest.mark.slow
TRAIN = "--steps 2 --batch-size 2 --hidden 4 --latent-dim 2 --log-every 1 --checkpoint-every 2 --num-processes 1"
EVALUATE = "--num-samples 2 --ais --ais-temperatures 10 --ais-chains 2"
READERS = [
    ("sample", "", ""),
    ("sample", "--view tsne", "|view: a map needs three test images or more, the set has 1"),
    ("sample", "--view pca", "|view: a map needs three test images or more, the set has 1"),
    ("sample", "--neighbours 0 --num 900", ""),
    ("sample", "--vary 0 --num 2", ""),
    ("sample", "--attribute 1 age", r"attribute: 'age' holds NaN in \d+ of \d+ images; name another"),
    ("evaluate", EVALUATE, ""),
    ("evaluate", f"{EVALUATE} --ais-images 99", r"ais-images: 99 wanted, the split has \d; ask for fewer"),
    ("evaluate", f"{EVALUATE} --num-images 99", r"num-images: 99 wanted, the split has \d; ask for fewer"),
    ("explore", "", ""),
    ("attributes", "", ""),
    ("attributes", "--attribute age", r"attribute: 'age' holds NaN in \d+ of \d+ images; name another"),
    ("attributes", "--attribute 0 --rows 900", ""),
    ("evidence", "--num 900 --num-samples 1 2 --repeats 2", ""),
]
"""Script, options with which it looks into a run, and what it may say to them."""
OF_TWO = [READERS[0], READERS[2], READERS[6]]
"""Those for which it matters whether one image or two are for testing."""
TRAINERS = {"train": "", "latent_space": "--hidden 4", "one_dimensional": "--hidden 4", "rate_distortion": "--betas 1"}


def small_set(path, num):
    """Images of two classes; of every second one the age is not known."""
    draw, numbers = np.random.default_rng(num), np.arange(num)
    age = np.where(numbers % 2, np.linspace(20, 80, num), np.nan)
    image = draw.integers(0, 256, (num, 4, 4), dtype=np.uint8)
    np.savez(path, image=image, label=numbers % 2, age=age, alike=np.ones(num))
    return path


@pytest.fixture
def answer(scripts):
    """Call a script with a line of options: what it refuses them with, or nothing."""

    def call(script, line):
        name = "Recipe" if script == "train" else f"{script.title().replace('_', '')}Config"
        config_type = getattr(scripts[script], name)
        try:
            assert scripts[script].main(parse(config_type, line.split())) == 0
        except InputError as error:
            assert_names_options(str(error), config_type)
            return str(error)
        return ""

    return call


def assert_names_options(line, config_type):
    known = options(Recipe()) if config_type is Recipe else [field.name for field in dataclasses.fields(config_type)]
    names = {name.replace("_", "-") for name in known}
    subject, mentioned = re.match(r"[\w-]+(?=: )", line), re.findall(r"--([a-z-]+)", line)
    assert subject is None or subject.group() in names, line
    assert {name.removeprefix("no-") for name in mentioned} <= names, line


@pytest.fixture(scope="module")
def runs(scripts, tmp_path_factory):
    """Runs on small sets, 1 or 2 of whose images are for testing."""
    found = {}
    for num in (5, 24):
        folder = tmp_path_factory.mktemp("small")
        path = small_set(folder / "mine.npz", num)
        options = f"{TRAIN} --dataset {path} --run-dir {folder / 'run'}"
        assert scripts["train"].main(parse(scripts["train"].Recipe, options.split())) == 0
        found[num] = folder / "run"
    return found


@pytest.mark.parametrize("num", [5, 24])
def test_no_number_of_a_run_is_nan(runs, num):
    run = runs[num]
    for text in ((run / "summary.json").read_text(), *(run / "metrics.jsonl").read_text().splitlines()):
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize(
    ("num", "script", "line", "says"), [(5, *row) for row in READERS] + [(24, *row) for row in OF_TWO]
)
def test_a_reader_works_or_names_an_option_that_it_has(runs, answer, caplog, num, script, line, says):
    assert re.fullmatch(says.replace("has 1", r"has \d"), answer(script, f"--run-dir {runs[num]} {line}"))
    if script in ("explore", "attributes") and not line:
        assert re.search(r"attribute: 'age' (holds NaN|is 65) in .*; it is left out", caplog.text)
        assert "attribute: 'alike' is 1 in all" in caplog.text


@pytest.mark.parametrize(("script", "num"), [*((script, 5) for script in TRAINERS), ("latent_space", 24)])
def test_a_script_that_trains_works_or_names_an_option_that_it_has(answer, tmp_path, monkeypatch, script, num):
    monkeypatch.chdir(tmp_path)
    small_set(tmp_path / "mine.npz", num)
    alone = " --num-processes 1" if script == "train" else ""
    answer(script, f"--dataset mine.npz --steps 2 {TRAINERS[script]}{alone}")

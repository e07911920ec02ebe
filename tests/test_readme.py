"""The README's example runs as it stands and learns; the files it names exist."""

import re
import tomllib
from pathlib import Path

import jax
import pytest

import jaxvae
from jaxvae.data import load
from jaxvae.options import given
from jaxvae.runs.training import train_run

PROJECT = Path(__file__).resolve().parent.parent


README = (PROJECT / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_example_runs_and_learns(capsys):
    example = EXAMPLES[0]
    assert len(example.strip().splitlines()) <= 20
    scope = {}
    exec(example, scope)
    printed = float(re.search(r"-ELBO ([\d.]+) nats", capsys.readouterr().out).group(1))
    assert printed == pytest.approx(float(scope["loss"]), abs=0.1)
    assert printed < 0.6 * 64 * 0.693, "no better than a fair coin for each of 64 pixels"


def test_a_trained_run_is_used_as_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train_run(given(run_dir=Path("runs/NAME"), steps=2, hidden=(4,), num_processes=1, devices=1))
    x = load("digits").test.first(5)
    scope = {"jax": jax, "x": x}
    exec(EXAMPLES[1], scope)
    assert scope["codes"].shape == (5, 20)
    assert scope["samples"].shape == (64, *x.shape[1:])


def test_the_map_is_true():
    for name in re.findall(r"^  (\w+(?:/|\.py)) ", README.split("## Map")[1], re.MULTILINE):
        assert (PROJECT / "jaxvae" / name).exists(), name


def test_commands_name_real_extras():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    for extra in re.findall(r'pip install -e "\.\[(\w+)\]"', README):
        assert extra in project["optional-dependencies"]


def test_the_wheel_has_the_name_that_it_gets():
    assert f'pip install "dist/jaxvae-{jaxvae.__version__}-py3-none-any.whl[experiments]"' in README


def test_tpu_requirements_are_those_of_pyproject():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {name for name in project["dependencies"] if not name.startswith("jax>")}
    wanted |= {*extras["experiments"], *extras["tpu"]}
    lines = (PROJECT / "requirements-tpu.txt").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} == wanted

"""The extra's packages are those of pyproject.toml, so that each missing one is named."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

import jaxvae
from jaxvae.errors import InputError
from jaxvae.packages import EXPERIMENTS, missing_named

PROJECT = Path(__file__).resolve().parent.parent


def test_every_package_of_the_extra_has_its_module():
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {re.split(r"[><=]", line)[0] for line in extras["experiments"]} == set(EXPERIMENTS.values())


def test_python_names_the_extra_of_a_missing_package(monkeypatch, tmp_path):
    for module in ("sklearn", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, module, None)
    recipe = jaxvae.preset("vae", steps=2)
    told = r"^scikit-learn: is not installed; pip install 'jaxvae\[experiments\]'$"
    for call in (lambda: jaxvae.train(recipe, "digits", run_dir=tmp_path / "run"), lambda: jaxvae.fit(None, "digits")):
        with pytest.raises(InputError, match=told):
            call()


def test_any_other_missing_module_is_an_error_of_the_program():
    with pytest.raises(ModuleNotFoundError, match="mine"), missing_named():
        raise ModuleNotFoundError("No module named 'mine'", name="mine")

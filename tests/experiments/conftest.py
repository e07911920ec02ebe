"""The scripts as modules, so that most tests need no process of their own."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from jaxvae.options import given

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


def load_script(name):
    spec = importlib.util.spec_from_file_location(f"experiments_{name}", EXPERIMENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def scripts():
    return {path.stem: load_script(path.stem) for path in EXPERIMENTS.glob("*.py")}


@pytest.fixture(scope="session")
def small_in():
    """Options of a run in a folder that takes a second."""

    def config(run_dir, **options):
        compute = {"devices": 1, "num_processes": 1, **options.pop("compute", {})}
        defaults = {"steps": 40, "hidden": (16,), "log_every": 10, "checkpoint_every": 20}
        return given(**{**defaults, "tensorboard": False, "figures": False, "run_dir": run_dir, **compute, **options})

    return config


@pytest.fixture
def small(small_in, tmp_path):
    """The same, in this test's folder."""
    return lambda **options: small_in(options.pop("run_dir", tmp_path / "run"), **options)


@pytest.fixture(scope="session")
def whole(scripts, small_in, tmp_path_factory):
    """Options of a small run, which is trained once: tests read it, or change a copy."""
    config = small_in(tmp_path_factory.mktemp("whole") / "run")
    assert scripts["train"].main(config) == 0
    return config


@pytest.fixture
def copied(whole, tmp_path):
    """The same run in a folder of this test's."""
    return given(whole, run_dir=shutil.copytree(whole.run_dir, tmp_path / "copied"))

"""The scripts as modules, so that most tests need no process of their own."""

import importlib.util
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


@pytest.fixture
def small(tmp_path):
    """Options of a run that takes a second."""

    def config(**options):
        compute = {"devices": 1, "num_processes": 1, **options.pop("compute", {})}
        defaults = {"run_dir": tmp_path / "run", "steps": 40, "hidden": (16,), "log_every": 10, "checkpoint_every": 20}
        return given(**{**defaults, "tensorboard": False, "figures": False, **compute, **options})

    return config

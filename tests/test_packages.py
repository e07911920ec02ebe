"""The extra's packages are those of pyproject.toml, so that each missing one is named."""

import re
import tomllib
from pathlib import Path

from jaxvae.packages import EXPERIMENTS

PROJECT = Path(__file__).resolve().parent.parent


def test_every_package_of_the_extra_has_its_module():
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {re.split(r"[><=]", line)[0] for line in extras["experiments"]} == set(EXPERIMENTS.values())

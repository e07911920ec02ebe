"""Folders of a model hub: they come back as the same run, damage is refused, and nothing tells of the machine."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxvae
from jaxvae.errors import InputError
from jaxvae.export import EXPORTS, hub
from jaxvae.export.card import command
from jaxvae.options import Recipe
from jaxvae.options.command_line import parse


@pytest.fixture
def folder(runs, tmp_path):
    EXPORTS["hub"].write(runs["classes"], tmp_path)
    return tmp_path / "hub"


def test_a_folder_is_loaded_as_the_same_run(runs, folder):
    there, here = runs["classes"], jaxvae.load(folder)
    jax.tree.map(np.testing.assert_array_equal, here.params, there.params)
    assert here.recipe == hub.published(there.recipe)
    assert (here.model, here.step, here.condition) == (there.model, there.step, there.condition)
    np.testing.assert_array_equal(here.sample(3, seed=1, condition="dog"), there.sample(3, seed=1, condition="dog"))


@pytest.mark.parametrize("name", hub.READ)
def test_a_file_that_is_damaged_is_refused(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: is missing, or not the file that was written; fetch it again$"):
        jaxvae.load(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"{name}: is missing"):
        jaxvae.load(folder)


def test_what_a_later_version_wrote_is_refused(folder):
    (folder / "digests.json").write_text('{"format": 2}')
    with pytest.raises(InputError, match="format 2, this jaxvae reads 1; use a newer one"):
        jaxvae.load(folder)


def test_no_file_tells_of_the_machine(runs, tmp_path):
    for path in EXPORTS["hub"].write(runs["conv"], tmp_path):
        assert b"/home/me" not in path.read_bytes(), path
        assert b"/data" not in path.read_bytes(), path


def test_the_card_says_what_it_is_and_how_it_was_made(runs, folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: jaxvae\n")
    for part in (
        "# conditional_vae on digits",
        "90 to train",
        "`abc`",
        "| ELBO | -12.35 ± 0.50 |",
        "| prior | `mixture` |",
    ):
        assert part in card
    recipe = hub.published(runs["classes"].recipe)
    python, script, *words = shlex.split(command(recipe))
    assert (python, script) == ("python", "experiments/train.py")
    assert parse(Recipe, words) == recipe
    assert command(recipe) in card


ROUND_TRIP = """
import sys
from pathlib import Path

import numpy as np

import jaxvae
from jaxvae.errors import InputError
from jaxvae.export import hub

folder = Path(sys.argv[1])
print(hub.push(folder, "me/small"))
there, here = jaxvae.load("hf://me/small"), jaxvae.load(folder)
np.testing.assert_array_equal(there.sample(2, condition="owl"), here.sample(2, condition="owl"))
assert there.folder != here.folder
try:
    jaxvae.load("hf://me/other")
except InputError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_model_goes_to_a_hub_and_comes_back(folder, tmp_path):
    """By Hugging Face's own package and a server that speaks as much of the hub's language as it needs."""
    command = [sys.executable, str(Path(__file__).parent / "small_hub.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().strip()
        environment = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "cache"), "HF_TOKEN": "hf_me"}
        result = subprocess.run(
            [sys.executable, "-c", ROUND_TRIP, str(folder)],
            env={**os.environ, **environment, "HF_HUB_DISABLE_XET": "1"},
            capture_output=True,
            text=True,
        )
        server.terminate()
    assert result.returncode == 0, result.stderr
    sent, missing = result.stdout.splitlines()[-2:]
    assert sent == f"{address}/me/small"
    assert missing.startswith("hf://me/other: cannot be fetched (")
    (kept,) = (tmp_path / "cache").rglob("model.safetensors")
    assert kept.read_bytes() == (folder / "model.safetensors").read_bytes()
    assert json.loads((folder / "digests.json").read_text())["format"] == 1

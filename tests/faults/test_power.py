"""Power loss: a real file system of which only what has reached its disk is left, at any moment of a run."""

import contextlib
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from jaxvae.checkpoint import Checkpoints
from jaxvae.options import given

pytestmark = [pytest.mark.faults, pytest.mark.slow]
SIZE = 16 << 20
# Nothing is written before somebody waits for it, and no file is saved because it replaces another one.
CARELESS = "loop,commit=300,noauto_da_alloc,data=writeback"


@contextlib.contextmanager
def mounted(image, folder):
    """The file system in a file."""
    folder.mkdir()
    call = subprocess.run(["mount", "-o", CARELESS, image, folder], capture_output=True, text=True)
    if call.returncode:
        pytest.skip(f"a file system of its own needs the right to mount: {call.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def disk(tmp_path):
    """A file system, and the file that is its disk."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mkfs.ext4")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with mounted(image, tmp_path / "disk") as folder:
        yield folder, image


def before(function, act):
    def wrapped(*args, **kwargs):
        act()
        return function(*args, **kwargs)

    return wrapped


def test_power_loss(fault, rounds, train, broken, disk, tmp_path, monkeypatch, caplog, assert_nothing_is_lost):
    cuts, (folder, image) = rounds(1), disk
    broken = given(broken, run_dir=folder / "run", tensorboard=False)
    images = []

    def cut():
        images.append(tmp_path / f"image-{len(images)}")
        subprocess.run(["cp", "--sparse=always", image, images[-1]], check=True)

    with monkeypatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "rename")):
            patch.setattr(owner, name, before(getattr(owner, name), cut))
        assert train.main(broken) == 0
    cut()
    steps = set()
    for number, left in enumerate(images):
        with mounted(left, tmp_path / f"left-{number}") as there:
            checkpoints = Checkpoints(there / "run" / "checkpoints")
            assert (checkpoints.about() is not None) == bool(checkpoints.steps())
            steps |= {max(checkpoints.steps(), default=0)}
    assert "damaged" not in caplog.text, "what has its name is whole"
    assert steps == {0, 10, 20, 25}
    draw = random.Random(cuts)
    for number in draw.sample(range(len(images)), min(cuts, len(images))):
        with (
            fault("power loss at any moment: the newest checkpoint intact, resumed"),
            mounted(images[number], tmp_path / f"resumed-{number}") as there,
        ):
            assert train.main(given(broken, run_dir=there / "run")) == 0
            assert_nothing_is_lost(there / "run")
            assert "lost" not in caplog.text, "the lines of metrics that the checkpoint counts are there"

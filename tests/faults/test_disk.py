"""A full disk and a read-only one, real ones: one line, what was saved is intact, and the run goes on."""

import contextlib
import os
import random
import shutil
import subprocess

import pytest

from jaxvae.options import given
from jaxvae.runs import load_run

pytestmark = [pytest.mark.faults, pytest.mark.slow]
SIZE = 4 << 20


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a file system of its own needs the right to mount: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def filled(disk, free):
    """The disk with so many bytes left."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - free)
    yield
    filler.unlink()


def free_bytes(count):
    """From nothing at all to almost all that the run needs."""
    draw = random.Random(count)
    return [300 << 10, 0, *(draw.randrange(500 << 10) for _ in range(count))][:count]


def test_a_full_disk(fault, rounds, command, broken, disk, assert_nothing_is_lost):
    for free in free_bytes(rounds(1)):
        broken = given(broken, run_dir=disk / f"run-{free}")
        with fault("full disk: one line, resumed when there is room"):
            with filled(disk, free):
                code, _, error = command(broken)
            assert code == 1
            assert error == (
                f"error: run-dir: {broken.run_dir} cannot be written to: No space left on device; make room and run "
                "the same command again, which goes on from the newest checkpoint"
            )
            assert command(broken)[0] == 0
            assert_nothing_is_lost(broken.run_dir)
        shutil.rmtree(broken.run_dir)


def test_a_disk_that_somebody_else_fills_while_a_checkpoint_is_written(
    fault, few, command, resumed, interrupted, disk, monkeypatch, caplog, assert_nothing_is_lost
):
    resumed = given(resumed, run_dir=disk / "run")
    for free in few([0, 8 << 10, 40 << 10, 60 << 10], 1):
        shutil.copytree(interrupted, resumed.run_dir)
        with fault("disk that fills while a checkpoint is written: one line, earlier ones intact, resumed"):
            with contextlib.ExitStack() as somebody, monkeypatch.context() as patch:
                ask = shutil.disk_usage

                def answer_and_fill(path, somebody=somebody, ask=ask, patch=patch, free=free):
                    patch.setattr(shutil, "disk_usage", ask)
                    answer = ask(path)
                    somebody.enter_context(filled(disk, free))
                    return answer

                patch.setattr(shutil, "disk_usage", answer_and_fill)
                code, _, error = command(resumed)
                assert code == 1
                assert "No space left on device; make room and run the same command again" in error
                assert "Traceback" not in caplog.text
                assert load_run(resumed.run_dir).step == 20
            assert command(resumed)[0] == 0
            assert_nothing_is_lost(resumed.run_dir)
        shutil.rmtree(resumed.run_dir)


def test_a_read_only_disk(fault, command, resumed, disk, assert_nothing_is_lost):
    shutil.move(resumed.run_dir, disk / "run")
    resumed = given(resumed, run_dir=disk / "run")
    with fault("read-only disk: one line, can be read, resumed when it can be written"):
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        code, _, error = command(resumed)
        assert code == 1
        assert f"error: run-dir: {resumed.run_dir} cannot be written to: Read-only file system; make it" in error
        assert load_run(resumed.run_dir).step == 20, "who only reads needs nothing written"
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert command(resumed)[0] == 0
        assert_nothing_is_lost(resumed.run_dir)

"""Order of what reaches the disk: content, then the name; and folders with all their parents."""

import errno
import os
from pathlib import Path

import jax.numpy as jnp
import pytest

from jaxvae import disk
from jaxvae.checkpoint import Checkpoints
from jaxvae.report import write_json


class Synced:
    """What a disk holds that keeps nothing else than what was synced, by inode: bytes of files, names in folders."""

    def __init__(self):
        self.held, self.kept_open = {}, []

    def fsync(self, descriptor):
        info = os.fstat(descriptor)
        self.held[info.st_ino] = content(f"/proc/self/fd/{descriptor}")
        self.kept_open.append(os.dup(descriptor))  # no other file gets its number

    def close(self):
        for descriptor in self.kept_open:
            os.close(descriptor)

    def lost(self, path):
        """Files and folders there, at any depth, of which the disk holds something else than can be seen."""
        return [inner for inner in [path, *path.rglob("*")] if self.held.get(inner.stat().st_ino) != content(inner)]


def content(path):
    path = Path(path)
    if path.is_dir():
        return {entry.name: entry.inode() for entry in os.scandir(path)}
    return path.read_bytes()


@pytest.fixture
def synced(monkeypatch):
    if not Path("/proc/self/fd").exists():
        pytest.skip("finds files by their descriptors under /proc")
    disk = Synced()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    yield disk
    disk.close()


@pytest.fixture
def renamed(synced, monkeypatch):
    """Every file or folder that gets its name, with what would be lost of it at that moment."""
    moments, replace = {}, Path.replace

    def replaced(part, path):
        moments[path] = synced.lost(part)
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", replaced)
    return moments


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name_and_then_the_name_is(tmp_path, synced, renamed):
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints")
    checkpoints.save(1, {"w": jnp.ones(3)}, {}, None)
    assert renamed == {tmp_path / "run" / "checkpoints" / "1": []}
    assert synced.lost(tmp_path) == []


def test_a_whole_file_is_on_the_disk_before_it_has_its_name_and_then_the_name_is(tmp_path, synced, renamed):
    path = tmp_path / "config.json"
    for value in (1, 2):
        write_json(path, value)
        assert renamed == {path: []}
        assert synced.lost(tmp_path) == []


def test_what_is_not_synced_would_be_seen(tmp_path, synced):
    path = tmp_path / "config.json"
    write_json(path, 1)
    path.write_text("2")
    assert synced.lost(tmp_path) == [path]
    (tmp_path / "other").touch()
    assert {*synced.lost(tmp_path)} == {tmp_path, path, tmp_path / "other"}


def test_a_new_folder_is_on_the_disk_with_its_parents(tmp_path, synced):
    for _ in range(2):
        disk.make_folder(tmp_path / "runs" / "a" / "b")
    assert {path.name for path in synced.lost(tmp_path)} == {"b"}, "what is in b, nobody has synced"


def fails(number):
    def fsync(descriptor):
        raise OSError(number, os.strerror(number))

    return fsync


def test_a_disk_that_cannot_keep_a_file_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", fails(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        write_json(tmp_path / "a.json", 1)
    assert not (tmp_path / "a.json").exists()
    monkeypatch.setattr(os, "fsync", fails(errno.EINVAL))
    disk.sync(tmp_path)  # a file system that knows no sync of folders

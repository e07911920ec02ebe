"""A run directory is one process's at a time."""

import errno
import fcntl
import os
import socket

import pytest

from jaxvae.errors import InputError
from jaxvae.runs import lock


def test_the_second_is_told_who_is_there(tmp_path):
    with lock.hold(tmp_path):
        message = rf"run-dir: .* is being trained by process {os.getpid()} on {socket.gethostname()}; wait for its end"
        with pytest.raises(InputError, match=message), lock.hold(tmp_path):
            pass
    with lock.hold(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_file_that_a_killed_process_left_behind_locks_nothing(tmp_path):
    (tmp_path / "lock").write_text("process 1 on a host that is no more")
    with lock.hold(tmp_path):
        assert (tmp_path / "lock").read_text() == f"process {os.getpid()} on {socket.gethostname()}"


def test_who_waited_for_a_lock_that_was_removed_takes_the_new_one(tmp_path, monkeypatch):
    flock, removed = fcntl.flock, []

    def remove_first(file, operation):
        if not removed:
            (tmp_path / "lock").unlink()
            removed.append(file)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with lock.hold(tmp_path):
        assert (tmp_path / "lock").exists()
        with pytest.raises(InputError), lock.hold(tmp_path):
            pass


def test_a_disk_without_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with lock.hold(tmp_path):
        assert "knows no locks" in caplog.text

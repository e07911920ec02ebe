"""A study in a real PostgreSQL server, which processes share."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from jaxvae.errors import InputError
from jaxvae.sweeps import study as studies
from jaxvae.sweeps.study import Settings, open_study


def search(storage):
    """Take part in a study whose first trial never ends, and whose second ends when a third is tried beside it."""

    def objective(trial):
        x = trial.suggest_float("x", -1, 1)
        print(trial.number, flush=True)
        while sum(other.number > 0 and other.state.name in ("RUNNING", "COMPLETE") for other in trial.study.trials) < 2:
            time.sleep(0.1)
        return -x * x

    with open_study(Settings(storage, heartbeat=1)) as study:
        studies.search(study, objective, 6, seed=0)
        return study.trials


def program(name):
    """Path of a program of the newest server there is."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return shutil.which(name) or (str(installed[-1]) if installed else None)


@pytest.fixture(scope="module")
def storage():
    """Address of an empty database, on a server of its own."""
    pytest.importorskip("pg8000")
    if program("initdb") is None or program("postgres") is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    # It refuses to run as root.
    user = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="jaxvae-postgresql-"))
    if user:
        shutil.chown(folder, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quick = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories="]
    settings = [word for setting in quick for word in ("-c", setting)]
    options = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, **user}
    prepare = [program("initdb"), "--no-sync", "--auth=trust", "--username=jaxvae", "--pgdata", folder / "data"]
    subprocess.run(prepare, check=True, **options)
    serve = [program("postgres"), "-D", folder / "data", "-p", str(port), *settings]
    with subprocess.Popen(serve, **options) as server:
        assert any("ready to accept connections" in line for line in server.stderr)
        yield f"postgresql+pg8000://jaxvae@127.0.0.1:{port}/postgres"
        server.send_signal(signal.SIGINT)  # which ends its connections
    shutil.rmtree(folder)


def test_processes_share_a_study_and_one_that_is_killed_loses_no_trial(storage, monkeypatch, capsys):
    monkeypatch.setattr(studies, "PATIENCE", 2)

    def start():
        here = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_postgresql as test; "
        command = [sys.executable, "-c", f"{here}test.studies.PATIENCE = 2; test.search({storage!r})"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with start() as killed:
        assert killed.stdout.readline() == "0\n"
        killed.send_signal(signal.SIGKILL)
    with start() as other:
        assert other.stdout.readline().strip().isdecimal(), "from here on both search"
        trials = search(storage)
        rest, _ = other.communicate(timeout=120)
    assert other.returncode == 0
    tried = [trial for trial in trials if studies.RUN in trial.user_attrs]  # one may have been begun and withdrawn
    assert Counter(trial.state.name for trial in tried) == {"COMPLETE": 6, "FAIL": 1}
    first, again = (trial for trial in tried if studies.run_name(trial) == "trial-0000")
    assert (first.state.name, again.state.name) == ("FAIL", "COMPLETE")
    assert again.params == first.params
    assert capsys.readouterr().out.split(), "this process has had its share"
    assert len(rest.split()) < 6


def test_a_server_that_is_not_there_is_one_line():
    pytest.importorskip("pg8000")
    address = "postgresql+pg8000://jaxvae@127.0.0.1:9/study"
    with pytest.raises(InputError, match=rf"^storage: {address.replace('+', '.')} cannot be opened \(.*\)$"):
        open_study(Settings(address)).__enter__()

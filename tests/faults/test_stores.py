"""Run directories in an object store, a real S3 server: killed while it is uploaded, and with two writers."""

import os
import random
from pathlib import Path

import pytest

from jaxvae import stores
from jaxvae.options import given
from jaxvae.runs import load_run
from jaxvae.stores import lease
from jaxvae.stores import store as store_module
from jaxvae.stores.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.slow]

MOMENTS = {  # of a process that is killed: function, its last call, how long after it
    "an upload to a store": ("jaxvae.stores.store:Store.put", 40, 0.005),
    "a step, its run in a store": ("jaxvae.training.loop:Progress.add", 22, 0.01),
    "a deletion in a store": ("jaxvae.stores.store:Store.delete", 2, 0.002),
    "a sign of life": ("jaxvae.stores.store:Store.put_if", 3, 0.002),
}


@pytest.fixture
def stored(broken, bucket, monkeypatch):
    """The options of a run in a store, whose lock is soon taken over."""
    monkeypatch.setattr(lease, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.1)
    return given(broken, run_dir=f"{bucket}/runs/a")


@pytest.fixture
def assert_nothing_is_lost_there(assert_nothing_is_lost):
    def check(config):
        with stores.reading(config.run_dir) as folder:
            assert_nothing_is_lost(folder)

    return check


def test_a_run_killed_while_its_store_is_written_ends_as_if_it_had_not_been(
    stored, fault, rounds, start, command, assert_nothing_is_lost_there
):
    kills = rounds(1)
    draw = random.Random(kills)
    for number in range(kills):
        moment = list(MOMENTS)[number % len(MOMENTS)]
        function, last_call, delay = MOMENTS[moment]
        config = given(stored, run_dir=f"{stored.run_dir}-{number}")
        with fault(f"kill -9 in {moment}, resumed"):
            process = start(config, "SIGKILL", function, draw.randint(2, last_call), draw.uniform(0, delay))
            _, errors = process.communicate(timeout=240)
            assert process.returncode == -9, errors
            code, _, error = command(config)
            assert code == 0, error
            assert_nothing_is_lost_there(config)


def test_a_second_writer_is_refused(stored, fault, command, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lease, "PATIENCE_SECONDS", 5.0)
    store = Store(str(stored.run_dir).replace(":/", "://"))
    with fault("two processes on one run in a store: the second refused"), lease.hold(store):
        code, _, error = command(stored)
        assert code == 2
        holder = store.read(lease.NAME).decode().splitlines()[0]
        assert error == (
            f"error: run-dir: {store.address} is being trained by {holder}; wait for its end, or name another --run-dir"
        )
        assert [*store.list()] == [lease.NAME], "it has written nothing"


def test_a_store_that_cannot_be_reached_is_one_line_and_nothing_is_lost(
    stored, fault, command, monkeypatch, assert_nothing_is_lost_there
):
    monkeypatch.setattr(store_module, "RETRIES", {"max_retries": 1})
    put = Store.put

    def put_until_the_network_fails(self, name, path):
        if name.startswith("checkpoints/20/"):
            monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            self.__init__(self.address)
        put(self, name, path)

    with fault("store that cannot be reached during an upload: one line, resumed"):
        with monkeypatch.context() as patch:
            patch.setattr(Store, "put", put_until_the_network_fails)
            reached = os.environ["AWS_ENDPOINT_URL"]
            code, _, error = command(stored)
        assert code == 1
        assert error.startswith(f"error: run-dir: {stores.address(stored.run_dir)} cannot be reached: ")
        left = Path(error.partition("what was not uploaded is in ")[2])
        monkeypatch.setenv("AWS_ENDPOINT_URL", reached)
        assert load_run(stored.run_dir).step == 10
        assert load_run(left).step == 20, "what could not be uploaded is still on this disk"
        assert command(stored)[0] == 0
        assert_nothing_is_lost_there(stored)

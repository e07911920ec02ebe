"""Run directories in an object store, a real S3 server: killed while it is uploaded, and with two writers."""

import random

import pytest

from jaxvae import stores
from jaxvae.options import given
from jaxvae.runs import load_run
from jaxvae.stores import lease
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
            code, output, error = command(config)
            assert code == 0, error
            assert_nothing_is_lost_there(config)

"""One writer at a time: the second is told who is there, a dead one is followed, and one that was followed stops."""

import os
import socket
import threading

import pytest

from jaxvae.errors import InputError
from jaxvae.stores import lease
from jaxvae.stores.lease import Lease
from jaxvae.stores.store import Store, StoreError


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    for name, seconds in {"BEAT_SECONDS": 0.05, "PATIENCE_SECONDS": 0.3, "LOOK_SECONDS": 0.05}.items():
        monkeypatch.setattr(lease, name, seconds)


@pytest.fixture
def store(bucket):
    return Store(f"{bucket}/run")


def dead(store, monkeypatch):
    """A lock whose holder gives no sign of life."""
    with monkeypatch.context() as patch:
        patch.setattr(lease, "BEAT_SECONDS", 1e6)
        return Lease(store)


def test_the_second_is_told_who_is_there(store):
    with lease.hold(store):
        message = rf"run-dir: s3://.*/run is being trained by process {os.getpid()} on {socket.gethostname()}; wait"
        with pytest.raises(InputError, match=message), lease.hold(store):
            pass
    assert store.list() == {}


def test_a_dead_one_is_followed_and_may_not_write_when_it_wakes(store, monkeypatch, caplog):
    sleeping = dead(store, monkeypatch)
    with lease.hold(store) as held:
        assert "waiting up to" in caplog.text
        with pytest.raises(StoreError, match=rf"was taken over by process {os.getpid()} on .* no sign of life"):
            sleeping.renew()
        sleeping.release()
        held.renew()
    assert store.list() == {}


def test_of_two_that_follow_a_dead_one_one_gets_the_lock(store, monkeypatch):
    dead(store, monkeypatch)
    held, refused, both_are_done = [], [], threading.Barrier(2)

    def follow():
        try:
            with lease.hold(store):
                held.append(threading.get_ident())
                both_are_done.wait(timeout=20)
        except InputError as error:
            refused.append(str(error))
            both_are_done.wait(timeout=20)

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 1)


def test_a_request_that_meets_its_own_first_try_holds_the_lock(store, monkeypatch):
    """A network that loses the answer makes obstore ask again, and the store says that the object exists."""
    put_if = Store.put_if

    def answer_lost(self, name, content, before):
        put_if(self, name, content, before)
        return None

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put_if", answer_lost)
        held = Lease(store)
    held.renew()
    held.release()
    assert store.list() == {}


def test_a_store_without_conditional_writes_is_warned_of(store, monkeypatch, caplog):
    put_if = Store.put_if
    monkeypatch.setattr(Store, "put_if", lambda self, name, content, before: put_if(self, name, content, _any(self)))

    def _any(self):
        return self.version(lease.NAME)

    with lease.hold(store):
        assert "knows no conditional writes; see to it that nothing else trains there" in caplog.text

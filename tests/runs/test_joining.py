"""Joining other processes that are not there: what is said, when, and that it ends."""

import socket
import sys
import threading
import time

import jax
import pytest

from jaxvae import hosts
from jaxvae.errors import InputError
from jaxvae.runs import joining


@pytest.fixture
def listener():
    """A port that is taken, by something that is not JAX."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_call_that_returns_is_its_value_and_not_a_word(capsys):
    assert hosts.wait(lambda: 7, "the others") == 7
    with pytest.raises(ZeroDivisionError):
        hosts.wait(lambda: 1 / 0, "the others")
    assert capsys.readouterr() == ("", "")


def test_what_takes_long_is_said_once(capsys, monkeypatch):
    monkeypatch.setattr(hosts, "NOTICE_SECONDS", 0.05)
    for _ in range(2):
        assert hosts.wait(lambda: time.sleep(0.2) or 7, "a late process", timeout=60) == 7
    assert capsys.readouterr().err.splitlines() == ["waiting for a late process, up to 60 s"]


@pytest.fixture
def unfinished():
    """Threads that a test leaves behind are no reason to end this process."""
    yield
    hosts._unfinished.clear()


def test_what_takes_too_long_is_an_error_of_the_system(unfinished):
    with pytest.raises(TimeoutError, match="waited 0 s in vain for nobody"):
        hosts.wait(threading.Event().wait, "nobody", timeout=0.1)


def test_process_0_that_is_not_there_is_named(unfinished):
    coordinator, begin = f"127.0.0.1:{free_port()}", time.monotonic()
    with pytest.raises(TimeoutError, match=f"for process 0 at {coordinator}; start what is missing .* --join-timeout"):
        joining.join(coordinator, 2, 1, timeout=1.0)
    assert time.monotonic() - begin < 5
    assert not jax.distributed.is_initialized()


def test_a_port_that_is_taken_is_named(listener):
    with pytest.raises(OSError, match=rf"coordinator: cannot listen at port {listener} \(.*\); give another one"):
        joining.join(f"127.0.0.1:{listener}", 2, 0, timeout=1.0)


def test_a_host_without_an_address_is_bad_input():
    with pytest.raises(InputError, match=r"coordinator: host 'no\.such\.host\.invalid' has no address"):
        joining.join("no.such.host.invalid:1234", 2, 1, timeout=1.0)


def test_alone_it_leaves_as_any_program_does():
    with pytest.raises(SystemExit) as exit_:
        hosts.leave(7)
    assert exit_.value.code == 7
    assert sys.exc_info() == (None, None, None)

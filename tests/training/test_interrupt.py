"""Signals are noted once, then act as ever."""

import os
import signal

import pytest

from jaxvae.training import Interrupt


@pytest.fixture
def ctrl_c():
    """As in a terminal: a shell's background jobs begin with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_is_noted(number, exit_code):
    with Interrupt() as interrupt:
        assert not interrupt
        os.kill(os.getpid(), number)
        assert interrupt
        assert interrupt.exit_code == exit_code


@pytest.mark.usefixtures("ctrl_c")
def test_second_ctrl_c_acts_at_once():
    with Interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
    assert interrupt.exit_code == 0


@pytest.mark.usefixtures("ctrl_c")
def test_what_nohup_ignores_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert not interrupt
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.exit_code == 143
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN

"""Joining the other processes of a training, whose addresses are given or found by JAX."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax

from jaxvae import hosts
from jaxvae.types import InputError

GRACE_SECONDS = 600
"""JAX's own timeout is later than ours by this much, because it ends the process with a stack of C++."""
SHUTDOWN_SECONDS = 24 * 60 * 60
"""At the end the first process evaluates and draws for as long as it takes, while the others wait."""
logger = logging.getLogger(__name__)


def join(coordinator: str, num_processes: int, process_id: int, timeout: float) -> None:
    """Make this process one of several.

    Args:
        coordinator: HOST:PORT of process 0.
        num_processes: how many there are.
        process_id: the number of this one.
        timeout: seconds to wait for the others.

    Raises:
        InputError: the host has no address.
        OSError: the port is taken, the others did not join in time, or JAX could not join them.
    """
    deadline = time.monotonic() + timeout
    _check_host(coordinator)
    if process_id == 0:
        _check_port(coordinator)
        rest = "process 1" if num_processes == 2 else f"the {num_processes - 1} other processes"
        whom = f"{rest} to join at {coordinator}"
    else:
        # By a plain socket first, which tells whether it is process 0 that is missing.
        _wait(lambda: _reach(coordinator, deadline + 1.0), f"process 0 at {coordinator}", timeout)
        whom = f"all {num_processes} processes to join at {coordinator}"

    address = {"coordinator_address": coordinator, "num_processes": num_processes, "process_id": process_id}
    _initialize(whom, timeout, deadline, **address)


def join_cluster(timeout: float) -> None:
    """Join the processes that SLURM, a TPU pod or GKE has started beside this one, if there are any."""
    if jax.distributed.is_initialized():
        return
    try:
        with warnings.catch_warnings():
            # Inside any Kubernetes pod JAX advises a package that only a cluster of them needs.
            warnings.filterwarnings("ignore", message="(?s).*Kubernetes")
            _initialize("the other processes of this cluster", timeout, time.monotonic() + timeout)
    except ValueError as error:
        if "coordinator_address" not in str(error):
            raise
        logger.debug("no cluster found: %s", error)


def _initialize(whom: str, timeout: float, deadline: float, **address: Any) -> None:
    def initialize() -> None:
        jax.distributed.initialize(
            **address,
            initialization_timeout=int(timeout) + GRACE_SECONDS,
            shutdown_timeout_seconds=SHUTDOWN_SECONDS,
        )
        hosts.connect()

    try:
        _wait(initialize, whom, max(0.0, deadline - time.monotonic()))
    except RuntimeError as error:
        raise ConnectionError(f"coordinator: {error}") from error
    finally:
        with contextlib.suppress(ValueError):  # not the main thread, which alone may set handlers
            # JAX puts a handler of its own in the place of Python's, and the process would not end on SIGTERM.
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _wait(call: Callable[[], None], whom: str, timeout: float) -> None:
    try:
        hosts.wait(call, whom, timeout=timeout)
    except TimeoutError as error:
        raise TimeoutError(f"{error}; start what is missing with the same options, or raise --join-timeout") from None


def _check_host(coordinator: str) -> None:
    host, port = coordinator.rsplit(":", 1)
    try:
        socket.getaddrinfo(host.strip("[]"), int(port))
    except OSError as error:
        raise InputError(f"coordinator: host {host!r} has no address ({error.strerror}); check its name") from None


def _check_port(coordinator: str) -> None:
    """Try to listen where JAX is about to: where it cannot, it ends the process with a segmentation fault."""
    port, both = int(coordinator.rsplit(":", 1)[1]), socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        socket.create_server(("", port), family=family, dualstack_ipv6=both).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"coordinator: cannot listen at port {port} ({reason}); give another one") from None


def _reach(coordinator: str, deadline: float) -> None:
    host, port = coordinator.rsplit(":", 1)
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), timeout=1.0):
            return
        time.sleep(0.2)
    raise TimeoutError(f"waited in vain for process 0 at {coordinator}")

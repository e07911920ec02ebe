"""Joining of the other processes of a training, whose addresses are given or found by JAX."""

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
from jaxvae.errors import InputError

GRACE_SECONDS = 600
"""Seconds by which JAX's timeout exceeds ours, because it ends the process with a C++ stack trace."""
SHUTDOWN_SECONDS = 24 * 60 * 60
"""Seconds for which the other processes wait at the end, while the first evaluates and draws."""
logger = logging.getLogger(__name__)


def join(coordinator: str, num_processes: int, process_id: int, timeout: float) -> None:
    """Connect this process with the others.

    Args:
        coordinator: HOST:PORT of process 0.
        num_processes: number of processes.
        process_id: index of this process.
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
        peers = f"{rest} to join at {coordinator}"
    else:
        # By a plain socket first, which shows whether process 0 is missing.
        _wait(lambda: _reach(coordinator, deadline + 1.0), f"process 0 at {coordinator}", timeout)
        peers = f"all {num_processes} processes to join at {coordinator}"

    address = {"coordinator_address": coordinator, "num_processes": num_processes, "process_id": process_id}
    _initialize(peers, timeout, deadline, **address)


def join_cluster(timeout: float) -> None:
    """Join the other processes of SLURM, a TPU pod or GKE, if there are any."""
    if jax.distributed.is_initialized():
        return
    try:
        with warnings.catch_warnings():
            # In any Kubernetes pod JAX recommends a package that only a cluster needs.
            warnings.filterwarnings("ignore", message="(?s).*Kubernetes")
            _initialize("the other processes of this cluster", timeout, time.monotonic() + timeout)
    except ValueError as error:
        if "coordinator_address" not in str(error):
            raise
        logger.debug("no cluster found: %s", error)


def _initialize(peers: str, timeout: float, deadline: float, **address: Any) -> None:
    def initialize() -> None:
        jax.distributed.initialize(
            **address,
            initialization_timeout=int(timeout) + GRACE_SECONDS,
            shutdown_timeout_seconds=SHUTDOWN_SECONDS,
        )
        hosts.connect()

    try:
        _wait(initialize, peers, max(0.0, deadline - time.monotonic()))
    except RuntimeError as error:
        raise ConnectionError(f"coordinator: {error}") from error
    finally:
        with contextlib.suppress(ValueError):  # only the main thread may set handlers
            # JAX replaces Python's handler, so that the process would not end on SIGTERM.
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _wait(call: Callable[[], None], peers: str, timeout: float) -> None:
    try:
        hosts.wait(call, peers, timeout=timeout)
    except TimeoutError as error:
        raise TimeoutError(f"{error}; start what is missing with the same options, or raise --join-timeout") from None


def _check_host(coordinator: str) -> None:
    host, port = coordinator.rsplit(":", 1)
    try:
        socket.getaddrinfo(host.strip("[]"), int(port))
    except OSError as error:
        raise InputError(f"coordinator: host {host!r} has no address ({error.strerror}); check its name") from None


def _check_port(coordinator: str) -> None:
    """Try to listen at JAX's port, because JAX fails with a segmentation fault if it cannot."""
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

"""Options of the computation: devices, processes and dispatch. They change the speed, never the result."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from pathlib import Path
from typing import Literal

import jax

from jaxvae.runs.joining import join, join_cluster
from jaxvae.types import InputError

DETERMINISTIC = "--xla_gpu_deterministic_ops=true"
"""XLA flag that excludes operations whose result depends on thread order, and kernel choice by timing."""


@dataclasses.dataclass(frozen=True)
class Compute:
    """Devices, processes, and the path of steps and examples to them."""

    devices: int | None = None
    """Number of devices to train on; all if not given."""
    dispatch: Literal["auto", "step", "scan", "pmap", "sharded"] = "auto"
    """One step per call (step), a loop of steps on the device (scan), or a loop on several devices (pmap, sharded)."""
    input: Literal["auto", "resident", "stream"] = "auto"
    """Keep the training set on the device, or stream it; auto streams sets larger than a quarter of the memory."""
    deterministic: bool = False
    """Use only GPU kernels with reproducible results, at some cost in speed; a CPU is deterministic anyway."""
    compilation_cache: Path | None = Path("~/.cache/jaxvae")
    """Folder in which compiled programs are kept between runs; None disables the cache."""
    coordinator: str | None = None
    """HOST:PORT of process 0 in training by several processes; found automatically on SLURM, TPU pods and GKE."""
    num_processes: int | None = None
    """Number of processes, found automatically in the same places; 1 trains alone, even on a cluster."""
    process_id: int | None = None
    """Index of this process, from 0; found automatically in the same places."""
    join_timeout: float = 300.0
    """Seconds to wait for the other processes to join."""

    def check(self) -> None:
        """Refuse values that are invalid on every machine."""
        if self.devices is not None and self.devices < 1:
            raise InputError(f"devices: must be at least 1, got {self.devices}")
        if not 0 < self.join_timeout < math.inf:
            raise InputError(f"join-timeout: must be above 0 and finite, got {self.join_timeout}")
        if self.coordinator is None:
            if self.process_id is not None or self.num_processes not in (None, 1):
                raise InputError(
                    "coordinator: not given; give HOST:PORT of process 0 with --num-processes, --process-id"
                )
            return
        if not re.fullmatch(r".+:\d+", self.coordinator):
            raise InputError(f"coordinator: {self.coordinator!r} is no HOST:PORT; give one, such as 10.0.0.1:1234")
        if not 0 < int(self.coordinator.rsplit(":", 1)[1]) < 2**16:
            raise InputError(f"coordinator: the port of {self.coordinator!r} must be from 1 to 65535")
        if self.num_processes is None or self.process_id is None:
            raise InputError("coordinator: needs --num-processes and --process-id too")
        if not 0 <= self.process_id < self.num_processes:
            raise InputError(f"process-id: must be from 0 to {self.num_processes - 1}, got {self.process_id}")


def set_up(compute: Compute) -> None:
    """Set flags, join the other processes if there are any, and open the compilation cache, before any other step."""
    if compute.deterministic:
        _make_deterministic()
    if compute.coordinator is not None:
        join(compute.coordinator, int(compute.num_processes or 1), int(compute.process_id or 0), compute.join_timeout)
    elif compute.num_processes != 1:
        join_cluster(compute.join_timeout)
    # A folder chosen by an environment variable or by the calling program is kept.
    if compute.compilation_cache is not None and jax.config.jax_compilation_cache_dir is None:  # type: ignore[attr-defined]
        jax.config.update("jax_compilation_cache_dir", str(compute.compilation_cache.expanduser()))
        # Cache small programs too: hundreds of them are compiled before the first step.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _make_deterministic() -> None:
    flags = os.environ.get("XLA_FLAGS", "").split()
    if DETERMINISTIC in flags:
        return
    # JAX has no public test for whether it has read the flags already.
    from jax._src.xla_bridge import backends_are_initialized

    if backends_are_initialized():
        raise InputError(f"deterministic: JAX is in use already; set XLA_FLAGS={DETERMINISTIC} before it starts")
    os.environ["XLA_FLAGS"] = " ".join([*flags, DETERMINISTIC])


def choose_devices(compute: Compute) -> list[jax.Device]:
    """Return the devices to train on, of all processes.

    Raises:
        InputError: more are wanted than there are, or a part of them where several processes share the work.
    """
    devices = jax.devices()
    if compute.devices is None or compute.devices == len(devices):
        return devices
    if compute.devices > len(devices):
        hint = "; XLA_FLAGS=--xla_force_host_platform_device_count=N makes N of a CPU" if on_cpu() else ""
        raise InputError(f"devices: {compute.devices} asked for, {len(devices)} here{hint}")
    if jax.process_count() > 1:
        raise InputError(f"devices: {jax.process_count()} processes train on all {len(devices)}; leave --devices away")
    return devices[: compute.devices]


def choose_dispatch(compute: Compute, devices: list[jax.Device]) -> Literal["step", "scan", "pmap", "sharded"]:
    """Return the dispatch asked for; by default a loop on the device, over the mesh where there are several devices."""
    if compute.dispatch == "auto":
        return "scan" if len(devices) == 1 else "sharded"
    if compute.dispatch in ("step", "scan") and len(devices) > 1:
        raise InputError(
            f"dispatch: {compute.dispatch} is for one device, here are {len(devices)}; give --devices 1, or pmap"
        )
    return compute.dispatch


def on_cpu() -> bool:
    """Return True if the devices are CPU cores."""
    return jax.default_backend() == "cpu"

"""Devices, processes and dispatch, from the options of the computation, which never change the result."""

from __future__ import annotations

import os
from typing import Literal

import jax

from jaxvae.errors import InputError
from jaxvae.options.groups import Compute
from jaxvae.runs.joining import join, join_cluster

DETERMINISTIC = "--xla_gpu_deterministic_ops=true"
"""XLA flag that excludes operations whose result depends on thread order, and kernel choice by timing."""


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

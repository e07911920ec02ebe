"""Devices and the ways to them: what is chosen, what is refused, and the folder of compiled programs."""

import os
import subprocess
import sys

import jax
import pytest

from jaxvae.errors import InputError
from jaxvae.runs.compute import Compute, choose_devices, choose_dispatch, set_up


def test_all_devices_are_used_unless_fewer_are_asked_for():
    assert choose_devices(Compute()) == jax.devices()
    assert choose_devices(Compute(devices=1)) == jax.devices()[:1]


def test_more_devices_than_there_are_is_an_error_with_a_remedy():
    with pytest.raises(InputError, match=r"devices: 3 asked for, 2 here; XLA_FLAGS=.*device_count"):
        choose_devices(Compute(devices=3))


@pytest.mark.parametrize(
    ("dispatch", "devices", "expected"),
    [("auto", 1, "scan"), ("auto", 2, "sharded"), ("step", 1, "step"), ("pmap", 2, "pmap"), ("pmap", 1, "pmap")],
)
def test_dispatch_is_the_one_asked_for_or_one_that_fits(dispatch, devices, expected):
    assert choose_dispatch(Compute(dispatch=dispatch), jax.devices()[:devices]) == expected


@pytest.mark.parametrize("dispatch", ["step", "scan"])
def test_one_devices_dispatch_on_several_is_refused(dispatch):
    with pytest.raises(
        InputError, match=f"dispatch: {dispatch} is for one device, here are 2; give --devices 1, or pmap"
    ):
        choose_dispatch(Compute(dispatch=dispatch), jax.devices())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"devices": 0}, "devices: must be at least 1"),
        ({"num_processes": 2}, "coordinator: not given"),
        ({"process_id": 0}, "coordinator: not given"),
        ({"coordinator": "a:0"}, "coordinator: the port of 'a:0' must be from 1 to 65535"),
        ({"coordinator": "a:65536"}, "coordinator: the port of 'a:65536' must be from 1 to 65535"),
        ({"join_timeout": 0.0}, "join-timeout: must be above 0 and finite, got 0.0"),
        ({"join_timeout": float("nan")}, "join-timeout: must be above 0 and finite, got nan"),
        ({"coordinator": "a:1"}, "coordinator: needs --num-processes and --process-id"),
        ({"coordinator": "a:1", "num_processes": 2, "process_id": 2}, "process-id: must be from 0 to 1, got 2"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Compute(**options).check()


CACHED = """
from pathlib import Path
import jax
from jaxvae.runs.compute import Compute, set_up
set_up(Compute(compilation_cache=Path("{folder}")))
jax.jit(lambda x: x + 1)(1.0)
print(jax.config.jax_compilation_cache_dir)
"""


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [None, "elsewhere"])
def test_compiled_programs_are_kept_where_nobody_has_chosen_another_folder(tmp_path, chosen):
    environment = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    if chosen:
        environment["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path / chosen)
    command = [sys.executable, "-c", CACHED.format(folder=tmp_path / "ours")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(tmp_path / (chosen or "ours"))
    assert (tmp_path / "ours").exists() == (chosen is None)


def test_deterministic_kernels_cannot_be_asked_for_when_jax_is_in_use():
    assert jax.devices()
    with pytest.raises(InputError, match="deterministic: JAX is in use already; set XLA_FLAGS=--xla_gpu_deterministic"):
        set_up(Compute(deterministic=True, num_processes=1))


DETERMINISTIC = """
import jax
from jaxvae.report import manifest
from jaxvae.runs.compute import Compute, set_up
for _ in range(2):
    set_up(Compute(deterministic=True, num_processes=1, compilation_cache=None))
    assert jax.numpy.ones(3).sum() == 3
print(manifest()["xla_flags"])
"""


@pytest.mark.slow
def test_deterministic_kernels_are_a_flag_beside_the_others():
    flag = "--xla_force_host_platform_device_count=2"
    command = [sys.executable, "-c", DETERMINISTIC]
    result = subprocess.run(command, env={**os.environ, "XLA_FLAGS": flag}, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == f"{flag} --xla_gpu_deterministic_ops=true"

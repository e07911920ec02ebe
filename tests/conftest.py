"""Settings that make a careless test fail: no key used twice, two devices, warnings as errors."""

import functools
import gc
import importlib.metadata
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

# Two devices; and compiling without much optimization and in one piece: most of the tests' time goes into compiling.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "")
    + " --xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
    + " --xla_cpu_parallel_codegen_split_count=1"
    # Nothing here is large enough for several threads, which keep cores busy with waiting.
    + " --xla_cpu_multi_thread_eigen=false"
    # A third less time; later versions know it no more.
    + " --xla_cpu_use_fusion_emitters=false" * importlib.metadata.version("jax").startswith("0.10.")
)
os.environ["OMP_NUM_THREADS"] = "1"  # nor for NumPy and scikit-learn

# Melodies sound the same whether FluidSynth is installed or not.
os.environ["JAXVAE_SOUNDFONT"] = "none"

import hypothesis
import jax
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from jax._src.interpreters import mlir

from jaxvae.data import decoded

# JAX makes millions of objects that stay: with the usual threshold a twentieth of the time goes into looking at them.
gc.set_threshold(50_000, 20, 20)

if not hasattr(mlir, "_thread_local_context"):
    # Ten programs of a thread share a context of MLIR, as in later versions of JAX: to make one takes a quarter of the
    # time that a small program takes.
    made, make = itertools.count(), functools.lru_cache(maxsize=4)(lambda *key, new=mlir.make_ir_context: new())
    mlir.make_ir_context = lambda: make(threading.get_ident(), next(made) // 10)

PROJECT = Path(__file__).resolve().parent.parent

# The same examples each time, and few of them; `--hypothesis-profile long` looks for others.
set_hypothesis_home_dir(PROJECT / ".cache" / "hypothesis")
anyhow = {"deadline": None, "database": None, "suppress_health_check": list(hypothesis.HealthCheck)}
hypothesis.settings.register_profile("short", max_examples=40, derandomize=True, **anyhow)
hypothesis.settings.register_profile("long", max_examples=3000, **anyhow)
hypothesis.settings.load_profile("short")

jax.config.update("jax_debug_key_reuse", True)
# One cache for each worker: JAX writes its files in place, where another could read half of one.
caches, worker = Path(os.environ.get("JAXVAE_TEST_CACHE", PROJECT / ".cache" / "jax")), "PYTEST_XDIST_WORKER"
jax.config.update("jax_compilation_cache_dir", str(caches / os.environ.get(worker, "alone")))
# Small programs are compiled sooner than they are written.
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.fixture(scope="session", autouse=True)
def decoded_sets(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep decoded sets in a folder of the tests' own."""
    decoded.CACHE = tmp_path_factory.mktemp("decoded")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; a test that asks for it skips where there is none."""
    folder = Path(os.environ.get("JAXVAE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set JAXVAE_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def s3_server():
    """Address of a real S3 server on this machine, in a process of its own."""
    for package in ("obstore", "moto", "flask_cors"):
        pytest.importorskip(package)
    serve = (
        "import sys; from moto.server import ThreadedMotoServer as Server; server = Server('127.0.0.1', 0); "
        "server.start(); print(server.get_host_and_port()[1], flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "-c", serve], **pipes) as server:
        port = next(line for line in server.stdout if line.strip().isdecimal())
        yield f"http://127.0.0.1:{port.strip()}"
        server.kill()


BUCKETS = itertools.count()


@pytest.fixture
def bucket(s3_server, tmp_path, monkeypatch):
    """Address of an empty bucket, with the environment that leads there, and a place for working copies."""
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "copies"))
    settings = {"ENDPOINT_URL": s3_server, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"bucket-{next(BUCKETS)}"
    urllib.request.urlopen(urllib.request.Request(f"{s3_server}/{name}", method="PUT")).close()
    return f"s3://{name}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow the rows that a test's mark `quick_rows` does not name; whole programs come first.

    A long file at the end would leave one worker alone with it.
    """
    for item in items:
        quick = item.get_closest_marker("quick_rows")
        if quick and item.callspec.id not in quick.args:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not item.path.is_relative_to(PROJECT / "tests" / "experiments"))

"""Runs that are broken on purpose, and the table of how many were survived.

`pytest -m faults` breaks a few; `JAXVAE_FAULTS_ROUNDS=20 pytest -n 0 -m faults` breaks many, and writes the table in
docs/reproducibility.md.
"""

import contextlib
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jax
import pytest
from PIL import Image

from jaxvae.options import Recipe, given
from jaxvae.options.names import options
from jaxvae.report import read_metrics
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.training import loop

sys.path.insert(0, str(Path(__file__).parent))
from breaking import at_call

PROJECT = Path(__file__).resolve().parents[2]
TRAIN = PROJECT / "experiments" / "train.py"
DOCUMENT = PROJECT / "docs" / "reproducibility.md"
BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->"
ROUNDS = int(os.environ.get("JAXVAE_FAULTS_ROUNDS", "0"))
"""Of each random fault; 0 for the short form."""
TRIED, SURVIVED = Counter(), Counter()


def pytest_terminal_summary(terminalreporter):
    if TRIED:
        terminalreporter.section("faults")
        terminalreporter.write(table())


def pytest_sessionfinish(session):
    if ROUNDS and TRIED and not session.config.option.keyword:
        before, rest = DOCUMENT.read_text().split(BEGIN)
        DOCUMENT.write_text(before + BEGIN + table() + END + rest.split(END)[1])


def table():
    rows = [f"| {name} | {TRIED[name]} | {SURVIVED[name]} |" for name in TRIED]
    rows.append(f"| together | {TRIED.total()} | {SURVIVED.total()} |")
    return "\n".join(["| fault | tried | survived |", "|---|---:|---:|", *rows]) + "\n"


@pytest.fixture
def fault():
    """A context in which a run is broken and mended: counted in the table, as survived if nothing fails."""

    @contextlib.contextmanager
    def counted(name, times=1):
        TRIED[name] += times
        yield
        SURVIVED[name] += times

    return counted


@pytest.fixture
def rounds():
    """How often a random fault is tried: as told, or so many times as the short form has time for, which may be 0."""

    def count(short):
        if not (ROUNDS or short):
            pytest.skip("takes the long form: JAXVAE_FAULTS_ROUNDS=20")
        return ROUNDS or short

    return count


@pytest.fixture
def few():
    """So many of the possibilities as the short form has time for; the long form takes all."""
    return lambda names, count: list(names) if ROUNDS else random.Random(5).sample(list(names), count)


@pytest.fixture(scope="session")
def train():
    """experiments/train.py as a module."""
    spec = importlib.util.spec_from_file_location("experiments_train_of_faults", TRAIN)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def small_run(run_dir, **options):
    """A short run whose metrics, checkpoints and end fall on different steps."""
    compute = {"devices": 1, "num_processes": 1, "dispatch": "step"}
    defaults = {"steps": 25, "log_every": 7, "checkpoint_every": 10, "hidden": (8,), "latent_dim": 3, "batch_size": 32}
    quick = {"tensorboard": False, "figures": False, **compute}
    return given(**{"run_dir": run_dir, **defaults, **quick, **options})


@pytest.fixture
def broken(tmp_path):
    """The options of the run that is to be broken."""
    return small_run(tmp_path / "run", tensorboard=True)


@pytest.fixture(scope="session")
def interrupted(train, tmp_path_factory):
    """A run that was stopped at once in step 22: its last checkpoint is of step 20."""
    run_dir = tmp_path_factory.mktemp("interrupted") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Progress, "add", at_call(22, interrupt_the_main_thread, loop.Progress.add))
        with pytest.raises(KeyboardInterrupt):
            train.main(small_run(run_dir))
    return run_dir


@pytest.fixture
def resumed(interrupted, tmp_path):
    """A copy of the interrupted run, to be damaged, and the options to resume it with."""
    shutil.copytree(interrupted, tmp_path / "run")
    return small_run(tmp_path / "run")


def interrupt_the_main_thread():
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def whole(train, tmp_path_factory):
    """The directory of the same run, undisturbed."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    assert train.main(small_run(run_dir)) == 0
    return run_dir


@pytest.fixture
def command(train, monkeypatch, capsys):
    """What a person at the command line gets of train.py: exit code, output, the last line of errors."""

    def call(config):
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments(config)])
        with pytest.raises(SystemExit) as stop:
            run_script(train.main, Recipe)
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return stop.value.code, output.out, (output.err.splitlines() or [""])[-1]

    # As in a terminal: a shell's background jobs begin with Ctrl-C ignored.
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


def arguments(config):
    """Options as they are written on the command line."""
    words = []
    for option, value in ((option.flag[2:], option.value) for option in options(config).values()):
        if isinstance(value, bool):
            words += [f"--{option}" if value else f"--no-{option}"]
        elif value is not None:
            words += [f"--{option}", *(map(str, value) if isinstance(value, tuple) else [str(value)])]
    return words


@pytest.fixture
def start():
    """Starts a real process of train.py, or of the driver that breaks it, which computes what this process does."""
    processes = []
    cache = {"JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir}
    environment = {**os.environ, **cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    def call(config, *driver):
        script = [str(Path(__file__).parent / "driver.py"), *map(str, driver)] if driver else [str(TRAIN)]
        processes.append(subprocess.Popen([sys.executable, *script, *arguments(config)], env=environment, **pipes))
        return processes[-1]

    yield call
    for process in processes:
        process.kill()
        process.communicate()


def lines(run_dir):
    """All that the metrics say, but for the speed."""
    return [{**record, "examples_per_second": None} for record in read_metrics(run_dir / "metrics.jsonl")]


def results(run_dir):
    """All that the summary says, but for speed and time."""
    summary = json.loads((run_dir / "summary.json").read_text())
    return {name: value for name, value in summary.items() if name not in ("examples_per_second", "first_run_at")}


@pytest.fixture
def assert_nothing_is_lost(whole):
    """That a run ended as it would have done undisturbed, to the last bit and line, and left nothing half done."""

    def check(run_dir):
        assert results(run_dir) == results(whole)
        assert lines(run_dir) == lines(whole)
        assert load_run(run_dir).step == load_run(whole).step
        assert load_run(run_dir, select="best").step == load_run(whole, select="best").step
        assert not [path for path in run_dir.rglob("*") if path.suffix == ".part" or path.name == "lock"]
        for picture in run_dir.glob("figures/*.png"):
            Image.open(picture).load()

    return check

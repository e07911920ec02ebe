"""The console command: its subcommands by name, and the commands of Python's -m."""

import subprocess
import sys

import pytest

import jaxvae
from jaxvae.commands import console
from jaxvae.runs import command_line


@pytest.fixture
def typed(monkeypatch, capsys):
    """Type a command; its exit code, output and errors."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["jaxvae", *words])
        with pytest.raises(SystemExit) as stop:
            console.main()
        return stop.value.code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_lists_every_subcommand(typed, words):
    code, out, err = typed(*words)
    assert (code, err) == (0, "")
    for name, command in console.COMMANDS.items():
        assert f"  {name:<12}{command.summary}\n" in out


def test_a_wrong_name_is_one_line(typed):
    assert typed("smaple", "--num", "3") == (
        2,
        "",
        "error: 'smaple': no such command (did you mean 'sample'?); jaxvae --help lists them all\n",
    )


def test_the_version_is_that_of_the_package(typed):
    assert typed("--version") == (0, f"{jaxvae.__version__}\n", "")


@pytest.mark.parametrize("name", console.COMMANDS)
def test_each_subcommand_has_its_help(typed, name):
    code, out, _ = typed(name, "--help")
    assert code == 0
    assert ("--folder" if name in ("runs", "sweep") else "--run-dir") in out
    assert f"usage: jaxvae {name} " in out or name == "train"


def test_a_subcommand_gets_its_options(typed):
    assert typed("evaluate", "--num-samples", "x") == (2, "", "error: num-samples: must be a whole number, got 'x'\n")


def test_a_missing_package_is_one_line_with_its_extra(typed, monkeypatch):
    def parse(*_, **__):
        raise ModuleNotFoundError("No module named 'tyro'", name="tyro")

    monkeypatch.setattr(command_line, "parse", parse)
    assert typed("train") == (2, "", "error: tyro: is not installed; pip install 'jaxvae[experiments]'\n")


def test_a_module_that_no_extra_installs_is_an_error_of_the_program(monkeypatch):
    def parse(*_, **__):
        raise ModuleNotFoundError("No module named 'mine'", name="mine")

    monkeypatch.setattr(command_line, "parse", parse)
    monkeypatch.setattr(sys, "argv", ["jaxvae", "train"])
    with pytest.raises(ModuleNotFoundError, match="mine"):
        console.main()


@pytest.mark.slow
@pytest.mark.parametrize("module", [["jaxvae.train"], ["jaxvae", "train"]])
def test_python_runs_the_module_without_a_warning(module, tmp_path):
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", *module, "--steps", "0"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (2, "error: steps: must be at least 1, got 0\n")
    assert not list(tmp_path.iterdir())


def test_the_module_train_is_not_to_be_imported():
    with pytest.raises(ImportError, match="is a function, not a module"):
        __import__("jaxvae.train")

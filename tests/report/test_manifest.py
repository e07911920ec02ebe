"""The manifest: what changes numbers is in it, and a run that goes on elsewhere keeps what it began with."""

import importlib
import json
import subprocess

import jax
import pytest

from jaxvae.report import manifest
from jaxvae.report.manifest import write_manifest

manifests = importlib.import_module("jaxvae.report.manifest")  # the package has a function of this name


@pytest.fixture(autouse=True)
def flags_are_read():
    """XLA ends a process whose flags it does not know, and reads them once."""
    assert jax.devices()


def test_settings_that_change_numbers_are_told(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--one --two")
    facts = manifest()
    assert facts["xla_flags"] == "--one --two"
    assert facts["jax"]["jax_threefry_partitionable"] is True
    assert facts["devices"] == [device.device_kind for device in jax.devices()]
    assert facts["cpu"]["cores"] >= 1
    with jax.default_matmul_precision("highest"):
        assert manifest()["jax"]["jax_default_matmul_precision"] == "highest"


def test_a_commit_is_that_of_the_package_and_of_no_project_around_it(tmp_path, monkeypatch):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "first"], check=True)
    monkeypatch.setattr(manifests, "CHECKOUT", tmp_path)
    assert len(manifest()["git_commit"]) == 40
    (tmp_path / "site-packages").mkdir()
    monkeypatch.setattr(manifests, "CHECKOUT", tmp_path / "site-packages")
    assert manifest()["git_commit"] is None


def test_what_a_run_began_with_stays_and_what_it_went_on_with_is_added(tmp_path, monkeypatch):
    path = tmp_path / "manifest.json"
    monkeypatch.setenv("XLA_FLAGS", "--first")
    write_manifest(path, config={"steps": 1}, data={"name": "a"})
    write_manifest(path, config={"steps": 2}, data={"name": "a"})
    first = json.loads(path.read_text())
    assert "later" not in first
    assert first["config"] == {"steps": 2}
    for flags in ("--second", "--second", "--first"):
        monkeypatch.setenv("XLA_FLAGS", flags)
        write_manifest(path, config={"steps": 3}, data={"name": "a"})
    now = json.loads(path.read_text())
    assert now["xla_flags"] == "--first"
    assert now["later"] == [{"xla_flags": "--second"}, {"xla_flags": "--first"}]
    assert {**now, "config": 0, "later": 0} == {**first, "config": 0, "later": 0}


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_one_is_written_anew(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_text(content)
    write_manifest(path, data={"name": "a"})
    assert json.loads(path.read_text())["data"] == {"name": "a"}

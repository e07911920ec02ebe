"""Files of a stranger make no code run: what SECURITY.md says of run directories, data sets and recipes."""

import ast
import json
import pickle
import sys
import types
from pathlib import Path

import pytest

from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.options.stored import to_json
from jaxvae.runs.data import load_data
from jaxvae.runs.reproduce import _recipe

PROJECT = Path(__file__).resolve().parent.parent
MODULE = """
from pathlib import Path

import numpy as np

Path("ran").touch()


def rows():
    return {"x": np.zeros((20, 3)), "label": np.arange(20) % 2}
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A module that tells by a file when it is imported, in a folder of which this is the parent."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "code_28.py").write_text(MODULE)
    yield "theirs.code_28"
    for name in ("theirs", "theirs.code_28"):
        sys.modules.pop(name, None)


def test_the_function_that_a_run_names_is_called_only_where_the_user_names_it(stranger, tmp_path):
    name = f"{stranger}:rows"
    run = types.SimpleNamespace(recipe=given(dataset=name), space=load("digits").space)
    with pytest.raises(InputError, match=f"the run names a function, {name}, and no file .*give --dataset {name}"):
        load_data(run)
    assert not (tmp_path / "ran").exists()
    for options in ({"dataset": name}, {}):  # from now on the process knows it
        with pytest.raises(InputError, match=r"examples of theirs.* are \(3,\), the run learned \(8, 8, 1\)"):
            load_data(run, **options)
    assert (tmp_path / "ran").exists()


def test_a_reproduction_takes_neither_code_nor_compiled_programs_nor_hosts_from_a_run(stranger, tmp_path):
    folder, name = tmp_path / "theirs", f"{stranger}:rows"
    compute = {"compilation_cache": str(folder / "cache"), "dispatch": "pmap", "deterministic": True}
    hosts = {"coordinator": "far:1234", "num_processes": 2, "process_id": 1}
    config = to_json(given(dataset=name, **compute, **hosts))
    (folder / "summary.json").write_text("{}")
    (folder / "manifest.json").write_text(json.dumps({"config": config}))
    with pytest.raises(InputError, match=f"names a function, {name}, .* give --dataset {name} too"):
        _recipe(given(reproduce=folder), folder)
    again = _recipe(given(reproduce=folder, dataset=name), folder)
    assert again.data.dataset == name
    assert again.compute == given(dispatch="pmap", deterministic=True).compute
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("key", ["pythonClassName", "type"])
def test_a_class_that_a_prepared_set_names_is_not_imported(stranger, tmp_path, key):
    folder = tmp_path / "theirs" / "our_pets" / "1.0.0"
    folder.mkdir(parents=True)
    features = {key: "tensorflow_datasets.core.features.FeaturesDict", "content": [{key: f"{stranger}.Pet"}]}
    (folder / "features.json").write_text(json.dumps(features))
    for name in ("tfds:our_pets", "tfds:OurPets:1.0.0"):
        with pytest.raises(InputError, match=rf"features.json names code, {stranger}.Pet, and no file makes code run"):
            load(name, "theirs")
    assert not (tmp_path / "ran").exists()


def test_a_set_of_tfds_that_is_a_program_is_refused():
    with pytest.raises(InputError, match="tfds:stranger:pets: comes with programs of its own"):
        load("tfds:stranger:pets")


class Touching:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_pickled_chunks_of_a_zarr_store_are_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    unpickle = {"id": "pickle", "protocol": 5}
    for dtype, choice in (("<f4", {"compressor": unpickle}), ("|O", {"filters": [unpickle]})):
        array = {"zarr_format": 2, "shape": [20, 4], "chunks": [20, 4], "dtype": dtype, "fill_value": 0, "order": "C"}
        store = tmp_path / f"{dtype[1:]}.zarr"
        (store / "x").mkdir(parents=True)
        (store / ".zgroup").write_text('{"zarr_format": 2}')
        (store / "x" / ".zarray").write_text(json.dumps({**array, "compressor": None, "filters": None, **choice}))
        (store / "x" / "0.0").write_bytes(pickle.dumps(Touching()))
        with pytest.raises(InputError, match=r"\.zarr: cannot be read"):
            load(str(store))
    assert not Path("ran").exists()


UNSAFE = {
    "eval",
    "exec",
    "pickle",
    "cPickle",
    "cloudpickle",
    "dill",
    "joblib",
    "marshal",
    "shelve",
    "yaml",
    "read_pickle",
}


def test_no_line_unpickles_or_evaluates_text():
    for path in [*(PROJECT / "jaxvae").rglob("*.py"), *(PROJECT / "experiments").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            elif isinstance(node, ast.Call):
                names = {getattr(node.func, "id", getattr(node.func, "attr", None))}
                pickles = [word.value for word in node.keywords if word.arg == "allow_pickle"]
                assert all(getattr(value, "value", True) is False for value in pickles), path
                shells = [word for word in node.keywords if word.arg == "shell"]
                assert not shells, path
            else:
                continue
            assert not names & UNSAFE, f"{path}: line {node.lineno}"

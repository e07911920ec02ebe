"""A function of the user as a data set, found by its name from the current folder."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from jaxvae.data import is_place, kind_by_name, load
from jaxvae.data.spaces import Pixels, Real
from jaxvae.errors import InputError

MODULE = """
import numpy as np

def arrays():
    return {"x": np.arange(60.0).reshape(20, 3), "label": np.arange(20) % 2}

def nothing():
    return None

constant = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_15.py").write_text(MODULE)
    yield "mine_15"
    sys.modules.pop("mine_15", None)


def test_its_arrays_are_the_set(module, tmp_path):
    path = list(sys.path)
    data = load(f"{module}:arrays")
    assert sys.path == path
    np.savez(tmp_path / "mine.npz", x=np.arange(60.0).reshape(20, 3), label=np.arange(20) % 2)
    assert data.fingerprint() == load("mine.npz").fingerprint()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mine_15:nothing", "'mine_15:nothing': .*NoneType"),
        ("mine_15:array", r"mine_15\.py has no function 'array' \(did you mean 'arrays'\?\); define it there"),
        ("mine_15:constant", r"mine_15\.py has no function 'constant'; define it there"),
        ("mine_16.faces:load", r"module 'mine_16.faces' cannot be imported .*start in the folder that holds mine_16"),
    ],
)
def test_what_is_no_function_or_no_set_is_refused_in_one_line(module, name, told):
    with pytest.raises(InputError, match=told) as caught:
        load(name)
    assert "\n" not in str(caught.value)


def test_an_error_inside_the_function_is_the_users_to_see(module, tmp_path):
    (tmp_path / f"{module}.py").write_text("def load():\n    raise KeyError('image')\n")
    with pytest.raises(KeyError, match="image"):
        load(f"{module}:load")


def test_a_file_of_this_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not is_place("mine:load")
    (tmp_path / "mine:load").write_text("")
    assert is_place("mine:load")
    assert kind_by_name("mine:texts") is None


PAGE = Path(__file__).resolve().parents[3] / "docs" / "own_data.md"


@pytest.mark.parametrize(("name", "space"), [("mine:wine", Real((13,))), ("large:squares", Pixels((16, 16, 1)))])
def test_the_functions_of_the_page_are_sets(tmp_path, monkeypatch, name, space):
    monkeypatch.chdir(tmp_path)
    module = name.split(":")[0]
    (code,) = re.findall(rf"```python\n# {module}\.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / f"{module}.py").write_text(code)
    try:
        data = load(name, stream=True)
    finally:
        sys.modules.pop(module, None)
    assert data.space == space
    assert name in PAGE.read_text()
    if module == "mine":
        assert (data.name, data.classes[0], data.facts["columns"][0]) == ("mine-wine", "class_0", "alcohol")
    else:
        assert (data.train.num_examples, data.train.x[[[3, 1]]].shape) == (800, (1, 2, 16, 16, 1))

"""Names of sets: what is a path, what stays as it is from any folder, and how folders are named after them."""

import pytest

from jaxvae.data.places import absolute, asked, is_function, stem
from jaxvae.errors import InputError
from jaxvae.options import Recipe, given
from jaxvae.options.identity import default_run_dir, identity


def recipe(dataset: str) -> Recipe:
    return given(preset="vae", dataset=dataset)


@pytest.mark.parametrize("name", ["tfds:cifar10", "hf:user/set?image=a", "mine:load"])
def test_a_name_is_part_of_the_identity_and_stays_as_it_is(name):
    assert absolute(name) == name
    assert identity(recipe(name))["dataset"] == name
    assert ":" not in default_run_dir(recipe(name)).name


def test_a_path_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "dataset" not in identity(recipe("faces.npz"))
    assert absolute("faces.npz") == str(tmp_path / "faces.npz")
    assert absolute("hf:faces?label=a") == "hf:faces?label=a"
    (tmp_path / "faces").mkdir()
    assert absolute("hf:faces?label=a") == f"hf:{tmp_path}/faces?label=a"
    assert stem("hf:faces?label=a") == "faces"


def test_choices_behind_the_question_mark():
    assert asked("hf:a/b?text=x&label=").choices == {"text": "x", "label": ""}
    assert asked("tfds:a/b:1.0.0") == ("a/b:1.0.0", {})
    with pytest.raises(InputError, match=r"^dataset: 'tfds:a\?text': behind the \? stands no key=value"):
        asked("tfds:a?text")


@pytest.mark.parametrize("name", ["C:\\faces", "a b:load", "faces", "faces.npz", "hf:faces", "https://host/set", ""])
def test_what_is_no_function(name):
    assert not is_function(name)

"""Files of other kinds: the advice for them is one line, and those lines that can be tried are right."""

import gzip
import importlib
import io
import pathlib
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from jaxvae.data import load
from jaxvae.data.sources.recipes import RECIPES, recipe
from jaxvae.errors import InputError

TABLE = np.random.default_rng(0).uniform(size=(20, 4)).astype(np.float32)


ENDS = [end for ends in RECIPES for end in ends]


@pytest.mark.parametrize("end", [*ENDS, ".xyz", ""])
def test_every_kind_is_refused_with_its_recipe(tmp_path, end):
    path = tmp_path / f"it's mine{end}"
    path.write_bytes(b"1,2\n")
    with pytest.raises(InputError, match="is of a kind that is not read; ") as caught:
        load(str(path))
    assert "\n" not in str(caught.value)
    assert recipe(path) in str(caught.value)
    if "(" in recipe(path) and end in ENDS:
        compile(recipe(path), end, "exec")
    assert path.read_bytes() == b"1,2\n"


def test_the_page_on_own_data_has_every_recipe():
    page = (Path(__file__).resolve().parents[3] / "docs" / "own_data.md").read_text()
    for ends in RECIPES:
        assert ", ".join(f"`{end}`" for end in ends) + " | " in page
        assert recipe(Path(f"a{ends[0]}")) in page


def test_the_longest_end_counts():
    assert recipe(Path("a.npz.gz")).endswith("pathlib.Path('a.npz').write_bytes(content)")
    assert recipe(Path("a.zip")) == "shutil.unpack_archive('a.zip', 'a')  # then name the folder 'a'"
    assert "savez('train-images.npz'" in recipe(Path("train-images-idx3-ubyte.gz"))


def _zipped(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content))


def _archive() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, image=TABLE)
    return stream.getvalue()


WRITERS = {
    "a.dat": lambda path: np.savetxt(path, TABLE),
    "a.mat": lambda path: scipy.io.savemat(path, {"x": TABLE}),
    "a.npz.gz": lambda path: _zipped(path, _archive()),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_recipe_makes_a_set_that_is_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    WRITERS[name](Path(name))
    line = recipe(Path(name))
    exec(
        line,
        {name: importlib.import_module(name) for name in re.findall(r"\b(numpy|scipy|gzip|pathlib)\.", line)},
    )
    data = load("a.npz")
    found = np.concatenate([split.x for split in (data.train, data.validation, data.test)])
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(TABLE, axis=0), atol=1e-7)


def test_the_original_files_of_mnist_become_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (10, 28, 28), dtype=np.uint8)
    _zipped(Path("train-images-idx3-ubyte.gz"), bytes(16) + images.tobytes())
    exec(recipe(Path("train-images-idx3-ubyte.gz")), {"numpy": np, "gzip": gzip, "pathlib": pathlib})
    assert load("train-images.npz").train.num_examples == 8


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("notes.xyz",), r"holds no image; files of these kinds are read: .*\.png"),
        (("labels.json", "notes.xyz"), r"holds no image, but labels\.json; x = pandas\.read_json\('.*labels\.json'\)"),
        (("a.heic", "b.HEIC", "c.dcm"), r"holds no image that is read, but 2 \.heic and 1 \.dcm; convert them"),
        (("data.npz",), r"holds no image; name the file, '.*data\.npz'"),
        (("notes.xyz", "data.csv"), r"holds no image; name the file, '.*data\.csv'"),
        ((), "holds no image; files of these kinds"),
    ],
)
def test_a_folder_without_images_is_refused_with_the_recipe_of_what_it_holds(tmp_path, names, message):
    for name in names:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=message):
        load(str(tmp_path))


def test_one_image_is_no_set(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=rf"a\.png is one image; name the folder that it lies in, '{tmp_path}'"):
        load(str(tmp_path / "a.png"))
    (tmp_path / "a.heic").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.heic is an image of a kind that is not read; convert it"):
        load(str(tmp_path / "a.heic"))

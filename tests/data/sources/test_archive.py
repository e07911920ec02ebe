"""Archives that claim more than there is, and that hold what is no array."""

import io
import zipfile

import numpy as np
import pytest

from jaxvae.data import load, memory
from jaxvae.errors import InputError

GREY = np.random.default_rng(0).integers(0, 256, (20, 6, 4), dtype=np.uint8)


def _claiming(path, name: str, shape: tuple[int, ...], dtype=np.uint8) -> str:
    """An archive with images, of which one array claims a shape that it does not hold."""
    np.savez(path, image=GREY)
    stream = io.BytesIO()
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(path, "w" if name == "image" else "a") as archive:
        archive.writestr(f"{name}.npy", stream.getvalue() + bytes(50))
    return str(path)


@pytest.mark.parametrize(
    ("name", "shape"), [("image", (10**6, 2048, 2048)), ("image", (2**62, 2**62)), ("age", (10**14,))]
)
def test_a_claim_beyond_memory_is_refused_before_it_is_read(tmp_path, name, shape):
    path = _claiming(tmp_path / "mine.npz", name, shape)
    with pytest.raises(InputError, match=rf"array '{name}', uint8 \(.*\), takes .* GB, this machine has .* GB; store"):
        load(path)


def test_claims_add_up(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "machine_memory", lambda: 3 * GREY.nbytes)
    np.savez(tmp_path / "mine.npz", image=GREY, a=np.zeros(GREY.nbytes, np.uint8), b=np.zeros(GREY.nbytes, np.uint8))
    assert load(str(tmp_path / "mine.npz")).shape == (6, 4, 1)
    monkeypatch.setattr(memory, "machine_memory", lambda: 3 * GREY.nbytes - 1)
    with pytest.raises(InputError, match="array 'b', uint8"):
        load(str(tmp_path / "mine.npz"))


def test_a_claim_that_memory_holds_but_the_file_does_not(tmp_path):
    with pytest.raises(InputError, match=r"array 'image' cannot be read \(.*; save arrays"):
        load(_claiming(tmp_path / "mine.npz", "image", (100, 8, 8)))


def test_image_files_that_unpack_to_more_than_memory_are_refused(tmp_path, monkeypatch):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (2000, 1000)).save(stream, "PNG")
    file = np.frombuffer(stream.getvalue(), np.uint8)
    np.savez(tmp_path / "mine.npz", png=np.tile(file, 3), offset=len(file) * np.arange(4))
    monkeypatch.setattr(memory, "machine_memory", lambda: 5_000_000)
    with pytest.raises(InputError, match=r"array 'png', decoded, takes 0\.0 GB"):
        load(str(tmp_path / "mine.npz"))


def test_what_is_no_array_does_no_harm(tmp_path):
    np.savez(tmp_path / "mine.npz", image=GREY)
    with zipfile.ZipFile(tmp_path / "mine.npz", "a") as archive:
        archive.writestr("readme.txt", "taken in May")
    assert load(str(tmp_path / "mine.npz")).shape == (6, 4, 1)


def test_an_array_that_calls_itself_an_archive_is_refused(tmp_path):
    with (tmp_path / "mine.npz").open("wb") as stream:
        np.save(stream, GREY)
    with pytest.raises(InputError, match=r"array 'image' cannot be read \(.*; save arrays of numbers with numpy.savez"):
        load(str(tmp_path / "mine.npz"))

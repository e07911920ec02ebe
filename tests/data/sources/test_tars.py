"""Archives of images: the set is that of the folder that was packed, and what cannot be used is refused in one line."""

import io
import shutil
import subprocess
import tarfile

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Preparation, kind_by_name, load
from jaxvae.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 6, 4), np.uint8)


def fill(folder, names):
    for name, pixels in zip(names, PIXELS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name)
    return folder


CLASSES = [f"{'cats' if i % 2 else 'dogs'}/{i:02}.png" for i in range(20)]
SPLITS = [f"{'test' if i % 3 == 0 else 'train'}/{'cats' if i % 2 else 'dogs'}/{i:02}.png" for i in range(20)]
PLAIN = [f"{i:02}.png" for i in range(20)]


@pytest.mark.parametrize("names", [CLASSES, SPLITS, PLAIN], ids=["classes", "splits", "plain"])
@pytest.mark.parametrize("inside", [".", "pets"])
def test_an_archive_is_read_as_the_folder_that_was_packed(tmp_path, names, inside):
    """Packed by the program `tar`, from the folder itself and from the one above it."""
    folder = fill(tmp_path / "pets", names)
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no image")
    above = folder if inside == "." else tmp_path
    subprocess.run(["tar", "-cf", tmp_path / "pets.tar", "-C", above, inside], check=True)
    packed, expected = load(str(tmp_path / "pets.tar"), stream=True), load(str(folder))
    assert not isinstance(packed.train.x, np.ndarray)
    assert (packed.name, packed.classes, packed.space) == (expected.name, expected.classes, expected.space)
    assert packed.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize(("end", "kind"), [("tar.gz", "gz"), ("tgz", "gz"), ("tar.bz2", "bz2"), ("tar.xz", "xz")])
def test_a_compressed_archive_is_streamed_too(tmp_path, end, kind):
    folder = fill(tmp_path / "pets", CLASSES)
    with tarfile.open(tmp_path / f"pets.{end}", f"w:{kind}") as tar:
        tar.add(folder, "pets")
    data = load(str(tmp_path / f"pets.{end}"), stream=True)
    assert data.name == "pets"
    shutil.rmtree(folder)
    (tmp_path / f"pets.{end}").unlink()
    ids = np.array([[3, 0], [1, 3]])
    np.testing.assert_array_equal(data.train.x[ids], data.in_memory().train.x[ids])
    assert kind_by_name(f"pets.{end}") == "images"


def pack(path, files):
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return str(path)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pairs(**changes):
    """Files of WebDataset: `00.png`, `00.cls`, ..."""
    files = {}
    for i, pixels in enumerate(PIXELS):
        files |= {f"{i:02}.png": png(pixels), f"{i:02}.cls": f"{i % 3}\n".encode(), f"{i:02}.json": b"{}"}
    files |= {name.replace("_", ".").removeprefix("f"): content for name, content in changes.items()}
    return {name: content for name, content in files.items() if content is not None}


def test_files_beside_the_images_hold_their_classes(tmp_path):
    data = load(pack(tmp_path / "shard.tar", pairs()))
    numbers = {pixels.tobytes(): i % 3 for i, pixels in enumerate(PIXELS)}
    for split in (data.train, data.validation, data.test):
        assert split.label.tolist() == [numbers[image.tobytes()] for image in split.x]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (pairs(f03_cls=None), r"03\.png has no 03\.cls beside it; give one to each image, or to none"),
        (pairs(f03_cls=b"cat"), r"03\.cls holds 'cat'; write a class number from 0"),
        (pairs(f03_png=b"no image"), r"03\.png: not a readable image"),
        ({"a.txt": b"1"}, "holds no image"),
        ({"train/a.png": png(PIXELS[0]), "b.png": png(PIXELS[1])}, "holds only train, but train and test are needed"),
        ({"a.png": png(PIXELS[0]), "b.png": png(PIXELS[1, :3])}, r"images of 2 sizes, 4x6 \(1: a\.png\)"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, files, told):
    path = pack(tmp_path / "x.tar", files)
    with pytest.raises(InputError, match=told) as caught:
        load(path)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


def test_links_are_refused(tmp_path):
    folder = fill(tmp_path / "pets", PLAIN)
    (folder / "link.png").symlink_to("00.png")
    with tarfile.open(tmp_path / "pets.tar", "w") as tar:
        tar.add(folder, "pets")
    with pytest.raises(InputError, match=r"link\.png is a link; pack the files: tar --dereference"):
        load(str(tmp_path / "pets.tar"))


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100])
def test_a_damaged_archive_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"x\.tar.*(cannot be read|holds no image)") as caught:
        load(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_images_of_an_archive_are_resized(tmp_path):
    data = load(pack(tmp_path / "shard.tar", pairs()), preparation=Preparation(resize=3))
    assert (data.shape, data.preparation) == ((3, 3, 1), {"resize": "3x3 Pillow LANCZOS"})

"""Archives with attributes, and with image files inside; `image`, `label` and `split` alone are in test_files.py."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Dataset, Split, load
from jaxvae.types import InputError

RNG = np.random.default_rng(6)
GREY = RNG.integers(0, 256, (40, 6, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (40, 6, 4, 3), dtype=np.uint8)
SPLIT = np.arange(40) % 3


def _save(folder, **arrays):
    np.savez(folder / "mine.npz", **arrays)
    return str(folder / "mine.npz")


def _encode(images, kind):
    """What an archive holds: all files one after another, and where they begin."""
    files = []
    for image in images:
        files.append(io.BytesIO())
        Image.fromarray(image).save(files[-1], kind, **({"lossless": True} if kind == "webp" else {}))
    sizes = [len(file.getvalue()) for file in files]
    content = np.frombuffer(b"".join(file.getvalue() for file in files), np.uint8)
    return {kind: content, "offset": np.concatenate([[0], np.cumsum(sizes)])}


def test_other_numbers_are_attributes_and_stay_with_their_images(tmp_path):
    marks = {
        "smile": GREY[:, 0, 0] % 2 == 0,
        "age": GREY[:, 0, 1].astype(np.int64),
        "weight": GREY[:, 0, 2] / 7,
    }
    ignored = {"name": np.array(["anna"] * 40), "scale": np.array(2.0), "origin": np.arange(39), "box": GREY[:, 0]}
    python_objects = {"notes": np.array([None] * 40)}
    data = load(_save(tmp_path, image=GREY, split=SPLIT, **marks, **ignored, **python_objects))
    for split in (data.train, data.validation, data.test):
        assert set(split.attributes) == {"smile", "age", "weight"}
        pixels = split.image[:, 0, :3, 0]
        np.testing.assert_array_equal(split.attributes["smile"], pixels[:, 0] % 2 == 0)
        np.testing.assert_array_equal(split.attributes["age"], pixels[:, 1])
        np.testing.assert_array_equal(split.attributes["weight"], pixels[:, 2] / 7)
        assert {array.dtype.kind for array in split.attributes.values()} == {"i", "f"}


def test_the_fingerprint_covers_attributes():
    def fingerprint(**attributes):
        part = Split(GREY[..., None], None, attributes)
        return Dataset("set", part, part).fingerprint()

    smile = np.arange(40) % 2
    all_different = [fingerprint(), fingerprint(smile=smile), fingerprint(smile=1 - smile), fingerprint(hat=smile)]
    assert len(set(all_different)) == 4
    assert fingerprint(smile=smile, hat=1 - smile) == fingerprint(hat=1 - smile, smile=smile)


def test_fingerprints_without_attributes_are_what_they_always_were():
    assert load("digits").fingerprint() == "39160aa3702828ef818979a878c3eb90a4d42877d3bae84eb43e2f6bc866d534"


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
def test_image_files_inside(tmp_path, kind, images):
    data = load(_save(tmp_path, **_encode(images, kind), split=SPLIT, smile=SPLIT))
    expected = images if images.ndim == 4 else images[..., None]
    for number, split in enumerate((data.train, data.validation, data.test)):
        np.testing.assert_array_equal(split.image, expected[number::3])
        np.testing.assert_array_equal(split.attributes["smile"], number)


def test_jpeg_files_are_near_what_was_encoded(tmp_path):
    smooth = np.broadcast_to(np.arange(0, 240, 30, dtype=np.uint8), (4, 8, 8))
    data = load(_save(tmp_path, **_encode(smooth, "jpeg"), split=np.array([0, 0, 2, 2])))
    assert data.shape == (8, 8, 1)
    assert np.abs(data.test.image[..., 0].astype(int) - smooth[2:]).max() < 8


FILES = _encode(GREY, "png")
CONTENT, OFFSET = FILES["png"], FILES["offset"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"png": CONTENT}, "no array 'offset'; give "),
        ({"png": CONTENT, "offset": OFFSET / 1}, r"'offset' is float64 \(41,\)"),
        ({"png": CONTENT, "offset": OFFSET[:, None]}, r"'offset' is int64 \(41, 1\)"),
        ({"png": CONTENT, "offset": OFFSET[:-1]}, f"'offset' is from 0 to {OFFSET[-2]}; .* to {len(CONTENT)}"),
        ({"png": CONTENT, "offset": OFFSET[[0, 2, 1, 40]]}, "'offset' is not in order"),
        ({"png": CONTENT, "offset": OFFSET - 1}, "'offset' is from -1 to"),
        ({"png": CONTENT.astype(int), "offset": OFFSET}, r"'png' is int64 \(\d+,\); give the files' uint8 bytes"),
        ({"png": CONTENT, "webp": CONTENT, "offset": OFFSET}, "arrays 'png' and 'webp'; keep one"),
        ({"png": CONTENT, "image": GREY, "offset": OFFSET}, "arrays 'image' and 'png'; keep one"),
        ({"png": CONTENT[::-1], "offset": OFFSET}, "file 0 of array 'png': not a readable image"),
        ({"png": CONTENT, "offset": OFFSET, "split": SPLIT[:9]}, r"'split' is int64 \(9,\)"),
    ],
)
def test_bad_archives_of_files_are_refused_in_one_line(tmp_path, arrays, message):
    path = _save(tmp_path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_files_of_different_sizes_are_refused(tmp_path):
    files = [_encode(images, "png") for images in (GREY[:3], GREY[:1, :3])]
    offset = np.concatenate([files[0]["offset"], [files[0]["offset"][-1] + files[1]["offset"][-1]]])
    with pytest.raises(InputError, match=r"file 3 of array 'png': 4x3 pixels where .*file 0 .* has 4x6"):
        load(_save(tmp_path, png=np.concatenate([file["png"] for file in files]), offset=offset))


def test_faces_with_smiles(shared_data, tmp_path):
    """The first 300 files of a set of photographs: greys, which WebP stores as luminances without colour."""
    with np.load(shared_data / "npz" / "smiles_64_webp.npz") as file:
        offset, smile, split = file["offset"][:301], file["smile"][:300], file["split"][:300]
        content = file["webp"][: offset[-1]]
    data = load(_save(tmp_path, webp=content, offset=offset, smile=smile, split=split))
    assert (data.shape, data.pixels) == ((64, 64, 1), "grey")
    np.testing.assert_array_equal(data.train.attributes["smile"], smile[split == 0])
    chosen = np.flatnonzero(split == 2)[:20]
    files = [io.BytesIO(content[offset[i] : offset[i + 1]].tobytes()) for i in chosen]
    expected = np.stack([Image.open(file).convert("L") for file in files])
    assert np.abs(data.test.image[:20, ..., 0].astype(int) - expected).max() <= 1

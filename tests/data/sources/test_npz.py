"""Archives: images, labels, splits and attributes, image files inside, and what is refused."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Dataset, Preparation, Split, load
from jaxvae.errors import InputError

RNG = np.random.default_rng(6)
GREY = RNG.integers(0, 256, (50, 6, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (50, 6, 4, 3), dtype=np.uint8)
SPLIT = np.arange(50) % 3


def _save(folder, **arrays):
    np.savez(folder / "mine.npz", **arrays)
    return str(folder / "mine.npz")


def _every_image(data: Dataset) -> np.ndarray:
    return np.concatenate([split.x[:] for split in (data.train, data.validation, data.test) if split])


def _assert_holds_exactly(data: Dataset, images: np.ndarray) -> None:
    """The set holds these images, each once, in whatever order."""
    found = _every_image(data)
    assert found.dtype == images.dtype
    assert sorted(image.tobytes() for image in found) == sorted(image.tobytes() for image in images)


def test_npz_without_split_is_divided_in_tenths(tmp_path):
    data = load(_save(tmp_path, image=GREY))
    assert (data.name, data.shape, data.pixels) == ("mine", (6, 4, 1), "grey")
    assert [s.num_examples for s in (data.train, data.validation, data.test)] == [40, 5, 5]
    assert data.train.x.dtype == np.uint8
    assert data.train.label is None
    _assert_holds_exactly(data, GREY)
    assert data.fingerprint() == load(_save(tmp_path, image=GREY)).fingerprint()


@pytest.mark.parametrize("shape", [(20, 6, 4, 3), (20, 24)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_npz_keeps_channels_and_vectors_and_stores_floats_as_float32(tmp_path, shape, dtype):
    image = RNG.uniform(size=shape).astype(dtype)
    data = load(_save(tmp_path, image=image))
    assert data.shape == shape[1:]
    assert data.train.x.dtype == np.float32
    _assert_holds_exactly(data, image.astype(np.float32))


def test_npz_labels_stay_with_their_images(tmp_path):
    label = GREY[:, 0, 0].astype(np.int64)
    data = load(_save(tmp_path, image=GREY, label=label))
    for split in (data.train, data.validation, data.test):
        assert split.label.dtype == np.int32
        np.testing.assert_array_equal(split.label, split.x[:, 0, 0, 0])


def test_npz_split_is_followed_in_order(tmp_path):
    split = np.arange(50) % 3
    data = load(_save(tmp_path, image=GREY, split=split))
    np.testing.assert_array_equal(data.train.x[..., 0], GREY[0::3])
    np.testing.assert_array_equal(data.validation.x[..., 0], GREY[1::3])
    np.testing.assert_array_equal(data.test.x[..., 0], GREY[2::3])
    assert load(_save(tmp_path, image=GREY, split=split // 2 * 2)).validation is None


def test_two_examples_are_one_to_train_and_one_to_test(tmp_path):
    data = load(_save(tmp_path, image=GREY[:2]))
    assert (data.train.num_examples, data.validation, data.test.num_examples) == (1, None, 1)


@pytest.mark.parametrize(
    ("image", "binary"),
    [
        (GREY // 128 * 255, True),
        ((GREY // 128).astype(np.float32), True),
        (GREY // 64 * 85, False),
        (GREY / 255, False),
    ],
)
def test_binary_is_detected(tmp_path, image, binary):
    assert (load(_save(tmp_path, image=image)).pixels == "binary") is binary


def test_frey_faces(shared_data):
    data = load(str(shared_data / "npz" / "frey_faces.npz"))
    images = _every_image(data)
    assert data.shape == (28, 20, 1)
    assert len(images) == 1965
    assert (images.min(), images.max()) == (8, 238)
    assert abs(images.mean() - 154.46) < 0.005


def test_omniglot_with_its_own_split(shared_data):
    data = load(str(shared_data / "npz" / "omniglot_28.npz"))
    sizes = [split.num_examples for split in (data.train, data.validation, data.test)]
    assert sizes == [24345, 8070, 45]
    assert abs(_every_image(data).mean() / 255 - 0.0805) < 0.00005


FLOATS = np.full((10, 4), 0.5)
INDICES = np.arange(50)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"picture": GREY}, "no array 'image'; save images under this name, numbers as 'x'"),
        ({"Images": GREY}, "no array 'image'; did you mean 'Images'[?]"),
        ({"arr_0": GREY}, "no array 'image'; did you mean 'arr_0'[?]"),
        ({"x_train": GREY, "x_test": GREY, "y_train": INDICES}, r"concatenate\(\[f\['x_train'\], f\['x_test'\]\]"),
        ({"image": np.array([None, 1])}, "'image' cannot be read .*allow_pickle"),
        ({"image": GREY, "label": np.array(["a"] * 50, object)}, "'label' cannot be read .*allow_pickle"),
        ({"image": FLOATS * np.nan}, "'image' holds NaN"),
        ({"image": FLOATS * np.inf}, "'image' holds NaN or infinity"),
        ({"image": GREY.astype(np.int32)}, r"'image' has dtype int32; give image.astype\(numpy.uint8\)"),
        ({"image": GREY.astype(np.int32) - 9}, "'image' has dtype int32; give uint8, or floats"),
        ({"image": GREY.astype(np.uint16)}, r"'image' has dtype uint16; give numpy.float32\(image / 65535\)"),
        ({"image": GREY > 9}, r"'image' has dtype bool; give numpy.uint8\(255 \* image\)"),
        ({"image": FLOATS * 1j}, "'image' has dtype complex128; give uint8"),
        ({"image": GREY % 2}, "'image' is uint8 with no value above 1; .*multiply by 255"),
        ({"image": GREY[0, 0]}, r"'image' has shape \(4,\); give"),
        ({"image": GREY[None, None]}, r"'image' has shape \(1, 1, 50, 6, 4\); give"),
        ({"image": GREY[:0]}, r"'image' is empty: \(0, 6, 4\)"),
        ({"image": GREY[:, :0]}, r"'image' is empty: \(50, 0, 4\)"),
        ({"image": GREY[:1]}, "1 example cannot be divided"),
        ({"image": COLOUR.repeat(2, 2).transpose(0, 3, 1, 2)}, r"come last, got 8; transpose \(0, 2, 3, 1\) if .*N, C"),
        (
            {"image": COLOUR.repeat(2, 2).transpose(1, 2, 3, 0)},
            r"come last, got 50; transpose \(3, 0, 1, 2\) if .*H, W, C",
        ),
        ({"image": GREY, "label": INDICES[:49]}, r"'label' is int64 \(49,\); .*\(50,\)"),
        ({"image": GREY, "label": INDICES / 1}, r"'label' is float64 \(50,\).*numpy.unique"),
        ({"image": GREY, "label": np.array(["a"] * 50)}, r"'label' is <U1 \(50,\).*return_inverse=True"),
        ({"image": GREY, "label": np.zeros((50, 1), int)}, r"'label' is int64 \(50, 1\).*label\[:, 0\]"),
        ({"image": GREY, "label": np.array(3)}, r"'label' is int64 \(\)"),
        ({"image": GREY, "label": np.eye(50)}, r"'label' is float64 \(50, 50\).*argmax"),
        ({"image": GREY, "labels": INDICES}, "array 'labels'; did you mean 'label'[?]"),
        ({"image": GREY, "labels": np.eye(50)}, "array 'labels'; did you mean 'label'[?]"),
        ({"image": GREY, "y": np.array(["a"] * 50)}, "array 'y'; did you mean 'label'[?]"),
        (
            {"image": GREY, "label": INDICES, "classes": np.array(["a", "b"])},
            "'classes' holds 2 names, but 'label' goes to 49",
        ),
        ({"image": GREY, "classes": np.array(["a", "b"])}, "'classes' holds 2 names, but no 'label'"),
        ({"image": GREY, "label": INDICES, "classes": np.array([b"a"])}, r"'classes' is \|S1 \(1,\)"),
        ({"image": GREY, "split": INDICES % 4}, r"'split' holds \[0, 1, 2, 3\]"),
        ({"image": GREY, "split": INDICES % 2}, r"'split' holds \[0, 1\]"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(tmp_path, arrays, message):
    path = _save(tmp_path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_positions_are_attributes_whatever_they_are_called(tmp_path):
    data = load(_save(tmp_path, image=GREY, x=INDICES, y=INDICES))
    assert set(data.train.attributes) == {"x", "y"}


def test_classes_have_names(tmp_path):
    names = np.array(["ape", "cat", "dog"])
    data = load(_save(tmp_path, image=GREY, label=INDICES % 3, classes=names))
    assert data.classes == ("ape", "cat", "dog")
    assert load(_save(tmp_path, image=GREY, label=INDICES % 3)).classes == ()


def test_the_line_that_joins_splits_is_right(tmp_path):
    """The advice for x_train and x_test, run as it stands."""
    path = _save(tmp_path, x_train=GREY[:40], x_test=GREY[40:])
    with pytest.raises(InputError) as caught:
        load(path)
    line = re.search(r"numpy\.savez\(.*\)\), and", str(caught.value))[0].removesuffix(", and")
    with np.load(path) as f:
        exec(line, {"numpy": np, "file": tmp_path / "joined.npz", "f": f})
    data = load(str(tmp_path / "joined.npz"))
    np.testing.assert_array_equal(data.train.x[..., 0], GREY[:40])
    np.testing.assert_array_equal(data.test.x[..., 0], GREY[40:])


@pytest.mark.parametrize("damage", [b"", b"no archive at all", None])
def test_unreadable_npz_is_refused(tmp_path, damage):
    path = Path(_save(tmp_path, image=GREY))
    path.write_bytes(path.read_bytes()[:500] if damage is None else damage)
    with pytest.raises(InputError, match=r"mine\.npz: array 'image' cannot be read"):
        load(str(path))


def test_npz_with_a_flipped_byte_is_refused(tmp_path):
    path = Path(_save(tmp_path, image=GREY))
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="CRC"):
        load(str(path))


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
    ignored = {"name": np.array(["anna"] * 50), "scale": np.array(2.0), "origin": np.arange(49), "box": GREY[:, 0]}
    python_objects = {"notes": np.array([None] * 50)}
    data = load(_save(tmp_path, image=GREY, split=SPLIT, **marks, **ignored, **python_objects))
    for split in (data.train, data.validation, data.test):
        assert set(split.attributes) == {"smile", "age", "weight"}
        pixels = split.x[:, 0, :3, 0]
        np.testing.assert_array_equal(split.attributes["smile"], pixels[:, 0] % 2 == 0)
        np.testing.assert_array_equal(split.attributes["age"], pixels[:, 1])
        np.testing.assert_array_equal(split.attributes["weight"], pixels[:, 2] / 7)
        assert {array.dtype.kind for array in split.attributes.values()} == {"i", "f"}


def test_the_fingerprint_covers_attributes():
    def fingerprint(**attributes):
        part = Split(GREY[..., None], None, attributes)
        return Dataset("set", part, part).fingerprint()

    smile = np.arange(50) % 2
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
        np.testing.assert_array_equal(split.x, expected[number::3])
        np.testing.assert_array_equal(split.attributes["smile"], number)


def test_jpeg_files_are_near_what_was_encoded(tmp_path):
    smooth = np.broadcast_to(np.arange(0, 240, 30, dtype=np.uint8), (4, 8, 8))
    data = load(_save(tmp_path, **_encode(smooth, "jpeg"), split=np.array([0, 0, 2, 2])))
    assert data.shape == (8, 8, 1)
    assert np.abs(data.test.x[..., 0].astype(int) - smooth[2:]).max() < 8


FILES = _encode(GREY, "png")
CONTENT, OFFSET = FILES["png"], FILES["offset"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"png": CONTENT}, "no array 'offset'; give "),
        ({"png": CONTENT, "offset": OFFSET / 1}, r"'offset' is float64 \(51,\)"),
        ({"png": CONTENT, "offset": OFFSET[:, None]}, r"'offset' is int64 \(51, 1\)"),
        ({"png": CONTENT, "offset": OFFSET[:-1]}, f"'offset' is from 0 to {OFFSET[-2]}; .* to {len(CONTENT)}"),
        ({"png": CONTENT, "offset": OFFSET[[0, 2, 1, 50]]}, "'offset' is not in order"),
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
    with pytest.raises(
        InputError, match=r"2 sizes, 4x6 \(3: file 0 .*\), 4x3 \(1: file 3 of array 'png'\); .*--resize"
    ):
        load(_save(tmp_path, png=np.concatenate([file["png"] for file in files]), offset=offset))


def test_encoded_and_plain_arrays_are_resized_alike(tmp_path):
    preparation = Preparation(resize=(4, 2))
    plain = load(_save(tmp_path, image=GREY, split=SPLIT), preparation=preparation)
    encoded = load(_save(tmp_path, **_encode(GREY, "png"), split=SPLIT), preparation=preparation)
    assert plain.shape == (4, 2, 1)
    assert plain.fingerprint() == encoded.fingerprint()
    assert plain.preparation == encoded.preparation == {"resize": "2x4 Pillow LANCZOS"}


def test_vectors_have_no_size(tmp_path):
    with pytest.raises(InputError, match=r"^resize: .*vectors"):
        load(_save(tmp_path, image=FLOATS), preparation=Preparation(resize=(4,)))


@pytest.mark.parametrize("kind", ["gif", "png"])
def test_files_with_several_frames_are_named(tmp_path, kind):
    stream = io.BytesIO()
    frames = [Image.fromarray(image) for image in GREY[:3]]
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
    single = _encode(GREY[:1], "png")["png"]
    content = np.concatenate([single, np.frombuffer(stream.getvalue(), np.uint8)])
    path = _save(tmp_path, png=content, offset=np.array([0, len(single), len(content)]))
    with pytest.raises(InputError, match="file 1 of array 'png': has 3 pages or frames; save each"):
        load(path)


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
    assert np.abs(data.test.x[:20, ..., 0].astype(int) - expected).max() <= 1

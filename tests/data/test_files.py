"""The user's own files: what is read, how it is divided and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Dataset, files, load, rows
from jaxvae.types import InputError

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (50, 6, 4), dtype=np.uint8)


@pytest.fixture(params=[False, True], ids=["loaded", "streamed"])
def stream(request):
    return request.param


def _save(folder: Path, **arrays: np.ndarray) -> str:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return str(path)


def _every_image(data: Dataset) -> np.ndarray:
    return np.concatenate([split.image[:] for split in (data.train, data.validation, data.test) if split])


def _assert_holds_exactly(data: Dataset, images: np.ndarray) -> None:
    """The set holds these images, each once, in whatever order."""
    found = _every_image(data)
    assert found.dtype == images.dtype
    assert sorted(image.tobytes() for image in found) == sorted(image.tobytes() for image in images)


def test_npz_without_split_is_divided_in_tenths(tmp_path):
    data = load(_save(tmp_path, image=GREY))
    assert (data.name, data.shape, data.pixels) == ("mine", (6, 4, 1), "grey")
    assert [s.num_examples for s in (data.train, data.validation, data.test)] == [40, 5, 5]
    assert data.train.image.dtype == np.uint8
    assert data.train.label is None
    _assert_holds_exactly(data, GREY)
    assert data.fingerprint() == load(_save(tmp_path, image=GREY)).fingerprint()


@pytest.mark.parametrize("shape", [(20, 6, 4, 3), (20, 24)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_npz_keeps_channels_and_vectors_and_stores_floats_as_float32(tmp_path, shape, dtype):
    image = RNG.uniform(size=shape).astype(dtype)
    data = load(_save(tmp_path, image=image))
    assert data.shape == shape[1:]
    assert data.train.image.dtype == np.float32
    _assert_holds_exactly(data, image.astype(np.float32))


def test_npz_labels_stay_with_their_images(tmp_path):
    label = GREY[:, 0, 0].astype(np.int64)
    data = load(_save(tmp_path, image=GREY, label=label))
    for split in (data.train, data.validation, data.test):
        assert split.label.dtype == np.int32
        np.testing.assert_array_equal(split.label, split.image[:, 0, 0, 0])


def test_npz_split_is_followed_in_order(tmp_path):
    split = np.arange(50) % 3
    data = load(_save(tmp_path, image=GREY, split=split))
    np.testing.assert_array_equal(data.train.image[..., 0], GREY[0::3])
    np.testing.assert_array_equal(data.validation.image[..., 0], GREY[1::3])
    np.testing.assert_array_equal(data.test.image[..., 0], GREY[2::3])
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


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"picture": GREY}, "no array 'image'"),
        ({"image": np.array([None, 1])}, "'image' cannot be read .*allow_pickle"),
        ({"image": GREY, "label": np.array(["a"] * 50, object)}, "'label' cannot be read .*allow_pickle"),
        ({"image": FLOATS * np.nan}, "'image' holds NaN"),
        ({"image": FLOATS * np.inf}, "'image' holds NaN or infinity"),
        ({"image": FLOATS * 4}, "'image' holds floats from 2 to 2; scale"),
        ({"image": FLOATS - 1}, "'image' holds floats from -0.5 to -0.5; scale"),
        ({"image": GREY.astype(np.int32)}, "'image' has dtype int32; give uint8"),
        ({"image": GREY > 9}, "'image' has dtype bool; give uint8"),
        ({"image": FLOATS * 1j}, "'image' has dtype complex128; give uint8"),
        ({"image": GREY % 2}, "'image' is uint8 with no value above 1; .*multiply by 255"),
        ({"image": GREY[0, 0]}, r"'image' has shape \(4,\); give"),
        ({"image": GREY[None, None]}, r"'image' has shape \(1, 1, 50, 6, 4\); give"),
        ({"image": GREY[:0]}, r"'image' is empty: \(0, 6, 4\)"),
        ({"image": GREY[:, :0]}, r"'image' is empty: \(50, 0, 4\)"),
        ({"image": GREY[:1]}, "1 example cannot be divided"),
        ({"image": GREY, "label": np.arange(49)}, r"'label' is int64 \(49,\); .*\(50,\)"),
        ({"image": GREY, "label": np.arange(50.0)}, r"'label' is float64 \(50,\)"),
        ({"image": GREY, "label": np.zeros((50, 1), int)}, r"'label' is int64 \(50, 1\)"),
        ({"image": GREY, "split": np.arange(50) % 4}, r"'split' holds \[0, 1, 2, 3\]"),
        ({"image": GREY, "split": np.arange(50) % 2}, r"'split' holds \[0, 1\]"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(tmp_path, arrays, message):
    path = _save(tmp_path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


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


def _write_images(folder: Path, images: np.ndarray, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:03}{suffix}")


def test_folder_of_grey_images(tmp_path, stream):
    _write_images(tmp_path, GREY)
    (tmp_path / "notes.txt").write_text("not an image")
    data = load(str(tmp_path), stream=stream)
    assert (data.name, data.shape, data.train.label) == (tmp_path.name, (6, 4, 1), None)
    assert [s.num_examples for s in (data.train, data.validation, data.test)] == [40, 5, 5]
    _assert_holds_exactly(data, GREY)


def test_folder_is_divided_like_the_same_images_in_an_npz(tmp_path, stream):
    _write_images(tmp_path / "images", GREY)
    assert (
        load(str(tmp_path / "images"), stream=stream).fingerprint() == load(_save(tmp_path, image=GREY)).fingerprint()
    )


def test_subfolders_are_the_labels(tmp_path, stream):
    for name, brightness in (("cat", 0), ("ape", 100), ("dog", 200)):
        _write_images(tmp_path / name, np.full((10, 3, 5), brightness, np.uint8), ".bmp")
    data = load(str(tmp_path), stream=stream)
    brightness_of = np.array([100, 0, 200])  # ape, cat, dog
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(brightness_of[split.label], split.image[:][:, 0, 0, 0])


def test_images_at_several_depths_have_no_labels(tmp_path, stream):
    _write_images(tmp_path / "cat", GREY[:3])
    _write_images(tmp_path / "dog" / "small", GREY[3:6])
    data = load(str(tmp_path), stream=stream)
    assert data.train.label is None
    assert len(_every_image(data)) == 6


def test_grey_among_coloured_images_gets_three_equal_channels(tmp_path, stream):
    colour = RNG.integers(0, 256, (4, 6, 4, 3), dtype=np.uint8)
    _write_images(tmp_path / "a", colour)
    _write_images(tmp_path / "b", GREY[:4], ".PNG")
    data = load(str(tmp_path), stream=stream)
    assert data.shape == (6, 4, 3)
    expected = np.concatenate([colour, np.repeat(GREY[:4, ..., None], 3, axis=-1)])
    _assert_holds_exactly(data, expected)


def test_one_bit_images_are_binary(tmp_path, stream):
    _write_images(tmp_path, GREY > 127)
    data = load(str(tmp_path), stream=stream)
    assert data.pixels == "binary"
    _assert_holds_exactly(data, np.where(GREY > 127, np.uint8(255), np.uint8(0)))


def test_bad_folders_are_refused(tmp_path, stream):
    with pytest.raises(InputError, match=r"holds no image; .*\.png"):
        load(str(tmp_path), stream=stream)

    _write_images(tmp_path, GREY[:5])
    odd = tmp_path / "002.png"
    Image.fromarray(GREY[0, :, :3]).save(odd)
    with pytest.raises(InputError, match=r"002\.png: 3x6 pixels where .*000\.png has 4x6"):
        load(str(tmp_path), stream=stream)

    Image.fromarray(GREY[0].astype(np.uint16)).save(odd)
    with pytest.raises(InputError, match=r"002\.png: .*more than 8 bits"):
        load(str(tmp_path), stream=stream)

    whole = (tmp_path / "000.png").read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"text"):
        odd.write_bytes(damage)
        with pytest.raises(InputError, match=r"002\.png: not a readable image") as caught:
            load(str(tmp_path), stream=stream).fingerprint()
        assert "\n" not in str(caught.value)


def test_what_changes_after_a_folder_was_opened_is_refused_when_it_is_read(tmp_path):
    _write_images(tmp_path, GREY)
    data = load(str(tmp_path), stream=True)
    for file in tmp_path.iterdir():
        Image.fromarray(GREY[0, :3]).save(file)
    with pytest.raises(InputError, match=r"\d\.png: not a readable image \(4x3 pixels in place of 4x6\)"):
        data.train.image[:3]
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"\d\.png: not a readable image \(.*No such file"):
        data.train.image[:3]


def test_opening_a_folder_decodes_no_more_than_tells_grey_from_binary(tmp_path, monkeypatch):
    _write_images(tmp_path, GREY)
    decoded = []
    decode = files.decode_images
    monkeypatch.setattr(files, "decode_images", lambda chosen, *rest: decoded.extend(chosen) or decode(chosen, *rest))
    monkeypatch.setattr(rows, "BLOCK_BYTES", 3 * GREY[0].size)
    data = load(str(tmp_path), stream=True)
    assert len(decoded) == 3
    data.test.image[np.array([[0, 1], [2, 3]])]
    assert len(decoded) == 3 + 4

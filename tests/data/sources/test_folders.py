"""Folders of images: what is read, which files are passed over, splits, classes, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Dataset, Preparation, images, load, memory
from jaxvae.errors import InputError

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (50, 6, 4), dtype=np.uint8)


@pytest.fixture(params=[False, True], ids=["loaded", "streamed"])
def stream(request):
    return request.param


def _every_image(data: Dataset) -> np.ndarray:
    return np.concatenate([split.x[:] for split in (data.train, data.validation, data.test) if split])


def _assert_holds_exactly(data: Dataset, expected: np.ndarray) -> None:
    """The set holds these images, each once, in whatever order."""
    found = _every_image(data)
    assert found.dtype == expected.dtype
    assert sorted(image.tobytes() for image in found) == sorted(image.tobytes() for image in expected)


def _write_images(folder: Path, arrays: np.ndarray, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(arrays):
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
    np.savez(tmp_path / "mine.npz", image=GREY)
    expected = load(str(tmp_path / "mine.npz")).fingerprint()
    assert load(str(tmp_path / "images"), stream=stream).fingerprint() == expected


def test_subfolders_are_the_labels(tmp_path, stream):
    for name, brightness in (("cat", 0), ("ape", 100), ("dog", 200)):
        _write_images(tmp_path / name, np.full((10, 3, 5), brightness, np.uint8), ".bmp")
    data = load(str(tmp_path), stream=stream)
    brightness_of = np.array([100, 0, 200])  # ape, cat, dog
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(brightness_of[split.label], split.x[:][:, 0, 0, 0])


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
    with pytest.raises(InputError, match=r"2 sizes, 4x6 \(4: .*000\.png\), 3x6 \(1: .*002\.png\); .*--resize 64"):
        load(str(tmp_path), stream=stream)

    whole = (tmp_path / "000.png").read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"text"):
        odd.write_bytes(damage)
        with pytest.raises(InputError, match=r"002\.png: not a readable image") as caught:
            load(str(tmp_path), stream=stream).fingerprint()
        assert "\n" not in str(caught.value)

    odd.unlink()
    odd.symlink_to("nowhere")
    with pytest.raises(InputError, match=r"002\.png: not a readable image \(.*No such file"):
        load(str(tmp_path), stream=stream)


def test_what_changes_after_a_folder_was_opened_is_refused_when_it_is_read(tmp_path):
    _write_images(tmp_path, GREY)
    data = load(str(tmp_path), stream=True)
    for file in tmp_path.iterdir():
        Image.fromarray(GREY[0, :3]).save(file)
    with pytest.raises(InputError, match=r"\d\.png: not a readable image \(4x3 pixels in place of 4x6\)"):
        data.train.x[:3]
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(InputError, match=r"\d\.png: not a readable image \(.*No such file"):
        data.train.x[:3]


def test_opening_a_folder_decodes_one_image_where_that_tells_grey_from_binary(tmp_path, monkeypatch):
    _write_images(tmp_path, GREY)
    decoded, decode = [], images.decode_images
    monkeypatch.setattr(images, "decode_images", lambda pages, form: decoded.extend(pages) or decode(pages, form))
    data = load(str(tmp_path), stream=True)
    assert len(decoded) == 1
    data.test.x[np.array([[0, 1], [2, 3]])]
    assert len(decoded) == 1 + 4


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "__MACOSX", "@eaDir"])
def test_what_others_leave_behind_is_passed_over(tmp_path, name):
    for number, part in enumerate("ab"):
        _write_images(tmp_path / part, GREY[number::2])
    _write_images(tmp_path / name, GREY[:4])
    _write_images(tmp_path / "a" / name, GREY[:4])
    (tmp_path / "a" / "._000.png").write_bytes(b"no image")
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"no image")
    data = load(str(tmp_path))
    assert data.classes == ("a", "b")
    _assert_holds_exactly(data, GREY)


def test_figures_of_a_run_among_the_images_are_no_examples(tmp_path):
    _write_images(tmp_path, GREY)
    run = tmp_path / "runs" / "photos-vae"
    _write_images(run / "figures", GREY[:2])
    for name in ("config.json", "manifest.json"):
        (run / name).write_text("{}")
    _assert_holds_exactly(load(str(tmp_path)), GREY)


def test_a_hidden_folder_that_is_named_is_read(tmp_path):
    _write_images(tmp_path / ".cache", GREY)
    _assert_holds_exactly(load(str(tmp_path / ".cache")), GREY)


def test_links_are_followed_and_do_not_run_in_circles(tmp_path):
    _write_images(tmp_path / "store" / "inner", GREY[:10])
    _write_images(tmp_path / "set" / "b", GREY[10:])
    (tmp_path / "set" / "a").symlink_to(tmp_path / "store" / "inner")
    (tmp_path / "set" / "b" / "up").symlink_to(tmp_path / "set")
    data = load(str(tmp_path / "set"))
    assert data.classes == ("a", "b")
    _assert_holds_exactly(data, GREY)


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Train", "valid", "TEST"), ("training", "Validation", "testing")]
)
@pytest.mark.parametrize("classes", [("2", "10"), ()], ids=["classes", "flat"])
def test_folders_named_like_splits_are_the_splits(tmp_path, stream, names, classes):
    parts = (GREY[:30], GREY[30:38], GREY[38:])
    for name, part in zip(names, parts):
        for i in range(max(1, len(classes))):
            _write_images(tmp_path.joinpath(name, *classes[i : i + 1]), part[i :: max(1, len(classes))])
    data = load(str(tmp_path), stream=stream)
    assert data.classes == classes
    for split, part in zip((data.train, data.validation, data.test), parts):
        expected = (
            np.concatenate([part[::2], part[1::2]][::-1]) if classes else part
        )  # the files' order is that of words
        np.testing.assert_array_equal(split.x[:][..., 0], expected)
        label = [1] * len(part[1::2]) + [0] * len(part[::2])
        np.testing.assert_array_equal(split.label, label if classes else None)


def test_classes_are_numbered_over_all_splits(tmp_path):
    for part, name, images_of in (("train", "b", GREY[:9]), ("train", "c", GREY[9:20]), ("test", "a", GREY[20:])):
        _write_images(tmp_path / part / name, images_of)
    data = load(str(tmp_path))
    assert data.classes == ("a", "b", "c")
    assert (data.train.label.tolist(), set(data.test.label)) == ([1] * 9 + [2] * 11, {0})


def test_a_split_without_class_folders_has_no_labels(tmp_path):
    _write_images(tmp_path / "train" / "a", GREY[:20])
    _write_images(tmp_path / "test", GREY[20:])
    data = load(str(tmp_path))
    assert (data.classes, data.train.label.tolist(), data.test.label) == (("a",), [0] * 20, None)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("train", "val"), "holds only train and val, but train and test are needed; rename"),
        (("train",), "holds only train, but .* name one of them alone, which is then divided"),
        (("train", "test", "cats"), "holds images in cats beside the splits test, train; move"),
        (("train", "test", "."), "holds images beside the splits test, train; move"),
        (("train", "test", "val", "valid"), "test and train and val and valid are two names for one; join"),
    ],
)
def test_splits_that_contradict_each_other_are_refused(tmp_path, folders, message):
    for name in folders:
        _write_images(tmp_path / name, GREY[:5])
    with pytest.raises(InputError, match=message) as caught:
        load(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_empty_split_is_refused(tmp_path):
    _write_images(tmp_path / "train", GREY)
    (tmp_path / "test").mkdir()
    with pytest.raises(InputError, match="its split test holds no image"):
        load(str(tmp_path))


def test_images_of_kinds_that_are_not_read_are_not_lost_silently(tmp_path):
    _write_images(tmp_path, GREY)
    for number in range(3):
        (tmp_path / f"{number}.HEIC").write_bytes(b"")
    with pytest.raises(InputError, match=r"kinds that are not read, .*0\.HEIC and 2 more; convert them to \.png"):
        load(str(tmp_path))


@pytest.mark.parametrize("suffix", [".tif", ".gif", ".png"])
def test_every_page_is_an_image_with_the_label_of_its_file(tmp_path, stream, suffix):
    for number, name in enumerate("ab"):
        frames = [Image.fromarray(image) for image in GREY[10 * number : 10 * (number + 1)]]
        (tmp_path / name).mkdir()
        frames[0].save(tmp_path / name / f"0{suffix}", save_all=True, append_images=frames[1:])
        Image.fromarray(GREY[20 + number]).save(tmp_path / name / f"1{suffix}")
    data = load(str(tmp_path), stream=stream)
    expected = [*GREY[:10], GREY[20], *GREY[10:20], GREY[21]]
    label_of = {image.tobytes(): i // 11 for i, image in enumerate(expected)}
    found = [(image[..., 0].tobytes(), label) for split in data[1:4] for image, label in zip(split.x[:], split.label)]
    assert sorted(found) == sorted(label_of.items())


def test_images_of_several_sizes_are_brought_to_one(tmp_path, stream):
    _write_images(tmp_path / "a", RNG.integers(0, 256, (5, 30, 20), dtype=np.uint8))
    _write_images(tmp_path / "b", RNG.integers(0, 256, (5, 12, 40, 3), dtype=np.uint8))
    data = load(str(tmp_path), stream=stream, preparation=Preparation(resize=(10,)))
    assert (data.shape, data.preparation) == ((10, 10, 3), {"resize": "10x10 Pillow LANCZOS"})
    data = load(str(tmp_path), stream=stream, preparation=Preparation(crop=12))
    assert (data.shape, data.preparation) == ((12, 12, 3), {"crop": "12x12"})
    with pytest.raises(InputError, match=r"^crop: 13 is more than .*b/000.png has, 40x12 pixels"):
        load(str(tmp_path), stream=stream, preparation=Preparation(crop=13))


def test_a_set_that_memory_does_not_hold_is_refused_before_it_is_read(tmp_path, monkeypatch):
    _write_images(tmp_path, GREY)
    monkeypatch.setattr(memory, "machine_memory", lambda: GREY.nbytes - 1)
    assert load(str(tmp_path), stream=True).train.num_examples == 40
    with pytest.raises(InputError, match=r"takes 0\.0 GB, this machine has 0\.0 GB; .*stream"):
        load(str(tmp_path))

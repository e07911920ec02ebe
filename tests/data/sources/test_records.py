"""Array_record files: our own, and those that TFDS writes."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from array_record.python.array_record_module import ArrayRecordWriter
from PIL import Image
from tensorflow_datasets.proto import tf_example_pb2

from jaxvae.data import Preparation, load, write_array_record
from jaxvae.errors import InputError

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (50, 6, 4, 1), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (50, 6, 4, 3), dtype=np.uint8)
LABEL = np.arange(50) % 7


@pytest.fixture(params=[False, True], ids=["loaded", "streamed"])
def stream(request):
    return request.param


def _record(file: bytes | None, *labels: int) -> bytes:
    example = tf_example_pb2.Example()
    if file is not None:
        example.features.feature["image"].bytes_list.value.append(file)
    example.features.feature["label"].int64_list.value.extend(labels)
    return example.SerializeToString()


def _encode(pixels: np.ndarray, kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(stream, kind)
    return stream.getvalue()


def _write(path: Path, records: list[bytes]) -> str:
    writer = ArrayRecordWriter(str(path), "group_size:1")
    for record in records:
        writer.write(record)
    writer.close()
    return str(path)


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("label", [LABEL, None], ids=["labels", "none"])
def test_a_file_is_divided_like_the_same_images_in_an_npz(tmp_path, stream, image, label):
    write_array_record(tmp_path / "faces.array_record", image, label)
    np.savez(tmp_path / "faces.npz", image=image, **({} if label is None else {"label": label}))
    data = load(str(tmp_path / "faces.array_record"), stream=stream)
    expected = load(str(tmp_path / "faces.npz"))
    assert (data.name, data.pixels, data.shape) == ("faces", "grey", image.shape[1:])
    for found, wanted in zip(
        (data.train, data.validation, data.test), (expected.train, expected.validation, expected.test)
    ):
        np.testing.assert_array_equal(found.x[:], wanted.x)
        np.testing.assert_array_equal(found.label, wanted.label)
    assert data.fingerprint() == expected.fingerprint()


def test_a_folder_of_shards_is_one_set(tmp_path, stream):
    for shard in range(3):
        name = f"faces.array_record-{shard:05}-of-00003"
        write_array_record(tmp_path / name, GREY[shard::3], LABEL[shard::3])
    (tmp_path / "features.json").write_text("{}")
    data = load(str(tmp_path), stream=stream)
    found = [(image.tobytes(), label) for split in data[1:4] for image, label in zip(split.x[:], split.label)]
    assert sorted(found) == sorted((image.tobytes(), label) for image, label in zip(GREY, LABEL))
    assert [split.num_examples for split in data[1:4]] == [40, 5, 5]


def test_names_tell_train_from_test(tmp_path, stream):
    for split, part in {"train": slice(0, 30), "test": slice(30, 40), "unlabelled": slice(40, 50)}.items():
        write_array_record(tmp_path / f"faces-{split}.array_record", GREY[part] // 128 * 255)
    data = load(str(tmp_path), stream=stream)
    assert (data.name, data.validation, data.pixels) == ("faces", None, "binary")
    np.testing.assert_array_equal(data.train.x[:], GREY[:30] // 128 * 255)
    np.testing.assert_array_equal(data.test.x[:], GREY[30:40] // 128 * 255)
    write_array_record(tmp_path / "faces-validation.array_record", GREY[40:])
    np.testing.assert_array_equal(load(str(tmp_path), stream=stream).validation.x[:], GREY[40:])


def test_a_folder_that_tfds_prepared_is_read_as_tfds_reads_it(tmp_path, stream):
    def files(part):
        return ((i, {"image": io.BytesIO(_encode(COLOUR[i], "PNG")), "label": LABEL[i]}) for i in part)

    class Faces(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(6, 4, 3)),
                "label": tfds.features.ClassLabel(names=[*"abcdefg"]),
            }
            return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

        def _split_generators(self, manager):
            return {"train": files(range(30)), "test": files(range(30, 50))}

        def _generate_examples(self):
            return ()

    builder = Faces(data_dir=tmp_path, file_format="array_record")
    builder.download_and_prepare()
    data = load(str(builder.data_path), stream=stream)
    assert (data.name, data.classes) == ("faces", tuple("abcdefg"))
    for split, size in (("train", 30), ("test", 20)):
        source, found = builder.as_data_source(split), getattr(data, split)
        assert len(source) == found.num_examples == size
        np.testing.assert_array_equal(found.x[:], np.stack([example["image"] for example in source]))
        np.testing.assert_array_equal(found.label, [example["label"] for example in source])


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_records_of_other_writers(tmp_path, stream, kind):
    """Several kinds in a file, grey among coloured; and labels that only some have are none."""
    files = [_encode(image, kind) for image in COLOUR[:9]] + [_encode(GREY[0], "PNG")]
    records = [_record(file, *([1] if index else [])) for index, file in enumerate(files)]
    data = load(_write(tmp_path / "x.array_record", records), stream=stream)
    expected = [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
    found = np.concatenate([split.x[:] for split in data[1:4] if split])
    assert data.train.label is None
    assert sorted(image.tobytes() for image in found) == sorted(image.tobytes() for image in expected)


GOOD = _record(_encode(GREY[0], "PNG"))


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "holds no example"),
        ([GOOD], "1 example cannot be divided"),
        ([GOOD, b"no example at all"], r"cannot be read \(.*; write it again"),
        ([GOOD, _record(None)], r"cannot be read \(.*'image'.*; write it again"),
        ([GOOD, _record(b"no image")], r"record 1: not a readable image"),
        ([GOOD, _record(_encode(GREY[0], "PNG")[:50])], r"record 1: not a readable image"),
        ([GOOD, _record(_encode(GREY[0, :2], "PNG"))], r"2 sizes, 4x6 \(1: record 0\), 4x2 \(1: record 1\); bring"),
    ],
)
def test_bad_records_are_refused_in_one_line(tmp_path, stream, records, message):
    path = _write(tmp_path / "x.array_record", records)
    with pytest.raises(InputError, match=message) as caught:
        load(path, stream=stream).fingerprint()
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 100, 5000])
def test_a_damaged_file_is_refused(tmp_path, stream, length):
    path = tmp_path / "x.array_record"
    write_array_record(path, GREY)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"x\.array_record cannot be read") as caught:
        load(str(path), stream=stream)
    assert "\n" not in str(caught.value)


def test_splits_of_different_shapes_are_refused(tmp_path):
    write_array_record(tmp_path / "x-train.array_record", GREY)
    write_array_record(tmp_path / "x-test.array_record", COLOUR)
    with pytest.raises(InputError, match=r"\(6, 4, 1\), \(6, 4, 3\).* bring all to one shape"):
        load(str(tmp_path))


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_validation_split_by_any_of_its_names(tmp_path, name):
    for split, part in {"train": slice(0, 30), "test": slice(30, 40), name: slice(40, 50)}.items():
        write_array_record(tmp_path / f"x-{split}.array_record", GREY[part])
    (tmp_path / "._x-train.array_record").write_bytes(b"of another system")
    np.testing.assert_array_equal(load(str(tmp_path)).validation.x, GREY[40:])
    (tmp_path / "x-test.array_record").unlink()
    with pytest.raises(InputError, match=f"holds only train and {name}, but train and test are needed"):
        load(str(tmp_path))


def test_records_are_turned_laid_on_a_background_and_resized(tmp_path, stream):
    shown = Image.fromarray(np.repeat(np.arange(8, dtype=np.uint8) * 30, 6).reshape(8, 6))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [io.BytesIO(), io.BytesIO()]
    shown.transpose(Image.Transpose.ROTATE_90).save(files[0], "PNG", exif=exif)
    shown.convert("RGBA").save(files[1], "PNG")
    path = _write(tmp_path / "x.array_record", [_record(file.getvalue()) for file in files])
    data = load(path, stream=stream)
    np.testing.assert_array_equal(data.train.x[:][..., 1], np.asarray(shown)[None])
    assert (data.shape, data.preparation) == ((8, 6, 3), {"background": "white"})
    assert load(path, stream=stream, preparation=Preparation(resize=(4, 2))).shape == (4, 2, 3)


def test_frames_in_a_record_are_refused(tmp_path):
    file = io.BytesIO()
    frames = [Image.fromarray(image[..., 0]) for image in GREY[:3]]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    path = _write(tmp_path / "x.array_record", [GOOD, _record(file.getvalue())])
    with pytest.raises(InputError, match="record 1: has 3 pages or frames; save each"):
        load(path)


@pytest.mark.parametrize("image", [GREY[..., 0], GREY / 255, np.concatenate([GREY, GREY], -1)])
def test_other_arrays_are_not_written(tmp_path, image):
    with pytest.raises(InputError, match=r"^image: .*give uint8"):
        write_array_record(tmp_path / "x.array_record", image)
    assert not list(tmp_path.iterdir())

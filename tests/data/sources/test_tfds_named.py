"""Sets of TFDS by name: several kinds, prepared here by TFDS's own builders, in each of its formats of files."""

import io
import json
import shutil
import struct
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from jaxvae.data import Preparation, load, new_rows
from jaxvae.data.sources import tfds_named, tfds_prepare
from jaxvae.data.spaces import Pixels, Real, Table
from jaxvae.errors import InputError
from jaxvae.runs.directory import facts_of

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (60, 6, 4, 3), np.uint8)
VERSES = ["to be or not", "roses are red", "to be red"]
F = tfds.features


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    stream.seek(0)
    return stream


SETS = {  # features, and the values of example i
    "pets": (
        {
            "photo": F.Image(shape=(6, 4, 3)),
            "label": F.ClassLabel(names=["cat", "dog"]),
            "attributes": {"smile": np.bool_, "age": np.float32},
            "id": F.Text(),
        },
        lambda i: {
            "photo": png(PIXELS[i]),
            "label": i % 2,
            "attributes": {"smile": i % 3 == 0, "age": i / 4},
            "id": f"pet {i}",
        },
    ),
    "verses": (
        {"text": F.Text(), "poet": F.ClassLabel(names=["a", "b"])},
        lambda i: {"text": ["", *VERSES][i % 4], "poet": i % 2},
    ),
    "signals": (
        {"beats": F.Tensor(shape=(5, 2), dtype=np.float32), "rhythm": F.ClassLabel(num_classes=3)},
        lambda i: {"beats": np.float32(np.arange(10).reshape(5, 2) + i), "rhythm": i % 3},
    ),
    "words": ({"bag": F.Tensor(shape=(4,), dtype=np.int64)}, lambda i: {"bag": [i, i + 1, 0, 2]}),
    "passengers": (
        {
            "age": np.float32,
            "sex": F.ClassLabel(names=["f", "m"]),
            "name": F.Text(),
            "survived": F.ClassLabel(num_classes=2),
        },
        lambda i: {"age": i / 2, "sex": i % 2, "name": f"name {i}", "survived": i % 3 == 0},
    ),
}
SIZES = {"train": 40, "test": 20}


def builder(name, folder, file_format="array_record", **options):
    features, example = SETS[name]

    class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return self.dataset_info_from_configs(features=F.FeaturesDict(features), **options)

        def _split_generators(self, manager):
            return {"train": self._generate_examples(0, 40), "test": self._generate_examples(40, 60)}

        def _generate_examples(self, first, last):
            return ((i, example(i)) for i in range(first, last))

    Builder.name = name
    return Builder(data_dir=folder, file_format=file_format)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return the folder in which the sets are prepared in a format."""
    folders = {}

    def prepare(file_format="array_record"):
        if file_format not in folders:
            folders[file_format] = tmp_path_factory.mktemp(file_format)
            written = "array_record" if file_format == "tfrecord" else file_format
            for name in SETS:
                made = builder(name, folders[file_format], written, supervised_keys=None)
                made.download_and_prepare()
                if file_format == "tfrecord":
                    as_tfrecord(made)
        return folders[file_format]

    return prepare


def as_tfrecord(made):
    """Write the records of a prepared set as TFRecord files, which TFDS does with TensorFlow alone."""
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    for split in SIZES:
        records = made.as_data_source(split, deserialize_method=raw)
        content = b"".join(struct.pack("<QI", len(record), 0) + record + bytes(4) for record in records)
        (file,) = made.data_path.glob(f"*-{split}.array_record*")
        file.with_name(file.name.replace("array_record", "tfrecord")).write_bytes(content)
        file.unlink()
    description = made.data_path / "dataset_info.json"
    description.write_text(json.dumps({**json.loads(description.read_text()), "fileFormat": "tfrecord"}))


def decoded(folder, name, split):
    """Examples as TFDS itself decodes them."""
    return [*tfds.builder(name, data_dir=folder).as_data_source(split)]


def test_new_examples_are_those_of_all_splits(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared()))
    for name in ("pets", "signals"):
        data = load(f"tfds:{name}", prepared())
        rows = new_rows(f"tfds:{name}", facts_of(data), data.space)
        np.testing.assert_array_equal(rows, np.concatenate([data.train.x, data.test.x]))


FORMATS = pytest.mark.parametrize("file_format", ["array_record", "parquet", "tfrecord"])


@FORMATS
@pytest.mark.parametrize("name", ["pets", "signals"])
def test_examples_labels_and_attributes_are_those_that_tfds_decodes(prepared, caplog, name, file_format):
    caplog.set_level("INFO", "jaxvae")
    data = load(f"tfds:{name}", prepared(file_format), stream=True)
    expected = {split: decoded(prepared(), name, split) for split in SIZES}
    if name == "pets":
        assert (data.space, data.classes) == (Pixels((6, 4, 3)), ("cat", "dog"))
        assert "tfds:pets: image 'photo', label 'label', attributes 'attributes/age', 'attributes/smile'" in caplog.text
        for split, examples in expected.items():
            attributes = [example["attributes"] for example in examples]
            for key, values in getattr(data, split).attributes.items():
                assert values.tolist() == [one[key] for one in attributes]
            assert [*getattr(data, split).attributes] == ["age", "smile"]
    else:
        assert (data.space, data.classes) == (Real((5, 2)), ("0", "1", "2"))
        assert "tfds:signals: x 'beats', label 'rhythm'; others are chosen as in tfds:signals?x=NAME" in caplog.text
    key, label = ("photo", "label") if name == "pets" else ("beats", "rhythm")
    for split, examples in expected.items():
        found = getattr(data, split)
        assert not isinstance(found.x, np.ndarray)
        np.testing.assert_array_equal(found.x[:], [example[key] for example in examples])
        assert found.label.tolist() == [example[label] for example in examples]
        ids = np.array([[3, 0], [1, 3]])
        np.testing.assert_array_equal(found.x[ids], found.x[:][ids])
    assert "tensorflow" not in sys.modules


@FORMATS
def test_texts_are_sentences_without_the_blank_ones(prepared, file_format):
    data = load("tfds:verses", prepared(file_format))
    for split in ("train", "test"):
        examples = [one for one in decoded(prepared(), "verses", split) if one["text"]]
        found = getattr(data, split)
        assert data.show(found.x).lines == tuple(one["text"].decode() for one in examples)
        assert found.label.tolist() == [one["poet"] for one in examples]
    assert data.test.num_examples == 15


@FORMATS
def test_numbers_and_words_are_columns(prepared, file_format):
    data = load("tfds:passengers?columns=age,sex&label=survived", prepared(file_format))
    assert data.space == Table((0, 2), data.space.digest)
    assert data.facts["categories"] == {"sex": ["f", "m"]}
    examples = decoded(prepared(), "passengers", "test")
    np.testing.assert_array_equal(data.test.x["x"], [[one["age"], one["sex"]] for one in examples])
    assert data.test.label.tolist() == [one["survived"] for one in examples]


def test_features_and_splits_are_chosen_behind_the_question_mark(prepared):
    data = load("tfds:pets:1.0.0?label=attributes/smile&train=test&test=train", prepared())
    assert (data.name, data.train.num_examples, data.test.num_examples) == ("pets", 20, 40)
    assert data.train.label.tolist() == [one["attributes"]["smile"] for one in decoded(prepared(), "pets", "test")]
    counts = load("tfds:words?counts=bag", prepared())
    assert (counts.space.kind, counts.train.x.dtype) == ("counts", np.int32)


def test_a_set_with_a_name_here_is_the_same_by_either_name(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(tfds_named, "open_tfds", lambda *arguments: opened.append(arguments) or load("digits"))
    assert load("tfds:mnist", tmp_path).name == "digits"
    assert opened == [("mnist", tmp_path, None)]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tfds:words", r"'bag' holds integers, .*; say which: tfds:words\?counts=bag"),
        ("tfds:pets?label=attribute/smile", r"has no feature 'attribute/smile' \(did you mean 'attributes/smile'\?\)"),
        ("tfds:pets?image=id", "'id' is of kind text, which is no image"),
        ("tfds:passengers", "feature 'name' holds 60 different words, too many for categories"),
        ("tfds:pets/grey", r"tfds:pets/grey: .*(neither a set of TFDS|cannot be opened)"),
        ("tfds:pets:2.0.0", r"tfds:pets:2\.0\.0: .*(neither a set of TFDS|cannot be opened)"),
        ("tfds:cifar01", r"is neither a set of TFDS \(did you mean 'cifar10'\?\) nor prepared in .*; name the folder"),
        ("tfds:mnist/none", "cannot be opened .BuilderConfig none not found"),
        ("tfds:a b", "cannot be opened .*; correct its name"),
        ("tfds:", "tfds:"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(prepared, name, told):
    with pytest.raises(InputError, match=told) as caught:
        load(name, prepared())
    assert str(caught.value).startswith("tfds:")
    assert "\n" not in str(caught.value)


def test_sizes_are_for_images(prepared):
    assert load("tfds:pets", prepared(), preparation=Preparation(crop=4)).shape == (4, 4, 3)
    with pytest.raises(InputError, match="crop: tfds:signals holds no images; leave it out"):
        load("tfds:signals", prepared(), preparation=Preparation(crop=4))


@pytest.mark.parametrize("file_format", ["array_record", "parquet", "tfrecord"])
def test_a_damaged_set_is_refused_in_one_line(prepared, tmp_path, file_format):
    shutil.copytree(prepared(file_format) / "pets", tmp_path / "pets")
    (file,) = (tmp_path / "pets" / "1.0.0").glob("pets-train*")
    for content in (file.read_bytes()[:300], None):
        file.write_bytes(content) if content else file.unlink()
        with pytest.raises(InputError, match=r"pets.* again") as caught:
            load("tfds:pets", tmp_path).fingerprint()
        assert "\n" not in str(caught.value)


# Preparing


class JaxvaeStripes(tfds.core.GeneratorBasedBuilder):
    """Registered, so that it is found by its name."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"stripe": F.Tensor(shape=(3,), dtype=np.float32)}
        return self.dataset_info_from_configs(features=F.FeaturesDict(features))

    def _split_generators(self, manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        return ((i, {"stripe": np.float32([i, 0, 1])}) for i in range(20))


def test_an_unprepared_set_is_prepared_and_a_single_split_divided(tmp_path, capfd):
    data = load("tfds:jaxvae_stripes", tmp_path)
    assert [split.num_examples for split in (data.train, data.validation, data.test)] == [16, 2, 2]
    assert sorted(np.concatenate([data.train.x, data.validation.x, data.test.x])[:, 0]) == [*range(20)]
    assert load("tfds:jaxvae_stripes", tmp_path).fingerprint() == data.fingerprint()
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModuleNotFoundError("No module named 'tensorflow'"), "its preparation needs tensorflow, .*; pip install tens"),
        (ModuleNotFoundError("No module named 'bs4'"), "its preparation needs bs4, which is not installed; install it"),
        (OSError("disk full\nand more"), "cannot prepare .*jaxvae_stripes/1.0.0: disk full$"),
    ],
)
def test_a_preparation_that_fails_is_refused_in_one_line(tmp_path, monkeypatch, error, told):
    def fail(self, manager):
        raise error

    monkeypatch.setattr(JaxvaeStripes, "_split_generators", fail)
    with pytest.raises(InputError, match=f"^tfds:jaxvae_stripes: {told}") as caught:
        load("tfds:jaxvae_stripes", tmp_path)
    assert "\n" not in str(caught.value)


def test_without_a_network_an_unprepared_set_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_prepare, "_answers", lambda url: False)
    told = r"^tfds:cifar10: not prepared in .*, and www\.cs\.toronto\.edu cannot be reached; put the original cifar"
    with pytest.raises(InputError, match=told) as caught:
        load("tfds:cifar10", tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())

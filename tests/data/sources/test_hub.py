"""Sets of Hugging Face from local files, folders and the cache; nothing is downloaded."""

import io
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Preparation, load
from jaxvae.data.spaces import Pixels, Real, Table
from jaxvae.errors import InputError

datasets = pytest.importorskip("datasets")

NUM = 40
PIXELS = np.random.default_rng(0).integers(0, 256, (NUM, 6, 4, 3), np.uint8)
LABEL = np.arange(NUM) % 2
AGE = np.arange(NUM, dtype=np.float32) / 4
VERSES = ["to be or not", "roses are red", "", "to be red"] * (NUM // 4)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    monkeypatch.chdir(tmp_path)


def pets():
    features = datasets.Features(
        photo=datasets.Image(), label=datasets.ClassLabel(names=["cat", "dog"]), age=datasets.Value("float32")
    )
    columns = {"photo": [Image.fromarray(pixels) for pixels in PIXELS], "label": LABEL.tolist(), "age": AGE.tolist()}
    return datasets.Dataset.from_dict(columns, features=features)


def in_order(data, key):
    """All examples of a set, in the order of their ages."""
    splits = [split for split in (data.train, data.validation, data.test) if split]
    ages = np.concatenate([split.attributes["age"] for split in splits])
    return np.concatenate([key(split) for split in splits])[np.argsort(ages)]


@pytest.mark.parametrize("kind", ["file", "folder", "saved"])
def test_images_with_labels_and_attributes(tmp_path, caplog, kind):
    whole, name = pets(), {"file": "pets.parquet", "folder": "pets", "saved": "saved"}[kind]
    if kind == "saved":
        whole.save_to_disk(name)
    else:
        (tmp_path / "pets").mkdir()
        whole.to_parquet(tmp_path / "pets.parquet" if kind == "file" else tmp_path / "pets" / "data.parquet")
    data = load(f"hf:{name}", stream=True)
    assert not isinstance(data.train.x, np.ndarray)
    assert (data.space, data.classes) == (Pixels((6, 4, 3)), ("cat", "dog"))
    assert data.train.num_examples == 32
    np.testing.assert_array_equal(in_order(data, lambda split: split.x[:]), PIXELS)
    np.testing.assert_array_equal(in_order(data, lambda split: split.label), LABEL)
    assert f"hf:{name}: image 'photo', label 'label', attributes 'age'; others are chosen as in hf:" in caplog.text
    assert load(f"hf:{name}", preparation=Preparation(crop=4)).shape == (4, 4, 3)


def test_splits_of_a_set_and_unknown_labels(tmp_path):
    whole = pets()
    test = whole.select(range(30, 40)).map(lambda example: {"label": -1})
    splits = {"train": whole.select(range(20)), "validation": whole.select(range(20, 30)), "test": test}
    datasets.DatasetDict(splits).save_to_disk("pets")
    data = load("hf:pets")
    np.testing.assert_array_equal(data.train.x, PIXELS[:20])
    np.testing.assert_array_equal(data.validation.label, LABEL[20:30])
    np.testing.assert_array_equal(data.test.x, PIXELS[30:])
    assert data.test.label is None
    assert load("hf:pets?test=validation&label=").test.num_examples == 10


def save(name, **columns):
    datasets.Dataset.from_dict(columns).to_parquet(f"{name}.parquet")
    return f"hf:{name}.parquet"


def test_vectors_are_lists_of_one_length():
    vectors = np.random.default_rng(0).normal(size=(NUM, 5)).astype(np.float32)
    data = load(save("vectors", vector=vectors.tolist(), kind=["a", "b"] * (NUM // 2)) + "?label=kind")
    np.savez("vectors.npz", x=vectors, label=np.arange(NUM) % 2, classes=["a", "b"])
    expected = load("vectors.npz")
    assert data.space == Real((5,))
    assert (data.classes, data.fingerprint()) == (expected.classes, expected.fingerprint())


def test_texts_keep_their_labels():
    data = load(save("verses", text=VERSES, label=["a", "b", "c", "d"] * (NUM // 4)))
    poets = {"to be or not": "a", "roses are red": "b", "to be red": "d"}
    for split in (data.train, data.test):
        assert [data.classes[i] for i in split.label] == [poets[line] for line in data.show(split.x).lines]
    assert sum(split.num_examples for split in (data.train, data.validation, data.test)) == NUM * 3 // 4


def test_of_long_texts_the_first_words_are_chosen():
    name = save("reviews", text=["good " * 1100 + "film", "bad film"] * 10)
    with pytest.raises(InputError, match=r"hf:rev.*: a line has 1101 words, \['good', .*; .* or --max-length"):
        load(name)
    assert load(f"{name}?words=5").space.length == 6
    with pytest.raises(InputError, match="'text' holds no words"):
        load(save("blank", text=["", " "] * 10))


def test_numbers_and_words_are_columns_with_gaps():
    ages = [None, *AGE[1:].tolist()]
    data = load(save("people", age=ages, sex=["f", "m"] * (NUM // 2), happy=[True, False] * (NUM // 2)))
    assert data.space == Table((0, 2, 2), data.space.digest)
    assert data.facts["categories"] == {"sex": ["f", "m"], "happy": ["False", "True"]}
    observed = np.concatenate([split.x["observed"] for split in (data.train, data.validation, data.test)])
    assert (~observed).sum(0).tolist() == [1, 0, 0]
    with pytest.raises(InputError, match=r"columns: hf:people.* says itself what its features are; leave it out"):
        load("hf:people.parquet", preparation=Preparation(columns="age=real"))


def test_files_beside_the_set_are_read(tmp_path):
    """A folder of images, as `datasets` reads it, holds paths and no bytes."""
    for i, pixels in enumerate(PIXELS[:10]):
        (tmp_path / "pets" / "train" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "pets" / "train" / "ab"[i % 2] / f"{i}.png")
    data = load("hf:pets")
    assert data.classes == ("a", "b")
    found = np.concatenate([split.x for split in (data.train, data.validation, data.test)])
    assert {pixels.tobytes() for pixels in found} == {pixels.tobytes() for pixels in PIXELS[:10]}


def test_a_set_in_the_cache_is_read_without_a_network(tmp_path):
    """The cache of a set of the hub is laid out as that of local files, under its own name."""
    (tmp_path / "local").mkdir()
    pets().to_parquet("local/train.parquet")
    expected = load("hf:local").fingerprint()
    (made,) = (tmp_path / "cache").glob("*/*/*/*/dataset_info.json")
    place = tmp_path / "cache" / "user___pets" / "default" / "0.0.0" / ("0" * 40)
    shutil.copytree(made.parent, place)
    for file in place.glob("*.arrow"):
        file.rename(file.with_name(file.name.replace(file.name.split("-")[0], "pets")))
    info = (place / "dataset_info.json").read_text()
    (place / "dataset_info.json").write_text(info.replace('"dataset_name": "local"', '"dataset_name": "pets"'))
    data = load("hf:user/pets")
    assert (data.name, data.fingerprint()) == ("user-pets", expected)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hf:user/none", "cannot be loaded .*; correct the name, name a folder, or load it once"),
        ("hf:ragged.parquet", "has no image, text or number to learn, only x; name another set"),
        ("hf:dates.parquet", "has no image, text or number to learn, only day"),
        ("hf:integers.parquet", r"'x' holds integers, .*; say which: hf:integers.parquet\?counts=x"),
        ("hf:gaps.parquet", "example 3 has no 'photo'; choose another feature"),
        ("hf:broken.parquet", "example 0: not a readable image"),
        ("hf:labels.parquet", r"'label' holds numbers from -7 to 2; choose another as label, or none: \?label="),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(name, told):
    day = np.datetime64("2020-01-01").astype(object)
    save("ragged", x=[[1.0, 2.0], [1.0]] * 10)
    save("dates", day=[day] * 10)
    save("integers", x=[[1, 2], [3, 4]] * 10)
    save("labels", x=[[1.0, 2.0]] * 3, label=[0, 2, -7])
    photos = datasets.Features(photo=datasets.Image())
    stream = io.BytesIO()
    Image.fromarray(PIXELS[0]).save(stream, "PNG")
    good, bad = {"bytes": stream.getvalue(), "path": None}, {"bytes": b"no image", "path": None}
    datasets.Dataset.from_dict({"photo": [good, good, good, None]}, features=photos).to_parquet("gaps.parquet")
    datasets.Dataset.from_dict({"photo": [bad, good]}, features=photos).to_parquet("broken.parquet")
    with pytest.raises(InputError, match=told) as caught:
        load(name)
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_one_line_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"^hf:pets: needs datasets, .*; pip install 'jaxvae\[hub\]'$"):
        load("hf:pets")

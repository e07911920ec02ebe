"""New examples: rows equal those that the run was trained on, for every kind of data, or are refused in one line."""

import json
import tarfile
import types

import h5py
import jax.numpy as jnp
import numpy as np
import pandas
import pyarrow
import pytest
import scipy.sparse
import zarr
from PIL import Image

from jaxvae.data import Preparation, new_rows, open_data
from jaxvae.data.scaling import fit_scaling, scaled
from jaxvae.data.spaces import of_facts
from jaxvae.errors import InputError
from jaxvae.runs.directory import facts_of

RNG = np.random.default_rng(7)
NUM, TRAIN = 40, 30
BYTES = RNG.integers(0, 256, (NUM, 8, 6), np.uint8)
SHADES = RNG.uniform(size=(NUM, 8, 6, 3)).astype(np.float32)
VECTORS = RNG.normal(3, 2, size=(NUM, 4)).astype(np.float32)
COUNTS = RNG.poisson(1.0, (NUM, 5))
LINES = [f"the {word} sees a {other}" for word in ("cat", "dog", "bird") for other in ("mouse", "fly", "cat")] * 5
FRAME = pandas.DataFrame(
    {
        "height": VECTORS[:, 0],
        "weight": np.where(np.arange(NUM) % 9, VECTORS[:, 1], np.nan),
        "town": ["Bern", "Köln"] * 20,
        "rooms": [1, 2, 3, 4] * 10,
        "smokes": [True, False] * 20,
    }
)


def splits(x):
    return {"train": x[:TRAIN], "test": x[TRAIN:]}


def run(x, scale=None, **options):
    """Facts, space and training rows of a run on these data, as training makes them."""
    data = open_data(x, **options).in_memory()
    data = scaled(data, fit_scaling(scale, data)) if scale else data
    facts = json.loads(json.dumps(facts_of(data)))  # as the manifest gives them back
    assert of_facts(facts) == data.space
    return facts, data.space, data.train.x


def assert_rows(rows, known, space):
    """Equal values for the networks, and the same types as stored."""
    for name in known if isinstance(known, dict) else [None]:
        one, other = (rows[name], known[name]) if name else (rows, known)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    read, wanted = space.read(None, rows), space.read(None, known)
    np.testing.assert_equal(read, wanted)


@pytest.mark.parametrize("array", [BYTES, BYTES[..., None], SHADES, np.round(SHADES), SHADES[..., 0]])
@pytest.mark.parametrize("scale", [None, "standard", "unit"])
def test_images(array, scale):
    facts, space, known = run(splits(array), scale)
    for x in (array[:TRAIN], jnp.asarray(array[:TRAIN]), [*array[:TRAIN]], {"image": array[:TRAIN]}):
        assert_rows(new_rows(x, facts, space), known, space)


def test_a_split_is_read_as_it_is():
    for data in (open_data(SHADES), open_data(FRAME), open_data(LINES), open_data({"counts": COUNTS})):
        for x in (data.test, data.test.x):
            np.testing.assert_equal(new_rows(x, facts_of(data), data.space), data.in_memory().test.x)


@pytest.mark.parametrize("scale", [None, "standard", "unit"])
def test_vectors_signals_and_pixels_without_a_shape(scale):
    for array in (VECTORS, VECTORS[..., None], VECTORS.astype(np.float64)):
        facts, space, known = run(splits(array), scale)
        assert_rows(new_rows(array[:TRAIN], facts, space), known, space)
        assert_rows(new_rows({"x": array[:TRAIN]}, facts, space), known, space)
    pixels = BYTES.reshape(NUM, -1)
    facts, space, known = run({k: {"image": v} for k, v in splits(pixels).items()}, scale)
    assert_rows(new_rows({"image": pixels[:TRAIN]}, facts, space), known, space)
    facts, space, known = run({k: {"x": v} for k, v in splits(pixels).items()}, scale)
    assert_rows(new_rows({"x": pixels[:TRAIN]}, facts, space), known, space)


def test_columns_of_numbers_by_their_names():
    frame = pandas.DataFrame(VECTORS, columns=[*"abcd"])
    facts, space, known = run(splits(frame), "standard")
    shuffled = frame[:TRAIN].assign(other="a word")[["d", "other", "b", "a", "c"]]
    for x in (frame[:TRAIN], shuffled, pyarrow.Table.from_pandas(shuffled), VECTORS[:TRAIN]):
        assert_rows(new_rows(x, facts, space), known, space)


def test_rows_of_a_table():
    facts, space, known = run(splits(FRAME), "standard")
    assert_rows(new_rows(FRAME[:TRAIN], facts, space), known, space)
    # A column of whole numbers with a gap is one of floats in pandas, and a category need not be there.
    part = FRAME[:8].assign(rooms=[np.nan, 2, 3, 4] * 2, town="Köln", weight=None)
    rows = new_rows(part, facts, space)
    np.testing.assert_array_equal(rows["x"][:, 2:], [[1, 0, 1], [1, 1, 0], [1, 2, 1], [1, 3, 0]] * 2)
    np.testing.assert_array_equal(rows["observed"].sum(0), [8, 0, 8, 6, 8])
    np.testing.assert_array_equal(rows["x"][:, 0], known["x"][:8, 0])


def test_counts():
    genes = [f"gene {number}" for number in range(5)]
    facts, space, known = run({k: {"counts": v, "columns": np.array(genes)} for k, v in splits(COUNTS).items()})
    cells = types.SimpleNamespace(
        X=np.concatenate([COUNTS[:TRAIN, ::-1], COUNTS[:TRAIN]], 1),
        obs=pandas.DataFrame({"score": [np.nan] * TRAIN}),
        var_names=[*genes[::-1], *"uvwxy"],
    )
    frame = pandas.DataFrame(COUNTS[:TRAIN], columns=genes)[genes[::-1]]
    for x in (COUNTS[:TRAIN], COUNTS[:TRAIN] / 1, scipy.sparse.csr_matrix(COUNTS[:TRAIN]), cells, frame):
        assert_rows(new_rows(x, facts, space), known, space)


def test_sentences_have_the_words_of_the_run():
    facts, space, known = run(splits(LINES))
    assert_rows(new_rows(LINES[:TRAIN], facts, space), known, space)
    assert_rows(new_rows(known.astype(np.int64), facts, space), known, space)
    rows = new_rows(["the wolf", "", "a  cat"], facts, space)
    assert open_data(splits(LINES)).show(rows).lines == ("the <unk>", "", "a cat")


def test_files_give_what_objects_give(tmp_path):
    np.savez(tmp_path / "a.npz", image=BYTES, label=np.arange(NUM))
    np.save(tmp_path / "a.npy", BYTES)
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    FRAME.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_text("\n".join(LINES))
    for ends, x in ((("npz", "npy"), BYTES), (("csv", "parquet"), FRAME), (("txt",), LINES)):
        facts, space, _ = run(splits(x), "standard" if x is FRAME else None)
        for end in ends:
            np.testing.assert_equal(new_rows(tmp_path / f"a.{end}", facts, space), new_rows(x, facts, space))
            np.testing.assert_equal(new_rows(str(tmp_path / f"a.{end}"), facts, space), new_rows(x, facts, space))


def test_pictures_in_files_are_prepared_as_those_of_the_run(tmp_path):
    colour = RNG.integers(0, 256, (4, 12, 16, 3), np.uint8)
    for number, pixels in enumerate(colour):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / ".hidden.png").write_bytes(b"no picture")
    size = Preparation(resize=(10, 8), crop=6)
    facts, space, known = run({"image": colour, "split": np.array([0, 0, 0, 2])}, preparation=size)
    assert space.shape == (6, 6, 3)
    assert_rows(new_rows(colour[:3], facts, space), known, space)
    assert_rows(new_rows(known, facts, space), known, space)
    rows = new_rows(tmp_path, facts, space)
    assert (rows.shape, rows.dtype) == ((4, 6, 6, 3), np.uint8)
    np.testing.assert_array_equal(new_rows(tmp_path / "2.png", facts, space), rows[2:3])
    # Pillow resizes a picture's channels as it resizes each alone.
    np.testing.assert_array_equal(rows[:3], known)


def test_stores_and_archives_give_what_objects_give(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["image"], file["label"] = BYTES, np.arange(NUM)
    with h5py.File(tmp_path / "counts.hdf5", "w") as file:
        file["counts"], file["columns"] = COUNTS, [f"gene {number}" for number in range(5)]
    zarr.save_group(tmp_path / "a.zarr", image=BYTES)
    zarr.save_array(tmp_path / "one.zarr", BYTES)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number, pixels in enumerate(BYTES):
            Image.fromarray(pixels).save(tmp_path / "one.png")
            tar.add(tmp_path / "one.png", f"a/{number:02}.png")
    facts, space, _ = run(splits(BYTES))
    for name in ("a.h5", "a.zarr", "one.zarr", "a.tar"):
        np.testing.assert_array_equal(new_rows(tmp_path / name, facts, space), new_rows(BYTES, facts, space))
    facts, space, _ = run({k: {"counts": v} for k, v in splits(COUNTS).items()})
    np.testing.assert_array_equal(new_rows(tmp_path / "counts.hdf5", facts, space), COUNTS)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Save a set of Hugging Face; its name."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()

    def save(columns):
        of = datasets.Dataset.from_pandas if isinstance(columns, pandas.DataFrame) else datasets.Dataset.from_dict
        of(columns).save_to_disk(tmp_path / "set")
        return f"hf:{tmp_path / 'set'}"

    return save


@pytest.mark.parametrize("name", ["bytes", "real", "words"])
def test_sets_of_hugging_face_give_what_objects_give(saved, name):
    x, scale = RUNS[name]
    columns = {"bytes": {"photo": [Image.fromarray(pixels) for pixels in BYTES]}, "real": {"x": VECTORS}}
    facts, space, _ = run(x, scale)
    place = saved(columns.get(name, {"text": LINES}))
    np.testing.assert_equal(new_rows(place, facts, space), new_rows(x, facts, space))


def test_the_set_of_a_run_is_read_in_its_own_order(saved):
    place = saved(FRAME) + "?columns=" + ",".join(FRAME.columns)
    facts, space, known = run(place, "standard")
    rows, origin = new_rows(place, facts, space), open_data(place).train.origin
    assert_rows({name: array[origin] for name, array in rows.items()}, known, space)


RUNS = {
    "bytes": (BYTES, None),
    "binary": (np.round(SHADES), None),
    "real": (VECTORS, "standard"),
    "unit": (VECTORS, "unit"),
    "columns": (pandas.DataFrame(VECTORS, columns=[*"abcd"]), "standard"),
    "table": (FRAME, "standard"),
    "counts": (scipy.sparse.csr_matrix(COUNTS), None),
    "words": (LINES, None),
}


@pytest.mark.parametrize(
    ("name", "x", "told"),
    [
        ("bytes", BYTES[:, 1:], r"x has shape \(40, 7, 6\), the run's examples are \(8, 6, 1\)"),
        ("bytes", BYTES[0], r"x has shape \(8, 6\).*; give x\[None\]"),
        ("bytes", np.repeat(BYTES[..., None], 3, 3), "shape"),
        ("bytes", BYTES[:0], "x holds no examples"),
        ("bytes", BYTES / 100, "x holds values from 0 to 2.55, the run's are in"),
        ("bytes", np.uint8(BYTES > 100), "no value above 1; white is 255"),
        ("bytes", BYTES.astype(int), r"dtype int64; give image.astype\(numpy.uint8\)"),
        ("bytes", BYTES * np.nan, "NaN"),
        ("bytes", LINES, "x holds sentences, the run learned images; give an array"),
        ("bytes", FRAME, "x holds a table, the run learned images"),
        ("bytes", {"images": BYTES}, "x holds images; name the images 'image'"),
        ("bytes", "nowhere.png", "x: there is no file 'nowhere.png'"),
        ("bytes", [BYTES[0], BYTES[1, 1:]], "x is no array"),
        ("binary", SHADES, "x holds shades, the run's pixels are 0 or 1"),
        ("real", VECTORS[:, 1:], "shape"),
        ("real", VECTORS[0], r"give x\[None\]"),
        ("real", VECTORS * np.nan, "NaN"),
        ("real", BYTES[:, 0, :4], "uint8, which may be pixels or numbers; say which"),
        ("real", {"image": BYTES[:, 0, :4]}, "x is uint8, the run's values go beyond"),
        ("real", np.full((2, 4), 2**24 + 1), "integers that float32 cannot"),
        ("unit", VECTORS * 2, "x holds values outside the range to which the run's are scaled"),
        ("columns", pandas.DataFrame(VECTORS[:, :3], columns=[*"abd"]), "there is no column 'c'; give all 4"),
        ("columns", pandas.DataFrame(VECTORS * np.nan, columns=[*"abcd"]), "column 'a' misses 40 values"),
        ("columns", pandas.DataFrame([["word"] * 4], columns=[*"abcd"]), "column 'a' holds words, such as 'word'"),
        ("table", VECTORS, "x holds an array, the run learned rows of a table; give a DataFrame"),
        ("table", FRAME.drop(columns=["town", "rooms"]), "there is no column 'town' and 1 more"),
        ("table", FRAME.rename(columns={"town": "towns"}), r"no column 'town' \(did you mean 'towns'\?\)"),
        ("table", FRAME.assign(town="Genf"), "'town' holds 'Genf', the run knows Bern, Köln; leave the cell empty"),
        ("table", FRAME.assign(rooms=1.5), "'rooms' holds '1.5'"),
        ("table", FRAME.assign(height="tall"), "'height' holds words, such as 'tall'"),
        ("table", FRAME.assign(height=np.inf), "'height' holds NaN, infinity"),
        ("counts", COUNTS - 1, "x holds -1; a count is not below 0"),
        ("counts", COUNTS / 2, "give raw counts"),
        ("counts", COUNTS[:, 1:], "shape"),
        ("counts", LINES, "x holds sentences, the run learned counts"),
        ("words", ["a " * 6], "sentence 0 has 6 words, the run's have 5 at most"),
        ("words", ["a <end>"], "sentence 0: holds the word '<end>'"),
        ("words", VECTORS, "dtype float32; give tokens as integers"),
        ("words", COUNTS[:, :4] + 100, "shape|tokens from"),
        ("words", "the cat sees " * 400, "x: there is no file 'the cat .*; give .* sentences as a list"),
        ("words", FRAME, "x holds a table, the run learned sentences"),
    ],
)
def test_examples_of_another_kind_are_refused_in_one_line(name, x, told):
    facts, space, _ = run(RUNS[name][0], RUNS[name][1])
    with pytest.raises(InputError, match=told) as caught:
        new_rows(x, facts, space)
    assert str(caught.value).startswith("x")
    assert "\n" not in str(caught.value)


def test_sentences_need_a_vocabulary():
    facts, space, known = run({"tokens": np.array([[3, 4, 1, 0], [4, 2, 3, 1]] * 9)})
    np.testing.assert_array_equal(new_rows({"tokens": known}, facts, space), known)
    with pytest.raises(InputError, match=r"the run has no vocabulary; give tokens \[N, 4\]"):
        new_rows(["a b"], facts, space)

"""Data in memory: the same set as of a file of them, fingerprint included; what files refuse is refused."""

import types

import jax.numpy as jnp
import numpy as np
import pandas
import pyarrow
import pytest
import scipy.sparse

from jaxvae.data import Dataset, Preparation, load, open_data
from jaxvae.data.spaces import Counts, Pixels, Real
from jaxvae.errors import InputError

RNG = np.random.default_rng(5)
NUM = 40
BYTES = RNG.integers(0, 256, (NUM, 8, 6), np.uint8)
SHADES = RNG.uniform(size=(NUM, 8, 6, 3))
VECTORS = RNG.normal(size=(NUM, 5))
SIGNALS = RNG.normal(size=(NUM, 30, 2))
COUNTS = RNG.poisson(1.0, (NUM, 6))
TOKENS = np.array([[3, 4, 1, 0], [4, 2, 3, 1]] * (NUM // 2))
NAMES = np.array(["cat", "dog"] * (NUM // 2))
AGE = RNG.uniform(20, 60, NUM).astype(np.float32)
PARTS = {"train": slice(0, 30), "validation": slice(30, 34), "test": slice(34, None)}
SPLIT = np.repeat([0, 1, 2], [30, 4, 6])
LINES = [f"the {word} sees a {other}" for word in ("cat", "dog", "bird") for other in ("mouse", "fly", "cat")] * 4
TABLE = {
    "height": VECTORS[:, 0].tolist(),
    "weight": [None if i % 9 == 4 else float(v) for i, v in enumerate(VECTORS[:, 1])],
    "town": ["Bern", "Köln"] * (NUM // 2),
    "rooms": [1, 2, 3, 4] * (NUM // 4),
    "smokes": [True, False] * (NUM // 2),
    "label": NAMES.tolist(),
}


def assert_equal(data: Dataset, other: Dataset) -> None:
    assert data.fingerprint() == other.fingerprint()
    for part in ("space", "classes", "facts", "preparation", "scaling"):
        assert getattr(data, part) == getattr(other, part), part


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "mine.npz", **arrays)
    return load(str(tmp_path / "mine.npz"))


@pytest.mark.parametrize(
    ("array", "key"),
    [*((array, "image") for array in (BYTES, SHADES, SHADES[..., 0], SHADES * 3)), (VECTORS, "x"), (SIGNALS, "x")],
)
def test_an_array_is_what_its_npz_file_is(tmp_path, array, key):
    file = saved(tmp_path, **{key: array})
    assert_equal(open_data(array), file)
    assert_equal(open_data(jnp.asarray(array.astype(np.float32) if array.dtype != np.uint8 else array)), file)
    assert open_data(array).name == "array"
    assert_equal(open_data([*array]), file)
    assert isinstance(open_data(array, stream=False).train.x, np.ndarray)


@pytest.mark.parametrize(
    "arrays",
    [
        {"image": BYTES, "label": SPLIT, "classes": np.array(["a", "b", "c"]), "age": AGE},
        {"x": VECTORS, "split": SPLIT, "columns": np.array(list("abcde"))},
        {"x": BYTES[:, 0], "label": SPLIT.tolist(), "age": None},
        {"counts": COUNTS, "age": AGE},
        {"tokens": TOKENS, "vocabulary": np.array(["<pad>", "<end>", "<unk>", "a", "b"])},
    ],
)
def test_a_dict_of_arrays_is_an_npz_file(tmp_path, arrays):
    data, file = (
        open_data(arrays),
        saved(tmp_path, **{key: array for key, array in arrays.items() if array is not None}),
    )
    assert_equal(data, file)
    np.testing.assert_equal(dict(data.test.attributes), dict(file.test.attributes))
    assert data.name == {"counts": "counts", "tokens": "text"}.get(next(iter(arrays)), "array")


def test_sparse_counts_are_dense_ones(tmp_path):
    file = saved(tmp_path, counts=COUNTS)
    for kind in (scipy.sparse.csr_matrix, scipy.sparse.csc_array, scipy.sparse.coo_matrix):
        assert_equal(open_data(kind(COUNTS)), file)
        assert_equal(open_data({"counts": kind(COUNTS)}), file)


def test_tables_are_their_parquet_and_csv_files(tmp_path):
    frame = pandas.DataFrame({**TABLE, "town": pandas.Categorical(TABLE["town"], ["Köln", "Bern"])})
    frame["weight"] = frame["weight"].astype("Float64")
    frame.to_parquet(tmp_path / "mine.parquet")
    frame.to_csv(tmp_path / "mine.csv", index=False)
    for end in ("parquet", "csv"):
        assert_equal(open_data(frame), load(str(tmp_path / f"mine.{end}")))
    assert_equal(open_data(pyarrow.table(TABLE)), open_data(frame))
    assert_equal(open_data(frame.set_index(NAMES)), open_data(frame))
    assert open_data(frame).name == "table"


def test_a_gap_of_pandas_is_one_and_not_a_number():
    frame = pandas.DataFrame({"a": [np.nan, *AGE[1:]], "b": AGE})
    assert (~open_data(frame).train.x["observed"][:]).sum() + (~open_data(frame).test.x["observed"][:]).sum() <= 1
    assert open_data(frame.iloc[1:]).space == Real((2,))


class Streamed:
    """A table that is known by its stream of arrow alone, as those of DuckDB are."""

    def __init__(self, table):
        self.columns, self.stream = table.column_names, table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.stream.__arrow_c_stream__(requested_schema)


class Converted(Streamed):
    """A table that pyarrow need not convert itself, such as one of polars."""

    def to_arrow(self):
        return self.stream

    def __arrow_c_stream__(self, requested_schema=None):
        raise NotImplementedError


def test_tables_of_other_packages_come_by_arrow():
    table = pyarrow.table(TABLE)
    for other in (Streamed(table), Converted(table)):
        assert_equal(open_data(other), open_data(table))


def anndata(counts=COUNTS, **obs):
    """The parts of an AnnData."""
    frame = pandas.DataFrame({"depth": counts.sum(1), **obs}, index=[f"cell {i}" for i in range(len(counts))])
    genes = pandas.Index([f"gene {i}" for i in range(counts.shape[1])])
    return types.SimpleNamespace(X=scipy.sparse.csr_matrix(counts.astype(np.float32)), obs=frame, var_names=genes)


def test_cells_have_genes_labels_splits_and_attributes():
    kinds = pandas.Categorical(NAMES, ["dog", "cat"])
    data = open_data(anndata(label=kinds, split=np.array(["train", "test"])[SPLIT // 2], batch=[*"uv"] * 20))
    assert (data.name, data.space, data.classes) == ("counts", Counts((6,)), ("dog", "cat"))
    np.testing.assert_array_equal(data.train.x, COUNTS[SPLIT < 2])
    np.testing.assert_array_equal(data.test.label, (NAMES == "cat")[34:])
    np.testing.assert_array_equal(data.test.attributes["batch"], np.arange(34, 40) % 2)
    np.testing.assert_array_equal(data.test.attributes["depth"], COUNTS[34:].sum(1))
    assert data.facts == {"columns": [f"gene {i}" for i in range(6)], "attributes": {"batch": ["u", "v"]}}


def test_cells_are_their_h5ad_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    adata = anndata(
        label=pandas.Categorical(NAMES, ["dog", "cat"]), batch=[*"uv"] * 20, id=[f"cell {i}" for i in range(NUM)]
    )
    with h5py.File(tmp_path / "mine.h5ad", "w") as file:
        file["X"], file["obs/depth"], file["var/_index"] = COUNTS.astype(np.float32), COUNTS.sum(1), [*adata.var_names]
        file["obs/id"], file["obs/_index"] = [*adata.obs["id"]], [*adata.obs.index]
        for name, codes, names in (
            ("label", NAMES == "cat", ["dog", "cat"]),
            ("batch", np.arange(NUM) % 2, ["u", "v"]),
        ):
            group = file.create_group(f"obs/{name}")
            group.attrs["encoding-type"] = "categorical"
            group["codes"], group["categories"] = codes.astype(np.int8), names
    assert_equal(open_data(adata), load(str(tmp_path / "mine.h5ad")))


def test_sentences_are_the_lines_of_a_file(tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join([*LINES, "", " "]))
    file = load(str(tmp_path / "mine.txt"))
    columns = (np.array(LINES), pandas.Series(LINES), pandas.Series(LINES, dtype="string"))
    for sentences in ([*LINES, ""], (*LINES,), *columns):
        assert_equal(open_data(sentences), file)
    assert open_data(LINES).name == "text"


def test_labels_and_attributes_go_with_their_examples(tmp_path):
    file = saved(tmp_path, image=BYTES, label=(NAMES == "dog").astype(int), classes=np.array(["cat", "dog"]), age=AGE)
    for label in (NAMES, NAMES.tolist(), pandas.Series(NAMES, dtype="category")):
        assert_equal(open_data(BYTES, label=label, attributes={"age": jnp.asarray(AGE)}), file)
        assert_equal(open_data((BYTES, label), attributes={"age": AGE}), file)
    table = open_data(pandas.DataFrame({"a": AGE, "b": AGE}), label=np.arange(NUM), attributes={"odd": AGE > 30})
    np.testing.assert_allclose(table.train.x[:][:, 0], AGE[table.train.label])
    np.testing.assert_array_equal(table.train.attributes["odd"], AGE[table.train.label] > 30)
    text = open_data(LINES, label=np.arange(len(LINES)))
    for number, line in zip(text.train.label, text.show(text.train.x[:]).lines, strict=True):
        words = zip(line.split(), LINES[number].split(), strict=True)
        assert all(word in ("<unk>", original) for word, original in words)


def test_splits_are_those_of_the_mapping(tmp_path):
    whole = saved(tmp_path, x=VECTORS, split=SPLIT, label=SPLIT)
    parts = {name: (VECTORS[part], SPLIT[part]) for name, part in PARTS.items()}
    assert_equal(open_data(parts), whole)
    assert_equal(open_data({"Test": parts["test"], "val": parts["validation"], "training": parts["train"]}), whole)
    dicts = {name: {"x": x, "label": label} for name, (x, label) in parts.items()}
    assert_equal(open_data(dicts), whole)


def test_splits_of_tables_sentences_and_cells():
    names = np.array(["train", "validation", "test"])[SPLIT]
    frame = pandas.DataFrame({**TABLE, "town": pandas.Categorical(TABLE["town"])})
    joined = {name: frame[part].convert_dtypes() if name == "test" else frame[part] for name, part in PARTS.items()}
    assert_equal(open_data(joined), open_data(frame.assign(split=names)))
    lines = {name: LINES[part] for name, part in {"train": slice(20), "test": slice(20, None)}.items()}
    data = open_data(lines)
    assert (data.train.num_examples, data.test.num_examples, data.validation) == (20, len(LINES) - 20, None)
    assert data.show(data.train.x[:1]).lines == (LINES[0],)
    kinds = pandas.Categorical(NAMES)
    cells = {name: anndata(COUNTS[part], label=kinds[part]) for name, part in PARTS.items()}
    assert_equal(open_data(cells), open_data(anndata(label=kinds, split=names)))


def test_categories_of_split_cells_keep_their_names():
    train = anndata(COUNTS[:30], label=pandas.Categorical(NAMES[:30], ["dog", "cat"]))
    test = anndata(COUNTS[30:], label=pandas.Categorical(NAMES[30:], ["cat", "dog"]))
    data = open_data({"train": train, "test": test})
    for split, names in ((data.train, NAMES[:30]), (data.test, NAMES[30:])):
        assert [data.classes[number] for number in split.label] == names.tolist()


def test_names_paths_sets_and_functions(tmp_path):
    np.savez(tmp_path / "mine.npz", x=VECTORS)
    file = load(str(tmp_path / "mine.npz"))
    for source in (tmp_path / "mine.npz", str(tmp_path / "mine.npz"), lambda: VECTORS, lambda: tmp_path / "mine.npz"):
        assert_equal(open_data(source), file)
    assert open_data(file) is file
    with pytest.raises(InputError, match=r"label: labels .* are for data in memory, and mine has its own"):
        open_data(file, label=NAMES)
    with pytest.raises(InputError, match="mine is a Dataset already"):
        open_data(file, preparation=Preparation(crop=2))


def test_images_in_memory_are_prepared(tmp_path):
    np.savez(tmp_path / "mine.npz", image=BYTES)
    size = Preparation(resize=4)
    data = open_data(BYTES, preparation=size)
    assert_equal(data, load(str(tmp_path / "mine.npz"), preparation=size))
    assert data.space == Pixels((4, 4, 1))
    with pytest.raises(InputError, match="resize: data holds no images"):
        open_data(VECTORS, preparation=size)


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        (None, "data is an object of type NoneType; give numbers, or strings"),
        (AGE, r"data has shape \(40,\); give \[N, D\]"),
        ([], r"data has shape \(0,\)"),
        ({}, "data: holds nothing; name the examples one of image"),
        ({"images": BYTES}, "holds images; name the examples one of image"),
        (VECTORS[:0], "is empty"),
        (VECTORS[:1], "1 example cannot be divided"),
        (VECTORS * np.nan, "holds NaN or infinity"),
        (VECTORS * 1e300, "floats that float32 cannot"),
        (VECTORS + 1j, "dtype complex128"),
        (COUNTS, r'holds integers, which may be counts, tokens or numbers; say which: \{"counts": x\}'),
        (BYTES > 9, "dtype bool"),
        (BYTES.astype(int)[..., None], r"dtype int64; give image.astype\(numpy.uint8\)"),
        (np.moveaxis(SHADES, -1, 1), r"transpose \(0, 2, 3, 1\)"),
        (RNG.normal(size=(NUM, 8, 8)), "may hold images"),
        ([BYTES[0], BYTES[0, :3]], r"data is no array .*give examples of one shape"),
        (np.array([None, 1]), r"an array \(2,\) of objects"),
        (np.ma.masked_less(VECTORS, 0), "masked values; give a DataFrame"),
        (scipy.sparse.csr_matrix(VECTORS), "'counts' holds .*; a count is not below 0|give raw counts"),
        (["1 2", "3 4"] * 5, "holds numbers and no words; give an array"),
        (["", " "], "holds no words"),
        (["a <pad>", "a b"] * 9, "holds the word '<pad>', which is a mark"),
        (pandas.DataFrame({"a": []}), "holds no rows"),
        (pandas.DataFrame({"a": [1, "b"] * 9}), r"data: cannot be read \(.*column a with type object"),
        (pandas.DataFrame({"a": pandas.to_datetime(["2020-01-01"] * 9)}), "'a' is of type timestamp"),
        (pandas.DataFrame([[1, 2]] * 9, columns=["a", "a"]), "[Dd]uplicate column names"),
        (pandas.DataFrame({"a": [np.inf] * 9}), "NaN or infinity"),
        (anndata(-COUNTS), "data: X holds -.*; a count is not below 0"),
        (types.SimpleNamespace(X=None, obs=0, var_names=0), "X is missing"),
        ({"x": VECTORS, "labels": SPLIT}, "did you mean 'label'"),
        ({"x": VECTORS, "label": NAMES}, r"numpy.unique\(label, return_inverse=True\)"),
        ({"train": "photos/train", "test": "photos/test"}, r"data\['train'\] is 'photos/train'; give the examples"),
        ({"height": AGE, "age": AGE}, "data: holds height, age; name the examples .*, or give a DataFrame"),
        ({"train": VECTORS}, "holds only train"),
        ({"train": VECTORS, "TRAIN": VECTORS, "test": VECTORS}, "two names for one"),
        ({"train": VECTORS, "test": LINES}, "its splits are of several kinds"),
        ({"train": VECTORS, "test": VECTORS[:, :2]}, "differ in shape"),
        ({"train": SHADES[..., 0], "test": SIGNALS}, r"hold arrays \['image'\] and \['x'\]"),
        ({"train": BYTES, "test": BYTES / 255}, "images in uint8 and in floats"),
        ({"train": {"x": VECTORS, "split": SPLIT}, "test": {"x": VECTORS, "split": SPLIT}}, "hold splits of their own"),
        ({"train": {"png": SPLIT, "offset": SPLIT}, "test": {"png": SPLIT, "offset": SPLIT}}, "hold image files"),
        ({"train": (VECTORS, NAMES), "test": VECTORS}, "some splits have none"),
        ({"train": (VECTORS, NAMES), "test": (VECTORS, NAMES[:3])}, r"'test' has labels \(3,\) for 40 examples"),
        ({"train": pyarrow.table({"a": AGE}), "test": pyarrow.table({"b": AGE})}, "have different columns"),
        ({"train": pyarrow.table({"a": AGE}), "test": pyarrow.table({"a": NAMES.tolist()})}, "of different types"),
        ({"train": anndata(), "test": anndata(COUNTS[:, :3])}, "have different genes"),
    ],
)
def test_data_that_cannot_be_used_are_refused_in_one_line(thing, told):
    with pytest.raises(InputError, match=told) as caught:
        open_data(thing)
    assert str(caught.value).startswith(("data", "label"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"label": SPLIT[:9]}, r"label: it is int64 \(9,\); give integers of shape \(40,\)"),
        ({"label": AGE}, "number the classes"),
        ({"label": SPLIT - 2}, "holds numbers from -2 to 0; number classes from 0, with -1 where one is unknown"),
        ({"label": [None] * NUM}, "label is an array"),
        ({"attributes": {"age": AGE[:9]}}, r"'age' is float32 \(9,\); give numbers of shape \(40,\)"),
        ({"attributes": {"age": NAMES}}, "'age' is <U3"),
        ({"attributes": {"label": AGE}}, "'label' is the name of the labels"),
    ],
)
def test_labels_and_attributes_that_cannot_be_used_are_refused(options, told):
    with pytest.raises(InputError, match=told):
        open_data(VECTORS, **options)


def test_labels_are_given_once():
    for thing in ((VECTORS, SPLIT), {"x": VECTORS, "label": SPLIT}, pyarrow.table(TABLE)):
        with pytest.raises(InputError, match=r"label: .* labels already; leave it out"):
            open_data(thing, label=SPLIT)
    with pytest.raises(InputError, match="'age' already; rename it"):
        open_data({"x": VECTORS, "age": AGE}, attributes={"age": AGE})
    with pytest.raises(InputError, match="sentence 1 is blank"):
        open_data(["a b", "", *LINES], label=np.arange(len(LINES) + 2))
    with pytest.raises(InputError, match="splits bring their own labels"):
        open_data({"train": VECTORS, "test": VECTORS}, label=SPLIT)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"data: needs pyarrow, .*pip install 'jaxvae\[tables\]'"):
        open_data(pandas.DataFrame({"a": AGE}))

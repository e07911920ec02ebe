"""Tables: values, holes and names are those of the file, and whatever is ambiguous is refused in one line."""

import csv
import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from jaxvae.data import load
from jaxvae.data.spaces import Real, Table
from jaxvae.errors import InputError

ROWS = 40


def text(header, row, num=ROWS, sep=","):
    return "\n".join([sep.join(header), *(sep.join(map(str, row(i))) for i in range(num))]) + "\n"


def save(tmp_path, content, name="mine.csv"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(tmp_path / name)


def every(data, name):
    return np.concatenate([split.x[name] for split in data[1:4]])


def test_columns_of_numbers_are_real(tmp_path):
    content = text(["height", "weight", "label"], lambda i: (i / 7, i * 100, "cat" if i % 2 else "dog"))
    data = load(save(tmp_path, content))
    assert data.space == Real((2,))
    assert data.facts == {
        "columns": ["height", "weight"],
        "decimals": {"weight": 0},
        "bounds": {"height": [0.0, 39 / 7], "weight": [0.0, 3900.0]},
    }
    assert data.classes == ("cat", "dog")
    np.testing.assert_array_equal(data.train.label, 1 - data.train.x[:, 1] // 100 % 2)
    other = load(save(tmp_path, content.replace(",", "\t"), "mine.tsv"))
    assert other.fingerprint() == data.fingerprint()


def test_words_few_numbers_and_holes_make_a_table(tmp_path):
    def row(i):
        return i / 3, "" if i == 7 else i * 1000, ["Bern", "Köln"][i % 2], i % 4, "true" if i % 3 else "false"

    data = load(save(tmp_path, text(["a", "b", "town", "n", "yes"], row)))
    kinds = ("real", "integer", "categorical", "categorical", "categorical")
    assert data.space == Table((0, 0, 2, 4, 2), data.space.digest, kinds)
    assert data.facts["categories"] == {"town": ["Bern", "Köln"], "n": ["0", "1", "2", "3"], "yes": ["false", "true"]}
    values, observed = every(data, "x"), every(data, "observed")
    assert (~observed).sum() == 1
    assert values[~observed].tolist() == [0]
    i = np.rint(values[:, 0] * 3)
    np.testing.assert_array_equal(values[:, 2:], np.stack([i % 2, i % 4, i % 3 > 0], 1))
    assert data.space.check(data.train.x, "x") is None
    assert data.show(data.train.first(1)).rows[0][2] in ("Bern", "Köln")


def test_a_column_of_splits_divides(tmp_path):
    names = ("train", "Valid", "test")
    data = load(save(tmp_path, text(["a", "split"], lambda i: (i / 3, names[i % 3]))))
    np.testing.assert_allclose(data.validation.x[:, 0], np.arange(1, ROWS, 3) / 3, rtol=1e-6)


def test_parquet_gives_what_csv_gives(tmp_path):
    numbers = range(ROWS)
    columns = {"a": [i / 3 for i in numbers], "b": [None if i == 5 else i for i in numbers], "c": ["u", "v"] * 20}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "mine.parquet")
    content = text(list(columns), lambda i: ["" if column[i] is None else column[i] for column in columns.values()])
    one, other = load(str(tmp_path / "mine.parquet")), load(save(tmp_path, content))
    assert one.fingerprint() == other.fingerprint()
    assert one.facts == other.facts


WORD = lambda i: "xyz"[i % 3]  # noqa: E731


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "cannot be read .*[Ee]mpty"),
        ("a,b\n", "holds no rows"),
        ("a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        ("a,b\n1,2\n3,4,5\n", "Expected 2 columns, got 3"),
        ("1,2\n3,4\n", "first line holds numbers"),
        ("a,a\n1,2\n", "two columns are called 'a'"),
        (",a\n0,1\n", r"column 1 has no name; .*index=False"),
        ("a,b\n1,\n2,\n", "column 'b' is empty"),
        (text(["a"], lambda i: ("NA" if i == 3 else i,)), "'a' holds both numbers and words, such as '0' and 'NA'"),
        (text(["a", "b"], lambda i: (i, "nan" if i == 3 else 0.5)), "'b' holds NaN or infinity; leave the cell"),
        (text(["a", "b"], lambda i: (i, "1e300")), "'b' holds numbers that float32 cannot"),
        (text(["a", "b"], lambda i: (i, f"name {i}")), "'b' holds 40 different words"),
        (text(["a", "b"], lambda i: (i, "2020-01-01")), "'b' is of type date32"),
        (text(["a", "b"], lambda i: (i, WORD(i))).encode().replace(b"x", b"\xff"), "not UTF-8"),
        (b"\xff,b\n1,2\n", "first line is not UTF-8"),
        ('a,b\n1,"x\n2,x\n' + "3,x\n" * 20, "line break|Expected"),
        (text(["a", "target"], lambda i: (i, i / 3)), "'target' holds numbers and no classes; rename it"),
        (text(["a", "label"], lambda i: (i, "" if i == 3 else WORD(i))), "'label' misses 1 values"),
        (text(["a", "label", "class"], lambda i: (i, WORD(i), WORD(i))), "'label' and 'class' both hold labels"),
        (text(["a", "split"], lambda i: (i, WORD(i))), "'split' holds x, y, z; use train"),
        (text(["label"], lambda i: (WORD(i),)), "holds no columns of values"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_in_one_line(tmp_path, content, told):
    path = save(tmp_path, content)
    with pytest.raises(InputError, match=told) as caught:
        load(path)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


def test_damaged_parquet_is_refused(tmp_path):
    for content in (b"", b"PAR1", b"PAR1" + bytes(40) + b"PAR1"):
        with pytest.raises(InputError, match=r"mine.parquet: cannot be read"):
            load(save(tmp_path, content, "mine.parquet"))


@pytest.mark.parametrize("name", ["credit_data", "penguins", "attrition", "breast_cancer", "wine"])
def test_real_tables_have_the_cells_of_their_files(shared_data, name):
    data = load(str(shared_data / "tables" / f"{name}.csv"))
    told = json.loads((shared_data / "tables" / f"{name}.json").read_text())
    with (shared_data / "tables" / f"{name}.csv").open(newline="") as stream:
        rows = [[cell for key, cell in row.items() if key in data.facts["columns"]] for row in csv.DictReader(stream)]
    assert sum(split.num_examples for split in data[1:4]) == told["rows"] == len(rows)
    shown = [row for split in data[1:4] for row in data.space.show(split.x, data.facts).rows]
    assert sum(cell == "" for row in shown for cell in row) == sum(cell == "" for row in rows for cell in row)
    as_numbers = [sorted(_number(row[i]) for row in found) for found in (rows, shown) for i in range(len(rows[0]))]
    for wanted, found in zip(as_numbers[: len(rows[0])], as_numbers[len(rows[0]) :]):
        assert [kind for kind, _ in wanted] == [kind for kind, _ in found]
        for (_, one), (_, other) in zip(wanted, found):
            assert one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-5))


def _number(cell):
    try:
        return 0, float(cell)
    except ValueError:
        return 1, cell

"""Kinds of columns: what is guessed, what is asked for, and what is refused."""

import json

import numpy as np
import pyarrow as pa
import pytest

from jaxvae.data import Preparation, load, open_data
from jaxvae.data.sources.kinds import Asked, asked_kinds, decimals_of
from jaxvae.errors import InputError

NOISE = np.random.default_rng(0)
N = 120
TABLE = {
    "height": np.round(NOISE.normal(170, 8, N), 1),
    "age": NOISE.integers(18, 80, N),
    "children": NOISE.poisson(3, N) * NOISE.integers(1, 4, N),
    "town": NOISE.choice(["Bern", "Basel", "Chur"], N),
    "rooms": NOISE.integers(1, 5, N),
    "price": np.round(np.exp(NOISE.normal(3, 1, N)), 2),
    "label": NOISE.choice(["a", "b"], N),
}


def opened(columns="", **changes):
    return open_data(pa.table({**TABLE, **changes}), preparation=Preparation(columns=columns))


def kinds_of(data):
    return dict(zip(data.facts["columns"], data.space.kinds))


def test_kinds_are_guessed():
    data = opened()
    assert kinds_of(data) == {
        "height": "real",
        "age": "integer",
        "children": "count",
        "town": "categorical",
        "rooms": "categorical",
        "price": "real",
    }
    assert data.classes == ("a", "b")
    assert data.facts["decimals"] == {"height": 1, "age": 0, "children": 0, "price": 2}
    assert data.facts["bounds"]["age"] == [TABLE["age"].min(), TABLE["age"].max()]


def test_kinds_are_asked_for():
    data = opened("price=positive,rooms=ordinal,children=real,town=drop,age=categorical:2,label=categorical")
    assert kinds_of(data) == {
        "height": "real",
        "age": "categorical",
        "children": "real",
        "rooms": "ordinal",
        "price": "positive",
        "label": "categorical",  # named, so that it is a value
    }
    assert data.train.label is None
    assert data.facts["rest"] == ["age"]
    assert len(data.facts["categories"]["age"]) == 3
    assert data.facts["categories"]["age"][-1] == "other"
    counted = np.bincount(data.train.x["x"][:][:, 1].astype(int))
    assert counted[2] > counted[0]  # of some sixty ages all but two are others


def test_the_order_of_words_is_named():
    size = NOISE.choice(["small", "middle", "large"], N)
    data = opened("size=ordinal:small/middle/large", size=size)
    column = data.facts["columns"].index("size")
    assert data.facts["categories"]["size"] == ["small", "middle", "large"]
    words = np.array(["small", "middle", "large"])[data.train.x["x"][:][:, column].astype(int)]
    assert (words == size[data.train.origin]).all()


def test_a_json_file_beside_a_table_describes_its_columns(tmp_path):
    (tmp_path / "t.csv").write_text("grade,n\n" + "".join(f"{['low', 'high'][i % 2]},{i}\n" for i in range(40)))
    described = [
        {"name": "grade", "kind": "categorical", "categories": ["low", "high"], "ordered": True},
        {"name": "n", "kind": "continuous"},
    ]
    (tmp_path / "t.json").write_text(json.dumps({"columns": described}))
    data = load(str(tmp_path / "t.csv"))
    assert kinds_of(data) == {"grade": "ordinal", "n": "real"}
    assert data.facts["categories"]["grade"] == ["low", "high"]
    other = load(str(tmp_path / "t.csv"), preparation=Preparation(columns="n=integer"))
    assert kinds_of(other) == {"grade": "ordinal", "n": "integer"}


@pytest.mark.parametrize("content", ["[]", "{}", '{"columns": ["a", 3]}', '{"columns": {"a": 1}}'])
def test_a_json_file_about_something_else_is_none_of_the_table(tmp_path, content):
    (tmp_path / "t.csv").write_text("a\n" + "".join(f"{i / 7}\n" for i in range(40)))
    (tmp_path / "t.json").write_text(content)
    assert load(str(tmp_path / "t.csv")).space.kind == "real"


REFUSED = {
    "age": "'age' names no kind; write NAME=KIND",
    "age=integr": "kind 'integr' of 'age' is none of real, .*did you mean 'integer'",
    "agee=integer": "has no column 'agee'.*did you mean 'age'",
    "town=real": "column 'town' holds words, such as .*, which are no real numbers",
    "height=integer": "column 'height' holds .*, which is no integer; call it real",
    "children=positive": "column 'children' holds 0, which is no positive number; call it real, or integer",
    "age=categorical:x": "is not understood",
    "town=ordinal:Bern/Chur": "holds 'Basel', which is none of Bern, Chur; name it too",
    "height=drop,age=drop,children=drop,town=drop,rooms=drop,price=drop,label=drop": "all columns of .* are left out",
}


@pytest.mark.parametrize("columns", REFUSED)
def test_what_does_not_fit_is_refused(columns):
    with pytest.raises(InputError, match=REFUSED[columns]):
        opened(columns)


def test_many_words_are_refused_with_the_remedy():
    names = np.array([f"name {i}" for i in range(N)])
    with pytest.raises(InputError, match="--columns who=categorical:50 keeps the 50 most frequent, who=drop leaves"):
        opened(who=names)
    assert "who" not in opened("who=drop", who=names).facts["columns"]


def test_dates_can_be_left_out():
    dates = pa.array(np.arange(N).astype("datetime64[D]"))
    with pytest.raises(InputError, match="leave it out with --columns"):
        opened(day=dates)
    assert "day" not in opened("day=drop", day=dates).facts["columns"]


def test_decimals():
    assert decimals_of(np.array([1.0, 20.0])) == 0
    assert decimals_of(np.array([0.5, 0.25])) == 2
    assert decimals_of(np.array([1 / 3])) is None


def test_parts_are_read():
    assert asked_kinds("a=real, b = categorical:5") == {"a": Asked("real"), "b": Asked("categorical", 5)}

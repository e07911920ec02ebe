"""Molecules: atoms and bonds of SMILES strings, which come back as they were."""

import gzip

import pytest

from jaxvae.data import Preparation, load, new_rows
from jaxvae.data.sequences import Sequences
from jaxvae.data.spaces import Table
from jaxvae.errors import InputError

STRINGS = ["CCO", "CC(Cl)Br", "c1ccccc1[N+](=O)[O-]", "C[C@@H](N)C(=O)O", "C%12CCCCC%12", "Clc1ccccc1", "CBr", "CN"]


def table(path, strings, header="SMILES"):
    text = "\n".join([header, *strings]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith(".gz") else text.encode())
    return str(path)


def test_atoms_are_tokens(tmp_path):
    data = load(table(tmp_path / "mine.csv.gz", STRINGS * 6))
    shown = [line for split in (data.train, data.validation, data.test) for line in data.show(split.x).lines]
    assert sorted(shown) == sorted(STRINGS * 6)
    atoms = {"Cl", "Br", "[N+]", "[O-]", "[C@@H]", "%12"}
    assert atoms < {*data.facts["words"]}
    assert not {"[", "l", "r", "%", "@"} & {*data.facts["words"]}
    assert data.facts["units"] == "smiles"
    assert data.name == "mine"
    new = new_rows(table(tmp_path / "new.csv", ["CCl"]), {"names": dict(data.facts)}, data.space)
    assert data.show(new).lines == ("CCl",)


def test_files_of_splits(tmp_path):
    table(tmp_path / "train.csv", STRINGS)
    table(tmp_path / "test.csv", ["CCCCO"])
    table(tmp_path / "test_scaffolds.csv", ["CCI"])
    data = load(str(tmp_path))
    assert data.train.num_examples == len(STRINGS)
    assert data.show(data.test.x).lines == ("CCCCO",)
    long = load(str(tmp_path), preparation=Preparation(sequences=Sequences(max_length=5)))
    assert [*long.show(long.train.x).lines] == [one for one in STRINGS if one in ("CCO", "CBr", "CN")]


def test_other_columns_are_named(tmp_path, caplog):
    caplog.set_level("INFO", "jaxvae")
    data = load(table(tmp_path / "a.csv", [f'{i},"{one}"' for i, one in enumerate(STRINGS)], "id,smiles"))
    assert "columns that are not used: id" in caplog.text
    assert data.train.num_examples + data.test.num_examples == len(STRINGS)


def test_other_tables_are_tables(tmp_path):
    assert isinstance(load(table(tmp_path / "a.csv", [f"{i}.5,a" for i in range(9)] * 2, "x,y")).space, Table)


def test_tables_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(InputError, match="row 3 has no cell in the column SMILES"):
        load(table(tmp_path / "a.csv", ["1,C", "2", "3,C"], "id,SMILES"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"SMILES\n" + b"CCO\n" * 99)[:-9])
    with pytest.raises(InputError, match=r"a.csv.gz: cannot be read"):
        load(str(tmp_path / "a.csv.gz"))

"""bag_of_words.py counts words as a person would; topics.py finds the topics that a text was made of."""

import csv
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import load
from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.runs import load_run

TOPICS = (["river", "boat", "water", "fish"], ["bread", "flour", "oven", "baker"], ["violin", "opera", "tune", "song"])


@pytest.fixture(scope="module")
def words(scripts, tmp_path_factory):
    """Chapters of four lines, each of one of three topics; every line has a common word and a stop word."""
    folder, noise = tmp_path_factory.mktemp("words"), np.random.default_rng(0)
    lines, table = [], [["chapter", "book"]]
    for chapter in range(90):
        for _ in range(4):
            lines.append(" ".join(["The", *noise.choice(TOPICS[chapter % 3], 6), "common."]))
            table.append([str(chapter), ("Water", "Bread", "Music")[chapter % 3]])
    (folder / "lines.txt").write_text("\n".join(lines) + "\n")
    with (folder / "lines.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(table)
    script = scripts["bag_of_words"]
    config = script.BagOfWordsConfig(
        folder / "lines.txt", folder / "words.npz", folder / "lines.csv", ("chapter",), "book", most_share=0.9
    )
    assert script.main(config) == 0
    return folder


def test_words_of_a_chapter_are_counted(words):
    data = load(str(words / "words.npz"))
    assert sorted(data.facts["columns"]) == sorted(itertools.chain(*TOPICS))
    assert data.classes == ("Water", "Bread", "Music")
    assert [split.num_examples for split in (data.train, data.validation, data.test)] == [72, 9, 9]
    lines = (words / "lines.txt").read_text().splitlines()
    chapter = " ".join(lines[4 * data.test.origin[0] : 4 * data.test.origin[0] + 4]).split()
    assert {name: count for name, count in zip(data.facts["columns"], data.test.x[0]) if count} == {
        word: chapter.count(word) for word in chapter if word not in ("The", "common.")
    }
    assert data.test.label[0] == data.test.origin[0] % 3


def test_without_a_table_a_line_is_a_document_and_blank_ones_are_none(scripts, tmp_path):
    (tmp_path / "lines.txt").write_text("one two two\n\n" * 20)
    script = scripts["bag_of_words"]
    options = {"most_share": 1.0, "stop_words": False}
    assert script.main(script.BagOfWordsConfig(tmp_path / "lines.txt", tmp_path / "a.npz", **options)) == 0
    data = load(str(tmp_path / "a.npz"))
    assert data.facts["columns"] == ["one", "two"]
    np.testing.assert_array_equal(data.train.x, [[1, 2]] * 16)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"least_documents": 80}, "text: no word is in so many of 72 training documents"),
        ({"by": ("verse",)}, "by: 'verse' is no column of .*; give one of chapter, book"),
        ({"label": "boook"}, r"by: 'boook' is no column .* \(did you mean 'book'\?\)"),
        ({"table": "none.csv"}, "table: there is no file"),
    ],
)
def test_texts_that_cannot_be_counted_are_refused(scripts, words, tmp_path, options, told):
    script = scripts["bag_of_words"]
    known = {"text": words / "lines.txt", "table": words / "lines.csv", "by": ("chapter",), "most_share": 0.9}
    given = {**known, **options, "out": tmp_path / "a.npz"}
    with pytest.raises(InputError, match=told):
        script.main(script.BagOfWordsConfig(**{**given, "table": words / given["table"]}))
    assert not (tmp_path / "a.npz").exists()


@pytest.fixture(scope="module")
def found(scripts, words):
    script, folder = scripts["topics"], words / "out"
    options = {"num_topics": 3, "num_words": 4, "epochs": 300.0, "learning_rate": 0.01}
    assert script.main(script.TopicsConfig(dataset=str(words / "words.npz"), out=folder, **options)) == 0
    return folder


@pytest.mark.slow
def test_topics_are_those_of_which_the_text_was_made(found, words):
    rows = json.loads((found / "topics.json").read_text())["rows"]
    assert [*rows] == ["prod_lda", "nvdm", "LDA (scikit-learn)"]
    assert rows["prod_lda"]["coherence"] > 0.9
    assert rows["prod_lda"]["diversity"] == 1
    for row in rows.values():
        assert row["perplexity"] < 12, "no better than words of one topic for all"
    named = [line.split("\t")[1].split()[1:] for line in (found / "topics.txt").read_text().splitlines()[:3]]
    assert sorted(map(sorted, named)) == sorted(map(sorted, TOPICS))
    assert np.asarray(Image.open(found / "topics.png").convert("L")).std() > 1


@pytest.mark.slow
def test_runs_are_judged_too_but_none_without_topics(scripts, found, words, tmp_path):
    script = scripts["topics"]
    (run_dir,) = found.glob("prod_lda-*")
    assert load_run(run_dir).recipe.latent_dim == 3
    assert script.main(script.TopicsConfig(run_dir=(run_dir,), num_words=4, out=tmp_path)) == 0
    again, before = (json.loads((folder / "topics.json").read_text())["rows"] for folder in (tmp_path, found))
    assert again[str(run_dir)] == before["prod_lda"]
    train = scripts["train"]
    options = {"steps": 2, "hidden": (4,), "tensorboard": False, "figures": False, "num_processes": 1}
    recipe = given(dataset=str(words / "words.npz"), run_dir=tmp_path / "vae", **options)
    assert train.main(recipe) == 0
    with pytest.raises(InputError, match="has no topics; give a run of --preset prod_lda or nvdm"):
        script.main(script.TopicsConfig(run_dir=(tmp_path / "vae",), out=tmp_path))


def test_data_that_are_no_counts_of_words_are_refused(scripts, tmp_path):
    script = scripts["topics"]
    with pytest.raises(InputError, match="dataset: digits holds no counts of words; give an"):
        script.main(script.TopicsConfig(dataset="digits", out=tmp_path / "new"))
    assert not (tmp_path / "new").exists()

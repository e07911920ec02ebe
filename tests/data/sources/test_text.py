"""Text: sentences come back as they were, the vocabulary is that of the training split, other files are refused."""

import gzip
import json

import numpy as np
import pytest
from PIL import Image

from jaxvae.data import Preparation, load, new_rows, open_data
from jaxvae.data.sequences import Sequences
from jaxvae.data.spaces import Pixels, Tokens
from jaxvae.errors import InputError

LINES = ["a dog barks", "a cat and a dog", "", "the cat", "the dog barks and barks", "a bird"]


def folder(path, **files):
    path.mkdir(exist_ok=True)
    for name, lines in files.items():
        (path / f"mine.{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_words_get_numbers_by_their_frequency_in_training(tmp_path):
    data = load(folder(tmp_path / "animals", train=LINES, test=["a bird barks", "the"]))
    assert data.facts["words"] == ["<pad>", "<end>", "<unk>", "a", "barks", "dog", "and", "cat", "the"]
    assert data.space == Tokens(9, 6, digest=data.space.digest)
    assert data.train.x.shape == (5, 6)
    assert data.train.x[0].tolist() == [3, 5, 4, 1, 0, 0]
    assert data.show(data.test.x).lines == ("a <unk> barks", "the")
    assert data.facts["unknown_words"] == {"train": pytest.approx(1 / 17), "test": 0.25}
    assert data.facts["lost_words"] == {"train": 1, "test": 1}
    assert data.validation is None


def test_a_text_with_marks_of_rare_words_keeps_all_its_words(tmp_path):
    facts = load(folder(tmp_path / "t", train=["a <unk> b", "a"], test=["b <unk> c"])).facts
    assert facts["words"] == ["<pad>", "<end>", "<unk>", "a", "b"]
    assert facts["lost_words"] == {"train": 0, "test": 1}


def test_one_file_is_divided_and_may_be_packed(tmp_path):
    lines = [f"w{number} w{number} w0" for number in range(50)]
    (tmp_path / "mine.txt").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    data, packed = load(str(tmp_path / "mine.txt")), load(str(tmp_path / "packed.txt.gz"))
    assert [split.num_examples for split in data[1:4]] == [40, 5, 5]
    assert data.fingerprint() == packed.fingerprint()
    assert packed.name == "packed"
    known = set(data.facts["words"])
    assert not any(
        f"w{number}" in known for number in range(1, 50) if lines[number] not in data.show(data.train.x).lines
    )


def test_lists_of_files_among_images_are_no_text(tmp_path):
    path = folder(tmp_path / "images", train=["0.png"], test=["1.png"])
    for number in range(4):
        Image.fromarray(np.full((4, 4), 60 * number, np.uint8)).save(tmp_path / "images" / f"{number}.png")
    assert isinstance(load(path).space, Pixels)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no words"),
        (b" \n\n", "holds no words"),
        (b"a b\na \xff\n", "line 2 is not UTF-8"),
        (b"1 2.5\n3 4e5\n", r"numbers and no words; numpy.savez\('.*mine.npz', x=numpy.loadtxt"),
        (b"a <end> b\nb a\n" * 9, "holds the word '<end>', which is a mark here"),
        (
            b"a b\n" + b"a " * 1100 + b"\n",
            r"a line has 1100 words, \['a', .*; give one sentence a line",
        ),
        (b"a b\n", "1 example cannot be divided"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path, content, told):
    (tmp_path / "mine.txt").write_bytes(content)
    with pytest.raises(InputError, match=told) as caught:
        load(str(tmp_path / "mine.txt"))
    assert "\n" not in str(caught.value)


def test_splits_that_cannot_be_used_are_refused(tmp_path):
    (tmp_path / "a.train.txt.gz").write_bytes(gzip.compress(b"a b\n" * 9)[:20])
    (tmp_path / "test.txt").write_text("a\n")
    with pytest.raises(InputError, match=r"a.train.txt.gz: cannot be read"):
        load(str(tmp_path))
    (tmp_path / "b.train.txt").write_text("a\n")
    with pytest.raises(InputError, match=r"a.train.txt.gz and b.train.txt are one split"):
        load(str(tmp_path))


def prepared(**options):
    return Preparation(sequences=Sequences(**options))


def test_characters_are_joined_as_they_were(tmp_path):
    data = load(
        folder(tmp_path / "t", train=LINES, test=["a bird  barks", "?"]), preparation=prepared(units="characters")
    )
    known = {*data.facts["words"][3:]}
    assert known == {c for c in set("".join(LINES)) if "".join(LINES).count(c) > 1}
    written = "".join(c if c in known else "<unk>" for c in "a bird  barks")
    assert data.show(data.test.x).lines == (written, "<unk>")
    assert data.space.length == 1 + len("the dog barks and barks")


@pytest.mark.parametrize("units", ["words", "characters", "bpe"])
def test_the_numbers_of_a_text_do_not_depend_on_what_is_held_out(tmp_path, units):
    lines = ["the dog sees the cat", "the cat sees a café", "\t the bird, the dog"] * 3
    first = load(folder(tmp_path / "a", train=lines, test=["a cat"]), preparation=prepared(units=units))
    again = load(folder(tmp_path / "b", train=lines, test=["a new ☃ dog"]), preparation=prepared(units=units))
    assert first.facts["words"] == again.facts["words"]
    assert first.space.digest == again.space.digest
    assert first.train.x[0][first.train.x[0] > 0].tolist() == again.train.x[0][again.train.x[0] > 0].tolist()
    shown = ["the dog sees the cat", "the cat sees a café", "the bird, the dog"]
    assert list(first.show(first.train.x).lines) == shown * 3
    new = new_rows(["the cat, the bird"], {"names": json.loads(json.dumps(dict(first.facts)))}, first.space)
    assert first.show(new).lines == ("the cat, the bird" if units != "words" else "the <unk> the <unk>",)


def test_merged_pairs_are_shorter_than_characters_and_know_everything(tmp_path):
    lines = [f"the {noun} sees the {noun}s" for noun in ("dog", "cat", "bird", "cow", "house") * 20]
    path = folder(tmp_path / "a", train=lines, test=["the ☃ sees the dog"])
    pairs = load(path, preparation=prepared(units="bpe", vocabulary_size=300))
    assert pairs.show(pairs.test.x).lines == ("the ☃ sees the dog",)
    assert pairs.facts["unknown_words"] == {"train": 0, "test": 0}
    assert 259 < pairs.space.size <= 300
    characters = load(path, preparation=prepared(units="characters"))
    assert (pairs.train.x > 0).sum() < (characters.train.x > 0).sum() / 2


def test_long_lines_are_left_out_and_counted(tmp_path, caplog):
    path = folder(tmp_path / "a", train=LINES, test=["a dog", "the dog barks and a cat barks"])
    data = load(path, preparation=prepared(max_length=4))
    assert "left out for more than 4 words: 2 of 5 train, 1 of 2 test" in caplog.text
    assert (data.train.num_examples, data.test.num_examples, data.space.length) == (3, 1, 4)
    with pytest.raises(InputError, match=r"max-length: 5 of 5 train, 2 of 2 test lines of .* have more than 1 words"):
        load(path, preparation=prepared(max_length=1))


def test_labels_stay_with_their_sentences_where_some_are_left_out():
    data = open_data(["a b c d", "a b", "a", "b a"] * 10, label=[0, 1, 2, 3] * 10, preparation=prepared(max_length=2))
    assert sum(split.num_examples for split in (data.train, data.validation, data.test)) == 30
    lines = dict(zip(data.show(data.train.x).lines, data.train.label.tolist()))
    assert lines == {"a b": 1, "a": 2, "b a": 3}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vocabulary_size": 500}, "vocabulary-size: is for --units bpe"),
        ({"units": "bpe", "vocabulary_size": 20}, "vocabulary-size: must be at least 300, got 20"),
        ({"max_length": 0}, "max-length: must be at least 1, got 0"),
        ({"bars": 2}, "bars: a holds no melodies; leave it out"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, told):
    path = folder(tmp_path / "a", train=LINES, test=["a"])
    with pytest.raises(InputError, match=told):
        load(path, preparation=prepared(**options))


def test_penn_treebank(shared_data):
    data = load(str(shared_data / "text" / "ptb"))
    assert [split.num_examples for split in data[1:4]] == [42068, 3761, 3370]
    assert (data.space.size, data.space.length) == (10_001, 83)  # 10,000 with the end mark, and padding
    assert (data.train.x > 0).sum() == 929_589
    assert (data.test.x > 0).sum() == 82_430

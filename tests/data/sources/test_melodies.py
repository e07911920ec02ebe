"""Melodies: windows of tunes as rows of tokens, divided by tune; no window in two splits."""

import numpy as np
import pytest

from jaxvae.data import Preparation, load
from jaxvae.data.sequences import Sequences
from jaxvae.errors import InputError
from jaxvae.music import FIRST, notes, write_midi

RANDOM = np.random.default_rng(0)


def melody(bars=6, low=60):
    """A note of random length and pitch in each quarter."""
    return [(24 * i, 6 * int(RANDOM.integers(1, 5)), low + int(RANDOM.integers(0, 12))) for i in range(4 * bars)]


def archive(path, tunes, meter=(4, 4), **arrays):
    offset = np.cumsum([0, *map(len, tunes)])
    meters = np.array([meter] * len(tunes))
    np.savez(path, note=np.concatenate(tunes).astype(np.int32), offset=offset, time_signature=meters, **arrays)
    return str(path)


def bar(tune, first, num=1):
    """Return the notes of some bars in steps; every quarter begins a note."""
    return (np.array(tune[4 * first : 4 * (first + num)]) // [6, 6, 1] - [16 * first, 0, 0]).astype(np.int32)


def intervals(played):
    return (played - [0, 0, played[0, 2]]).tobytes()


def prepared(**options):
    return Preparation(sequences=Sequences(**options))


def test_rows_are_the_bars_of_the_tunes(tmp_path):
    tunes = [melody() for _ in range(10)]
    data = load(archive(tmp_path / "mine.npz", tunes), preparation=prepared(bars=1))
    pitches = data.facts["pitches"]
    assert data.facts["steps_per_bar"] == 16
    assert data.space.length == 17
    assert data.space.size == FIRST + len(pitches)
    assert pitches == [*range(min(p for t in tunes for *_, p in t), max(p for t in tunes for *_, p in t) + 1)]
    known = {bar(tune, number).tobytes() for tune in tunes for number in range(6)}
    found = [split.x for split in (data.train, data.validation, data.test)]
    assert {notes(row, pitches).tobytes() for rows in found for row in rows} == known
    assert [len(rows) for rows in found] == [48, 6, 6]


def test_every_window_lies_in_one_split(tmp_path):
    tunes = [melody() for _ in range(10)]
    given = archive(tmp_path / "given.npz", [*tunes, tunes[9][:16]], split=np.array([0] * 8 + [1, 2, 0]))
    data = load(given)
    rows = [{row.tobytes() for row in split.x} for split in (data.train, data.validation, data.test)]
    assert [*map(len, rows)] == [40, 5, 5]
    assert not rows[0] & rows[2]


def test_variants_stay_together_also_across_files(tmp_path):
    tunes = [melody(low=60 + i) for i in range(20)]
    moved = [[(s, d, p + 3) for s, d, p in tune] for tune in tunes]
    split = np.array([0, 1, 2] * 6 + [0, 0])
    names = archive(tmp_path / "a.npz", tunes, split=split), archive(tmp_path / "b.npz", moved)
    data = load("+".join(names))
    for part, one in enumerate((data.train, data.validation, data.test)):
        known = {intervals(bar(tunes[i], b, 2)) for i in np.flatnonzero(split == part) for b in range(5)}
        assert {intervals(notes(row, data.facts["pitches"])) for row in one.x} == known
    assert data.name == "a+b"


def test_copies_in_other_keys_are_for_training(tmp_path):
    path = archive(tmp_path / "mine.npz", [melody() for _ in range(10)])
    plain, moved = load(path), load(path, preparation=prepared(transpose=2))
    pitches = moved.facts["pitches"]
    assert pitches == [*range(plain.facts["pitches"][0] - 2, plain.facts["pitches"][-1] + 3)]
    assert moved.train.num_examples == 5 * plain.train.num_examples
    assert moved.test.num_examples == plain.test.num_examples
    copies = {notes(row, pitches).tobytes() for row in moved.train.x}
    for row in plain.train.x:
        for interval in range(-2, 3):
            assert (notes(row, plain.facts["pitches"]) + np.array([0, 0, interval], np.int32)).tobytes() in copies


def test_a_folder_of_midi_files(tmp_path):
    for number in range(6):
        write_midi(tmp_path / f"{number}.mid", np.array(melody(4)) // [6, 6, 1])
    data = load(str(tmp_path))
    assert data.train.num_examples == 5 * 3
    assert data.test.num_examples == 3
    assert data.validation is None
    with pytest.raises(InputError, match=r"0.mid is one tune; name the folder that it lies in"):
        load(str(tmp_path / "0.mid"))


@pytest.mark.parametrize(
    ("options", "meter", "told"),
    [
        ({"bars": 40}, (4, 4), "holds no 40 bars of 4/4 with all notes on the grid; give fewer --bars"),
        ({}, (3, 4), "holds no 2 bars of 4/4"),
        ({"bars": 0}, (4, 4), "bars: must be at least 1, got 0"),
        ({"max_length": 5}, (4, 4), "max-length: mine holds no text; leave it out"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, meter, told):
    path = archive(tmp_path / "mine.npz", [melody() for _ in range(4)], meter)
    with pytest.raises(InputError, match=told):
        load(path, preparation=prepared(**options))


def test_splits_and_notes_that_cannot_be_used_are_refused(tmp_path):
    tunes = [melody() for _ in range(4)]
    with pytest.raises(InputError, match="array 'split' holds no part number of each tune"):
        load(archive(tmp_path / "a.npz", tunes, split=np.array([0, 1, 2, 3])))
    with pytest.raises(InputError, match="array 'note' holds times or pitches out of range"):
        load(archive(tmp_path / "a.npz", [[(0, 6, 200)]]))
    with pytest.raises(InputError, match=r"its different windows are 5 train, 0 validation, 0 test"):
        load(archive(tmp_path / "a.npz", tunes[:1]))


def test_other_files_are_not_joined(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((8, 2)))
    with pytest.raises(InputError, match=r"x.npz and x.npz are no melodies, which alone are joined by \+"):
        load(f"{tmp_path}/x.npz+{tmp_path}/x.npz")
    with pytest.raises(InputError, match="bars: x holds no melodies; leave it out"):
        load(f"{tmp_path}/x.npz", preparation=prepared(bars=2))


def test_fiddle_tunes(shared_data):
    data = load(f"{shared_data}/npz/nottingham_melodies.npz+{shared_data}/music/ryan_aird_melodies.npz")
    assert [split.num_examples for split in data[1:4]] == [14666, 1839, 1840]
    assert data.facts["pitches"] == [*range(55, 89)]

"""MIDI: written melodies read back by two libraries; files of several voices are refused."""

import mido
import numpy as np
import pytest
import symusic

from jaxvae.errors import InputError
from jaxvae.music import read_midi, write_midi
from jaxvae.music.midi import TICKS_PER_QUARTER
from jaxvae.music.windows import windows

MELODY = np.array([[0, 2, 60], [2, 1, 64], [4, 4, 64], [8, 1, 72], [9, 7, 55], [20, 12, 67]])
"""Repeated pitches, rests, and notes that follow at once."""


def test_a_melody_comes_back(tmp_path):
    write_midi(tmp_path / "a.mid", MELODY, tempo=90)
    tune = read_midi(tmp_path / "a.mid")
    np.testing.assert_array_equal(tune.notes // [tune.step, tune.step, 1], MELODY)
    np.testing.assert_array_equal(next(iter(windows(tune, 2))), MELODY)
    assert tune.name == "a"


def test_symusic_reads_the_same_notes(tmp_path):
    write_midi(tmp_path / "a.mid", MELODY, tempo=90)
    score = symusic.Score(str(tmp_path / "a.mid"))
    step = score.ticks_per_quarter // 4
    found = [(note.start // step, note.duration // step, note.pitch) for note in score.tracks[0].notes]
    np.testing.assert_array_equal(found, MELODY)
    assert (score.ticks_per_quarter, round(score.tempos[0].qpm)) == (TICKS_PER_QUARTER, 90)


def save(path, *tracks, ticks=96, **kind):
    file = mido.MidiFile(ticks_per_beat=ticks, **kind)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    file.save(path)
    return path


def on(note, time, velocity=64, channel=0):
    return mido.Message("note_on", note=note, time=time, velocity=velocity, channel=channel)


def test_bars_follow_the_time_signatures(tmp_path):
    meter = [
        mido.MetaMessage("time_signature", numerator=6, denominator=8),
        mido.MetaMessage("time_signature", numerator=4, denominator=4, time=288),
    ]
    melody = [on(60, 0), on(60, 288, 0), on(62, 0), on(62, 96 * 8, 0)]
    tune = read_midi(save(tmp_path / "a.mid", meter, melody))
    np.testing.assert_array_equal(np.diff(tune.bars) // tune.step, [12, 16, 16])
    assert [window.tolist() for window in windows(tune, 2)] == [[[0, 32, 62]]]


def test_chords_have_a_top_line_and_drums_are_passed_over(tmp_path):
    chords = [on(60, 0), on(64, 0), on(60, 24, 0), on(64, 0, 0), on(35, 0, channel=9), on(35, 24, 0, channel=9)]
    tune = read_midi(save(tmp_path / "a.mid", chords))
    assert (tune.notes // [tune.step, tune.step, 1]).tolist() == [[0, 1, 64]]


def test_files_that_are_no_melody_are_refused(tmp_path):
    two = [on(60, 0), on(72, 0, channel=1), on(60, 24, 0), on(72, 0, 0, channel=1)]
    with pytest.raises(InputError, match="holds notes of 2 voices, here it must be 1; keep the track of its melody"):
        read_midi(save(tmp_path / "a.mid", two))
    with pytest.raises(InputError, match="holds notes of 0 voices"):
        read_midi(save(tmp_path / "a.mid", []))
    (tmp_path / "a.mid").write_bytes(b"MThd")
    with pytest.raises(InputError, match=r"a.mid: cannot be read"):
        read_midi(tmp_path / "a.mid")

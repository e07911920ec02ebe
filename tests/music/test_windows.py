"""Windows: of whole bars of sixteen 16ths with all notes on the grid; copies in other keys."""

import numpy as np

from jaxvae.music import FIRST, notes, tokens
from jaxvae.music.tunes import Tune, regular_bars
from jaxvae.music.windows import transposed, windows

BAR = 96


def tune(notes, bars):
    return Tune("mine", np.array(notes), 6, np.array(bars))


def test_a_window_for_each_bar():
    melody = tune([[0, 24, 60], [96, 12, 62], [180, 24, 64], [288, 6, 65]], [0, 96, 192, 288, 384])
    found = [window.tolist() for window in windows(melody, 2)]
    assert found == [
        [[0, 4, 60], [16, 2, 62], [30, 2, 64]],  # the last note is cut at the bar line
        [[0, 2, 62], [14, 4, 64]],
        [[16, 1, 65]],  # the note that is held into it is left out
    ]
    assert len([*windows(melody, 4)]) == 1
    assert not [*windows(melody, 5)]


def test_other_meters_and_rhythms_are_left_out():
    notes = [[0, 24, 60], [96, 8, 60], [192, 24, 60], [288, 24, 60], [384, 24, 60]]
    off_grid = tune(notes, np.arange(6) * BAR)
    assert [window[0, 0] for window in windows(off_grid, 1)] == [0, 0, 0, 0]
    assert not [*windows(tune(notes, np.arange(8) * 72), 1)]  # 6/8
    pickup = tune(notes, [24, 120, 216, 300])
    assert len([*windows(pickup, 2)]) == 0
    assert regular_bars(off_grid.notes, BAR).tolist() == [*range(0, 481, BAR)]


def test_transposition_moves_every_pitch_and_nothing_else():
    pitches = [*range(60, 72)]
    rows = np.stack([tokens(np.array(n), 8, pitches) for n in ([[0, 2, 60], [3, 1, 64]], [[1, 4, 70]])])
    up = transposed(rows, 4, len(pitches))
    assert len(up) == 1  # 70 + 4 is outside the range
    np.testing.assert_array_equal(notes(up[0], pitches), [[0, 2, 64], [3, 1, 68]])
    np.testing.assert_array_equal(transposed(up, -4, len(pitches)), rows[:1])
    assert (rows >= FIRST).sum() == 3

"""Tunes: the top line against what sounds at an onset, and variants in any transposition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jaxvae.music.tunes import regular_bars, top_line, variants

CHORDS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8), st.integers(40, 80)), min_size=1, max_size=15)


@given(CHORDS)
def test_the_top_line_has_one_note_at_a_time(notes):
    line = top_line(np.array(notes))
    assert line[:, 0].tolist() == sorted({start for start, _, _ in notes})
    assert (line[1:, 0] >= line[:-1, 0] + line[:-1, 1]).all()
    assert (line[:, 1] >= 1).all()
    for start, _, pitch in line.tolist():
        assert pitch == max(p for s, _, p in notes if s == start)
    np.testing.assert_array_equal(top_line(line), line)


def test_variants_share_half_of_the_shorter_melody():
    random = np.random.default_rng(0)
    first, other = random.integers(50, 80, (2, 40))
    fragment, noise = first[10:34] + 5, random.integers(50, 80, 10)
    assert variants([first, other, np.concatenate([noise, fragment])]).tolist() == [0, 1, 0]
    assert variants([other, first, first + 3, other - 2]).tolist() == [0, 1, 1, 0]
    assert variants([first, np.concatenate([first[:25], other[:15]]), other]).tolist() == [0, 0, 2]
    assert variants([first, np.concatenate([first[:20], other[:20]]), other]).tolist() == [0, 1, 2]


def test_bars_cover_the_notes():
    assert regular_bars(np.array([[0, 4, 60], [90, 7, 60]]), 96).tolist() == [0, 96, 192]

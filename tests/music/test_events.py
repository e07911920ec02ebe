"""Event tokens: notes on the grid come back exactly, and nothing else is taken for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxvae.errors import InputError
from jaxvae.music import FIRST, OFF, SUSTAIN, notes, tokens

PITCHES = [*range(55, 94)]


@st.composite
def melodies(draw):
    """Notes one at a time, with rests of any length between them, in a number of steps."""
    found, now = [], 0
    for _ in range(draw(st.integers(0, 12))):
        start = now + draw(st.integers(0, 5))
        length = draw(st.integers(1, 9))
        found.append((start, length, draw(st.sampled_from(PITCHES))))
        now = start + length
    return np.array(found, np.int32).reshape(-1, 3), now + draw(st.integers(0, 4))


@given(melodies())
def test_notes_come_back_from_their_tokens(melody):
    played, length = melody
    row = tokens(played, length, PITCHES)
    assert row.shape == (length,)
    assert (row >= FIRST).sum() == len(played)
    np.testing.assert_array_equal(notes(row, PITCHES), played)
    np.testing.assert_array_equal(notes(np.append(row, [1, 0, 0]), PITCHES), played)


@given(melodies())
def test_what_sounds_at_each_step(melody):
    played, length = melody
    sounding = np.zeros(length, int)
    for start, duration, pitch in played:
        sounding[start : start + duration] = pitch
    heard, pitch = [], 0
    for token in tokens(played, length, PITCHES):
        pitch = {SUSTAIN: pitch, OFF: 0}.get(int(token), PITCHES[token - FIRST] if token >= FIRST else 0)
        heard.append(pitch)
    assert heard == sounding.tolist()


def test_tokens_that_no_melody_has_still_have_notes():
    assert notes([OFF, SUSTAIN, OFF, FIRST, OFF, OFF, FIRST, 1, FIRST], PITCHES).tolist() == [[3, 1, 55], [6, 1, 55]]


@pytest.mark.parametrize(
    ("played", "told"),
    [
        ([[0, 3, 60], [2, 1, 62]], "note 0 overlaps the next one"),
        ([[0, 9, 60]], "reach from step 0 to 9; place them in steps 0 to 8"),
        ([[-1, 2, 60]], "reach from step -1"),
        ([[0, 1, 40]], "pitch 40 is none of 55 to 93"),
    ],
)
def test_what_is_no_melody_is_refused(played, told):
    with pytest.raises(InputError, match=told):
        tokens(np.array(played), 8, PITCHES)

"""Sentences and melodies in a real browser: they are those that JAX writes, and melodies sound as they are drawn."""

import numpy as np
import pytest

from jaxvae import music
from jaxvae.data.spaces import Tokens
from jaxvae.data.spaces.tokens import SPECIAL
from jaxvae.data.units import division, learn_pairs

NEXT_FRAME = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"
AUDIO = """
window.sound = {tones: [], time: 10, closed: 0};
const parameter = () => ({setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {}});
const node = () => ({connect: (next) => next, gain: parameter()});
window.AudioContext = class {
  get currentTime() { return sound.time; }
  createPeriodicWave() { return {}; }
  createGain() { return node(); }
  createOscillator() {
    const tone = {frequency: {}};
    sound.tones.push(tone);
    const start = (time) => (tone.start = time);
    const stop = (time) => (tone.stop = time);
    return {...node(), frequency: tone.frequency, setPeriodicWave() {}, start, stop};
  }
  close() { sound.closed += 1; }
};
"""
"""A context of sound that writes down its tones, and whose time is set."""


def some_codes(num):
    return 2 * np.random.default_rng(4).normal(size=(num, 12)).astype(np.float32)


def show(browser, z):
    browser.execute_script("explorer.code.set(arguments[0])", z.tolist())
    browser.execute_async_script(NEXT_FRAME)


def element(browser, identifier):
    return browser.find_element("id", identifier)


def sentence(words, row):
    """The words before the end mark."""
    (line,) = Tokens(len(words), len(row)).show(row[None], {"words": words}).lines
    return line


@pytest.mark.parametrize("name", ["sentences", "melodies"])
def test_rows_are_those_that_jax_writes(browser, opened, name):
    page = opened(name)
    codes = some_codes(30)
    rows = [browser.execute_script("return [...explorer.decode(arguments[0])]", z.tolist()) for z in codes]
    expected = page.decode(codes).tolist()
    assert len({tuple(row) for row in expected}) > 10, "rows in which a mistake would show"
    assert rows == expected


def test_the_sentence_is_that_of_the_code(browser, opened, words):
    page = opened("sentences")
    for z in some_codes(3):
        show(browser, z)
        assert element(browser, "decoded").text == sentence(words, page.decode(z[None])[0])
    slider = browser.find_element("css selector", "#sliders input")
    slider.send_keys("\ue010")  # End
    browser.execute_async_script(NEXT_FRAME)
    z = np.array(browser.execute_script("return [...explorer.code.value]"), np.float32)
    assert z.max() == float(slider.get_attribute("max"))
    assert element(browser, "decoded").text == sentence(words, page.decode(z[None])[0])


def test_the_way_between_two_sentences_is_a_list(browser, opened, words):
    page = opened("sentences")
    browser.execute_async_script(NEXT_FRAME)
    first, last = page.codes[[0, 39]]
    path = [(1 - t) * first + t * last for t in np.linspace(0, 1, 7, dtype=np.float32)]
    steps = browser.find_elements("css selector", "#steps button")
    assert [step.text for step in steps] == [sentence(words, row) for row in page.decode(np.stack(path))]
    steps[2].click()
    assert [step.get_attribute("aria-pressed") for step in steps] == ["false"] * 2 + ["true"] + ["false"] * 4
    np.testing.assert_allclose(
        browser.execute_script("return [...explorer.code.value]"), (2 * first + last) / 3, atol=1e-5
    )


def test_what_belongs_to_pictures_alone_is_absent(browser, opened):
    opened("sentences")
    assert not element(browser, "manifold-choice").is_displayed()
    assert not element(browser, "play").is_displayed()
    assert browser.find_elements("css selector", "canvas.picture:not(#manifold)") == []
    assert "image" not in element(browser, "map-help").text


@pytest.mark.parametrize("units", ["words", "characters", "smiles", "bpe"])
def test_units_are_joined_as_they_were_divided(browser, opened, units):
    opened("sentences")
    line = "[NH3+]CCl" if units == "smiles" else "Où est le café, 東京?\u00ad \U0001f3b5 <unk>"
    facts = {"units": units}
    if units == "bpe":
        pytest.importorskip("tokenizers", reason="tokenizers is not installed")
        facts["words"], facts["merges"] = learn_pairs([line, line], 300, SPECIAL)
    divided = division(facts).split(line)
    assert len(divided) >= 3
    joined = browser.execute_script("return JOINS[arguments[0]](arguments[1])", units, divided)
    assert joined == division(facts).join(divided) == line


def test_notes_and_their_roll_are_those_of_the_row(browser, opened, melody):
    page = opened("melodies")
    (z,) = some_codes(1)
    show(browser, z)
    (row,) = np.array(page.decode(z[None]))
    notes = music.notes(row, melody["pitches"])
    assert len(notes) > 3, "a melody in which a mistake would show"
    script = "return notesOf(explorer.decode(arguments[0]), explorer.contents.pitches)"
    drawn = [[note[key] for key in ("start", "length", "pitch")] for note in browser.execute_script(script, z.tolist())]
    assert drawn == notes.tolist()
    np.testing.assert_array_equal(painted(browser, melody["pitches"]), roll(notes, melody["pitches"]))


def painted(browser, pitches):
    """`[P, T]` True where the middle of a cell has the colour of notes."""
    script = """
    const canvas = document.querySelector("#decoded canvas");
    const pixels = canvas.getContext("2d");
    const [rows, columns] = [arguments[0], 32];
    const blue = (i, j) => {
      const at = [(j + 0.5) * canvas.width / columns, (i + 0.5) * canvas.height / rows];
      return [...pixels.getImageData(...at, 1, 1).data].join() === "79,123,224,255";
    };
    return Array.from({length: rows}, (_, i) => Array.from({length: columns}, (_, j) => blue(i, j)));
    """
    return np.array(browser.execute_script(script, len(pitches)))[::-1]


def roll(notes, pitches):
    """`[P, T]` True where a note sounds."""
    cells = np.zeros((len(pitches), 32), bool)
    for start, length, pitch in notes:
        cells[pitch - pitches[0], start : start + length] = True
    return cells


def test_attributes_of_melodies_are_directions(browser, opened):
    opened("melodies")
    names = [option.text for option in element(browser, "attribute").find_elements("tag name", "option")]
    assert names == ["note density", "mean pitch", "mean interval", "syncopation"]


def test_a_melody_sounds_as_it_is_written(browser, opened, melody):
    page = opened("melodies")
    (z,) = some_codes(1)
    show(browser, z)
    browser.execute_script(AUDIO)
    play = element(browser, "play")
    play.click()
    assert play.text == "Stop"
    notes = music.notes(np.array(page.decode(z[None])[0]), melody["pitches"])
    tones = browser.execute_script(
        "return sound.tones.map(({frequency, start, stop}) => [frequency.value, start, stop])"
    )
    begin = tones[0][1] - 0.125 * notes[0, 0]
    assert 10 <= begin < 10.2
    expected = [
        [440 * 2 ** ((pitch - 69) / 12), begin + 0.125 * start, begin + 0.125 * (start + length)]
        for start, length, pitch in notes
    ]
    np.testing.assert_allclose(tones, expected, rtol=1e-6)


def test_the_cursor_moves_until_the_end_and_stop_ends_the_sound(browser, opened):
    opened("melodies")
    browser.execute_script(AUDIO)
    play, cursor = element(browser, "play"), browser.find_element("css selector", "#decoded .cursor")
    play.click()
    places = []
    for time in (11, 13):
        browser.execute_script("sound.time = arguments[0]", time)
        browser.execute_async_script(NEXT_FRAME)
        places.append(cursor.location["x"])
    width = browser.find_element("css selector", "#decoded canvas").size["width"]
    assert places[1] - places[0] == pytest.approx(width * 2 / 4, abs=2), "two bars last four seconds"
    play.click()
    assert play.text == "Play"
    assert not cursor.is_displayed()

    element(browser, "play-nearest").click()
    play.click()  # one melody at a time
    assert browser.execute_script("return sound.closed") == 2
    browser.execute_script("sound.time = 20")
    browser.execute_async_script(NEXT_FRAME)
    assert play.text == "Play"
    assert browser.execute_script("return sound.closed") == 3


@pytest.mark.parametrize("name", ["sentences", "melodies"])
def test_a_phone_scrolls_in_one_direction_only(browser, opened, name):
    opened(name, phone=True)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360

"use strict";
// Examples as melodies: events on the grid of 16th notes, and the notes they mean.

const [SUSTAIN, OFF, FIRST] = [3, 4, 5]; // no event, the end of a note, the onset of the first pitch

/** A display of melodies: what is decoded, and the test melodies. */
function melodies(contents) {
  const { rows, pitches, steps_per_bar: stepsPerBar } = contents;
  const grid = { pitches, stepsPerBar, steps: rows.shape[1] - 1 };
  const rolls = new WeakMap();
  const rollIn = (place) => {
    if (!rolls.has(place)) rolls.set(place, makeRoll(place, grid));
    return rolls.get(place);
  };
  const show = (place, tokens) => rollIn(place).show(notesOf(tokens, pitches));
  return {
    showDecoded: show,
    showExample: (place, index) => show(place, row(rows, index)),
    describe: (index) => describe(contents, index),
    play: (place, button) => makePlayer({ button, roll: rollIn(place) }),
  };
}

/** The notes of a row: each lasts until the next onset, its end, or the end of the melody. */
function notesOf(tokens, pitches) {
  const notes = [];
  let sounding = null;
  for (let step = 0; step <= tokens.length; step++) {
    const token = step < tokens.length ? tokens[step] : 0;
    if (token === SUSTAIN) continue;
    if (sounding) sounding.length = step - sounding.start;
    if (token < SUSTAIN) break;
    sounding = token === OFF ? null : { start: step, pitch: pitches[token - FIRST] };
    if (sounding) notes.push(sounding);
  }
  return notes;
}

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

/** A pitch's name with its octave: C4 is middle C. */
const pitchName = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

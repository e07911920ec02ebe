"use strict";
// Piano rolls: time goes to the right, pitch upwards, and bars are marked.

const NOTE = "#4f7be0"; // legible on bright and on dark paper
const BAR = "rgb(128 128 128 / 60%)";
const BEAT = "rgb(128 128 128 / 20%)";
const BLACK_KEYS = [1, 3, 6, 8, 10];
const UNIT = 8; // canvas pixels of a semitone
const WIDTH = 1024; // least canvas pixels of all steps

/** A roll in a place: it shows notes, and a cursor where they sound. */
function makeRoll(place, { pitches, stepsPerBar, steps }) {
  const canvas = canvasIn(place, "roll");
  const cursor = Object.assign(document.createElement("span"), { className: "cursor", hidden: true });
  const scale = Math.ceil(WIDTH / steps);
  canvas.width = scale * steps;
  canvas.height = UNIT * pitches.length;
  place.append(cursor, ...octaves(pitches));
  const context = canvas.getContext("2d");
  const top = (pitch) => UNIT * (pitches.at(-1) - pitch);

  function drawGrid() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = "rgb(128 128 128 / 8%)";
    for (const pitch of pitches) {
      if (BLACK_KEYS.includes(pitch % 12)) context.fillRect(0, top(pitch), canvas.width, UNIT);
    }
    for (let step = stepsPerBar / 4; step < steps; step += stepsPerBar / 4) {
      context.fillStyle = step % stepsPerBar === 0 ? BAR : BEAT;
      context.fillRect(scale * step - 1, 0, 2, canvas.height);
    }
  }

  const roll = {
    steps,
    notes: [],
    onShow: () => {},
    show(notes) {
      roll.notes = notes;
      drawGrid();
      context.fillStyle = NOTE;
      for (const { start, length, pitch } of notes) {
        context.fillRect(scale * start + 1, top(pitch), scale * length - 2, UNIT);
      }
      canvas.setAttribute("aria-label", notes.map(({ pitch }) => pitchName(pitch)).join(" ") || "no notes");
      roll.onShow();
    },
    /** Point to a share of the time, or to nothing. */
    point(share) {
      cursor.hidden = share === null;
      cursor.style.left = `${100 * share}%`;
    },
  };
  return roll;
}

/** The names of all C, at their heights. */
function octaves(pitches) {
  return pitches
    .filter((pitch) => pitch % 12 === 0)
    .map((pitch) => {
      const label = Object.assign(document.createElement("span"), { className: "octave", textContent: pitchName(pitch) });
      label.style.top = `${(100 * (pitches.at(-1) - pitch + 0.5)) / pitches.length}%`;
      return label;
    });
}

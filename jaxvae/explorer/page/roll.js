"use strict";
// Piano rolls: time goes to the right, pitch upwards, and bars are marked.

const NOTE = "#4f7be0"; // legible on bright and on dark paper
const BAR = "rgb(128 128 128 / 60%)";
const BEAT = "rgb(128 128 128 / 20%)";
const KEY = "rgb(128 128 128 / 8%)";
const BLACK_KEYS = [1, 3, 6, 8, 10];

/** Sizes in canvas pixels, of which there are at least `width`, by the part of the page in which a roll lies. */
const SIZES = {
  ".stage": { width: 1024, semitone: 8, thickness: 8, bar: 4, detailed: true },
  ".between-section": { width: 1024, semitone: 3, thickness: 6, bar: 2, detailed: false },
  "*": { width: 256, semitone: 3, thickness: 6, bar: 1, detailed: false },
};

/** A roll in a place: it shows notes, and a cursor where they sound. */
function makeRoll(place, { pitches, stepsPerBar, steps }) {
  const part = Object.keys(SIZES).find((selector) => place.closest(selector));
  const { width, semitone, thickness, bar, detailed } = SIZES[part];
  const canvas = canvasIn(place, "roll");
  const cursor = Object.assign(document.createElement("span"), { className: "cursor", hidden: true });
  const scale = Math.ceil(width / steps);
  const gap = Math.min(Math.max(scale / 8, 1), scale / 2); // between notes of one pitch
  canvas.width = scale * steps;
  canvas.height = semitone * pitches.length;
  place.append(cursor, ...(detailed ? octaves(pitches) : []));
  const context = canvas.getContext("2d");
  const top = (pitch) => semitone * (pitches.at(-1) - pitch);

  function drawGrid() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (detailed) {
      drawLines(stepsPerBar / 4, bar / 2, BEAT);
      context.fillStyle = KEY;
      for (const pitch of pitches.filter((pitch) => BLACK_KEYS.includes(pitch % 12))) {
        context.fillRect(0, top(pitch), canvas.width, semitone);
      }
    }
    drawLines(stepsPerBar, bar, BAR);
  }

  function drawLines(every, thick, colour) {
    context.fillStyle = colour;
    for (let step = every; step < steps; step += every) context.fillRect(scale * step - thick, 0, thick, canvas.height);
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
        const y = top(pitch) + (semitone - thickness) / 2;
        context.fillRect(scale * start, y, scale * length - gap, thickness);
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

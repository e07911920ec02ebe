"use strict";
// The way from one test example to another.

const CURVES = [
  { name: "straight", at: straight },
  { name: "spherical", at: arc },
];
const PATH_POINTS = 41;

/** Two slots for test examples and a slider between them; `offer` gives one to the slot that waits for one. */
function makeBetween({ contents, display, code, onPath }) {
  const { example } = contents.nouns;
  const slider = document.getElementById("between");
  const help = document.getElementById("between-help");
  const slots = [...document.querySelectorAll(".slot")];
  const ends = twoImages(contents);
  let curve = CURVES[0].at;
  let waiting = null;

  const at = (t) => curve(row(contents.codes, ends[0]), row(contents.codes, ends[1]), t);
  const points = () => Array.from({ length: PATH_POINTS }, (_, i) => at(i / (PATH_POINTS - 1)));
  const follow = () => code.set(at(slider.valueAsNumber), "between");

  function show() {
    slots.forEach((slot, i) => {
      display.showExample(slot, ends[i]);
      slot.setAttribute("aria-pressed", i === waiting);
      const which = i === 0 ? "First" : "Second";
      slot.setAttribute("aria-label", `${which} ${example}: ${display.describe(ends[i])}. Press to choose another.`);
    });
    help.textContent =
      waiting === null
        ? "Slide from one to the other. To change an end, press it."
        : `Now choose a test ${example}, on the map or in the list.`;
    onPath();
  }

  function offer(index) {
    if (waiting === null) return;
    ends[waiting] = index;
    slider.value = waiting; // the slider stands at the end that was chosen
    waiting = null;
    show();
  }

  slots.forEach((slot, i) =>
    slot.addEventListener("click", () => {
      waiting = waiting === i ? null : i;
      show();
    }),
  );
  slider.addEventListener("input", follow);
  makeChoices(document.getElementById("curves"), CURVES.map(({ name }) => name), (chosen) => {
    curve = CURVES[chosen].at;
    onPath();
    follow();
  });

  function go(share) {
    slider.value = share;
    code.set(at(share), "between");
  }
  return { at, go, offer, points, show, share: () => slider.valueAsNumber };
}

/** Two examples to begin with, of different groups where there are any. */
function twoImages({ groups, codes }) {
  const other = groups ? groups.values.findIndex((value) => value !== groups.values[0]) : -1;
  return [0, other > 0 ? other : codes.shape[0] - 1];
}

"use strict";
// A few even steps of the way between two examples, all at once.

const STEPS_SHOWN = 7;

/** A list of what is decoded on the way; a button for each goes there. `refresh` decodes them anew. */
function makeSteps({ container, display, decode, code, between }) {
  const run = makeSlices();
  const shares = Array.from({ length: STEPS_SHOWN }, (_, i) => i / (STEPS_SHOWN - 1));
  const buttons = shares.map((share) => makeButton("", () => between.go(share)));
  container.append(...buttons);
  container.hidden = false;

  /** Mark the step where the way's slider stands, as long as nothing else moves the code. */
  function mark(source) {
    const at = source === "between" ? Math.round(between.share() * (STEPS_SHOWN - 1)) : null;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === at));
  }

  code.onChange((_, source) => mark(source));

  function* decodeAll() {
    for (const [i, button] of buttons.entries()) {
      display.showDecoded(button, decode(between.at(shares[i])));
      yield;
    }
  }
  return { refresh: () => run(decodeAll()) };
}

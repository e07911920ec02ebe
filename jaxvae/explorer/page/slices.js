"use strict";
// Long work in slices between two frames, so that the page stays quick.

const SLICE = 8; // milliseconds of work between two frames

/** A function that works through a generator; the next one replaces what is left of it. */
function makeSlices() {
  let work = null;

  function goOn() {
    const end = performance.now() + SLICE;
    while (performance.now() < end) if (work.next().done) return;
    requestAnimationFrame(goOn);
  }
  return (next) => {
    work = next;
    requestAnimationFrame(goOn);
  };
}

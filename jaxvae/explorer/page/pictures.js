"use strict";
// Examples as pictures.

/** A display of pictures: what is decoded, and the test images. */
function pictures(contents) {
  const { image, pixels } = contents;
  return {
    showDecoded: (place, picture) => paint(canvasIn(place, "picture"), picture, image),
    showExample: (place, index) => paint(canvasIn(place, "picture"), row(pixels, index), image, 255),
    describe: (index) => describe(contents, index),
  };
}

/** The canvas of a place, which gets one where it has none. */
function canvasIn(place, className) {
  if (place.firstElementChild) return place.firstElementChild;
  const canvas = Object.assign(document.createElement("canvas"), { className, role: "img" });
  canvas.setAttribute("aria-label", place.dataset.label ?? "");
  place.append(canvas);
  return canvas;
}

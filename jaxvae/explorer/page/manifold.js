"use strict";
// The decoded pictures behind the map: what the plane through the current code looks like all over.

const TILES = 15; // in each direction
const GAP = 1 / 8; // between two of them, in their size

/** Decode a grid over the plane, a little in every frame; `refresh` begins anew. */
function makeManifold({ canvas, decode, image, code }) {
  const run = makeSlices();
  let plane, offset;

  function setPlane(next) {
    plane = next;
    refresh();
  }

  function refresh() {
    offset = perpendicular();
    run(paintTiles());
  }

  /** What of the code no place on the map says. */
  const perpendicular = () => moveTo(plane, code.value, [0, 0]);

  function* paintTiles() {
    const side = Math.ceil(Math.max(image.width, image.height) * (1 + GAP));
    if (canvas.width !== TILES * side) canvas.width = canvas.height = TILES * side;
    const context = canvas.getContext("2d");
    const left = Math.floor((side - image.width) / 2);
    const top = Math.floor((side - image.height) / 2);
    const at = (tile) => plane.reach * ((2 * tile + 1) / TILES - 1);
    for (let i = 0; i < TILES; i++) {
      for (let j = 0; j < TILES; j++) {
        const point = [plane.centre[0] + at(j), plane.centre[1] - at(i)];
        const picture = decode(moveTo(plane, offset, point));
        context.putImageData(toImageData(picture, image, 1), j * side + left, i * side + top);
        yield;
      }
    }
  }

  let waiting;
  code.onChange(() => {
    if (distance(perpendicular(), offset) < 1e-3) return;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 120);
  });
  return { setPlane, refresh };
}

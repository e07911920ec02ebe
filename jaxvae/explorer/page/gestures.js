"use strict";
// What a person does with pointer and keys, as positions and steps.

/** Positions of the pointer on an element: while it hovers, while it is down, and where it was only tapped. */
function listenToPointer(element, { hover, drag, tap }) {
  let start = null;
  const position = (event) => [event.offsetX, event.offsetY];
  const moved = (event) => Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > 4;
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    start = event;
    drag(position(event));
  });
  element.addEventListener("pointermove", (event) => {
    if (start) drag(position(event));
    hover(start && moved(event) ? null : position(event));
  });
  element.addEventListener("pointerup", (event) => {
    if (start && !moved(event)) tap(position(event));
    start = null;
  });
  element.addEventListener("pointercancel", () => (start = null));
  element.addEventListener("pointerleave", () => hover(null));
}

/** Steps by arrow keys, to the right and up; with Shift five at once. */
function listenToArrows(element, step) {
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  element.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(...way.map((amount) => amount * (event.shiftKey ? 5 : 1)));
  });
}

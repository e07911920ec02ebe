"use strict";
// The map: a plane through the latent space, with test images as dots and the current code as a ring.

const NEAR = 12; // CSS pixels from which a dot is touched
const STEPS = 60; // arrow keys from the middle of the map to its side

/** Draw the map, and move the code as the pointer and the arrow keys say. */
function makeMap({ canvas, contents, code, pick, pathPoints, onHover }) {
  let plane, dots;
  const view = { highlighted: null, showImages: true, hovered: null };

  const size = () => canvas.clientWidth;
  const scale = () => size() / (2 * plane.reach);
  const toScreen = ([a, b]) => [
    size() / 2 + (a - plane.centre[0]) * scale(),
    size() / 2 - (b - plane.centre[1]) * scale(),
  ];
  const toPlane = ([x, y]) => [
    plane.centre[0] + (x - size() / 2) / scale(),
    plane.centre[1] - (y - size() / 2) / scale(),
  ];

  function setPlane(next) {
    plane = next;
    dots = Array.from({ length: contents.codes.shape[0] }, (_, i) => project(plane, row(contents.codes, i)));
    draw();
  }

  function draw() {
    const context = prepare(canvas, size());
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name);
    const middle = toScreen(project(plane, new Float32Array(code.value.length)));
    if (!contents.samples) drawPrior(context, middle, scale(), colour("--line"));
    if (view.showImages) drawDots(context, colour("--paper"));
    drawPath(context, pathPoints().map((point) => toScreen(project(plane, point))), colour("--ink"));
    drawRing(context, toScreen(project(plane, code.value)), colour("--accent"), colour("--paper"));
  }

  function drawDots(context, paper) {
    const { groups } = contents;
    context.strokeStyle = paper;
    context.lineWidth = 1;
    dots.forEach((dot, i) => {
      const kind = groups?.values[i];
      context.globalAlpha = view.highlighted === null || view.highlighted === kind ? 1 : 0.12;
      context.fillStyle = colourOf(groups, kind);
      disc(context, toScreen(dot), i === view.hovered ? 6 : 3.5);
      context.fill();
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  /** The test image at a point of the screen, or null. */
  function imageAt([x, y]) {
    if (!view.showImages) return null;
    const distances = dots.map((dot) => Math.hypot(toScreen(dot)[0] - x, toScreen(dot)[1] - y));
    const nearest = distances.indexOf(Math.min(...distances));
    return distances[nearest] <= NEAR ? nearest : null;
  }

  function hover(point) {
    const index = point && imageAt(point);
    if (index === view.hovered) return;
    view.hovered = index;
    onHover(index, index === null ? null : toScreen(dots[index]));
    draw();
  }

  const go = (point) => code.set(moveTo(plane, code.value, point), "map");
  listenToPointer(canvas, {
    hover,
    drag: (point) => go(toPlane(point.map((value) => Math.min(Math.max(value, 0), size())))),
    tap: (point) => {
      const index = imageAt(point);
      if (index !== null) pick(index);
    },
  });
  listenToArrows(canvas, (right, up) => {
    const [a, b] = project(plane, code.value);
    go([a + (right * plane.reach) / STEPS, b + (up * plane.reach) / STEPS]);
  });
  new ResizeObserver(() => plane && draw()).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  code.onChange(draw);
  return { view, draw, setPlane };
}

/** A cleared canvas whose units are CSS pixels, sharp on any screen. */
function prepare(canvas, size) {
  const density = window.devicePixelRatio;
  canvas.width = canvas.height = Math.round(size * density);
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  return context;
}

function disc(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

/** One, two and three standard deviations of the prior, on any plane that has its middle in it. */
function drawPrior(context, middle, scale, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  for (const deviations of [1, 2, 3]) {
    disc(context, middle, deviations * scale);
    context.stroke();
  }
}

function drawPath(context, points, colour) {
  context.beginPath();
  for (const point of points) context.lineTo(...point);
  context.setLineDash([2, 5]);
  context.lineCap = "round";
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
}

function drawRing(context, point, colour, halo) {
  for (const [width, style] of [[7, halo], [3, colour]]) {
    disc(context, point, 9);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
}

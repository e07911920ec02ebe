"use strict";
// Arithmetic with codes, and the one code that every part of the page shows and may change.

/** The current code. Whoever changes it says who it is, and everybody who listens is told. */
function makeCode(dimensions) {
  const listeners = [];
  const code = {
    value: new Float32Array(dimensions),
    set(next, source) {
      code.value = Float32Array.from(next);
      for (const listener of listeners) listener(code.value, source);
    },
    onChange: (listener) => listeners.push(listener),
  };
  return code;
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const norm = (a) => Math.sqrt(dot(a, a));

/** a + factor * b. */
const shifted = (a, b, factor) => a.map((value, i) => value + factor * b[i]);

const distance = (a, b) => norm(shifted(a, b, -1));

/** (1 - t) a + t b. */
const straight = (a, b, t) => a.map((value, i) => (1 - t) * value + t * b[i]);

/** The arc from a to b: its angle turns evenly, its norm goes linearly (Shoemake 1985; White 2016). */
function arc(a, b, t) {
  const lengths = [norm(a), norm(b)];
  const cosine = dot(a, b) / (lengths[0] * lengths[1]);
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1));
  if (!(Math.sin(angle) > 1e-6)) return straight(a, b, t); // parallel, opposite or zero: there is no one arc
  const scale = ((1 - t) * lengths[0] + t * lengths[1]) / Math.sin(angle);
  const first = (scale * Math.sin((1 - t) * angle)) / lengths[0];
  const second = (scale * Math.sin(t * angle)) / lengths[1];
  return a.map((value, i) => first * value + second * b[i]);
}

/** Where a code lies on a plane. */
function project(plane, code) {
  const offset = shifted(code, plane.origin, -1);
  return [dot(offset, row(plane.axes, 0)), dot(offset, row(plane.axes, 1))];
}

/** The code moved along the plane until it lies at a point; what is perpendicular to the plane stays. */
function moveTo(plane, code, point) {
  const [a, b] = project(plane, code);
  const moved = shifted(code, row(plane.axes, 0), point[0] - a);
  return shifted(moved, row(plane.axes, 1), point[1] - b);
}

/** The row of `codes` that is nearest to a code, and how far it is. */
function nearestCode(codes, code) {
  let best = { index: 0, distance: Infinity };
  for (let index = 0; index < codes.shape[0]; index++) {
    const candidate = distance(row(codes, index), code);
    if (candidate < best.distance) best = { index, distance: candidate };
  }
  return best;
}

/** A code of the prior: one of the samples that the page holds for the condition, or a draw from N(0, I). */
function codeOfPrior({ samples, activity }, condition) {
  if (!samples) return samplePrior(activity.length);
  return row(samples.codes, condition * samples.each + Math.floor(samples.each * Math.random()));
}

/** A draw from N(0, I), two uniform numbers for each normal one (Box & Muller 1958). */
function samplePrior(dimensions) {
  return Float32Array.from({ length: dimensions }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return radius * Math.cos(2 * Math.PI * Math.random());
  });
}

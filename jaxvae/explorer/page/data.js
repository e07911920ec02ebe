"use strict";
// What the page was given: JSON in which every array is written as bytes.

const ARRAYS = {
  float16: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf),
  float32: (buffer) => new Float32Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
};

/** The contents of the page, arrays as typed arrays with their shape. */
function readContents() {
  return readJson(document.getElementById("contents").textContent);
}

function readJson(text) {
  return JSON.parse(text, (_, value) => (value?.base64 === undefined ? value : readArray(value)));
}

function readArray({ dtype, shape, base64 }) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return Object.assign(ARRAYS[dtype](bytes.buffer), { shape });
}

/** Row `i` of an array of two axes, without a copy. */
function row(array, i) {
  const length = array.shape[1];
  return array.subarray(i * length, (i + 1) * length);
}

/** A half-precision number from its sixteen bits: sign, five of exponent, ten of fraction. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

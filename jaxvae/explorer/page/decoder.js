"use strict";
// The decoder: layers as data, run in plain JavaScript. Pictures lie flat, [height, width, channels].

const LAYERS = {
  Dense: dense,
  ConditionalDense: conditionalDense,
  ConvTranspose: convTranspose,
  Elementwise: elementwise,
  Greedy: greedy,
};

const FUNCTIONS = {
  relu: (x) => (x > 0 ? x : 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  // 1 / (1 - exp(-x)) - 1 / x, which near 0 is a difference of large numbers.
  continuous_bernoulli_mean: (x) =>
    Math.abs(x) < 0.3 ? 0.5 + x / 12 - x ** 3 / 720 + x ** 5 / 30240 : -1 / Math.expm1(-x) - 1 / x,
};

/** From layers to a function: code and number of the condition -> picture or row of tokens, perhaps overwritten by the next. */
function makeDecoder(layers) {
  const steps = layers.map((layer) => LAYERS[layer.kind](layer));
  return (code, condition) => steps.reduce((values, step) => step(values, condition), code);
}

function dense({ kernel, bias }) {
  const y = new Float32Array(bias.length);
  return (x) => {
    y.set(bias);
    addProduct(y, x, 0, kernel);
    return y;
  };
}

/** A dense layer whose bias is the row of a condition. */
function conditionalDense({ kernel, bias }) {
  const layers = Array.from({ length: bias.shape[0] }, (_, i) => dense({ kernel, bias: row(bias, i) }));
  return (x, condition) => layers[condition](x);
}

/** Every pixel of x is spread over a window of y; where windows overlap they add up. */
function convTranspose({ kernel, bias, input_size, output_size, stride, before }) {
  const [inputs, ...shape] = kernel.shape;
  const window = new Float32Array(kernel.length / inputs);
  const y = new Float32Array(output_size[0] * output_size[1] * bias.length);
  return (x) => {
    for (let at = 0; at < y.length; at += bias.length) y.set(bias, at);
    for (let pixel = 0; pixel < input_size[0] * input_size[1]; pixel++) {
      window.fill(0);
      addProduct(window, x, pixel * inputs, kernel);
      const top = stride * Math.floor(pixel / input_size[1]) - before;
      const left = stride * (pixel % input_size[1]) - before;
      addWindow(y, output_size, window, shape, top, left);
    }
    return y;
  };
}

/** y += x[from...] @ kernel, whose first axis says how many numbers of x that takes. */
function addProduct(y, x, from, kernel) {
  const inputs = kernel.shape[0];
  const inFours = inputs - (inputs % 4);
  for (let i = 0; i < inFours; i += 4) addFourRows(y, x, from + i, kernel, i * y.length);
  for (let i = inFours; i < inputs; i++) addRow(y, x[from + i], kernel, i * y.length);
}

/** Four rows at a time, so that y is read and written less often: twice as fast. */
function addFourRows(y, x, from, kernel, at) {
  const length = y.length;
  const [a, b, c, d] = [x[from], x[from + 1], x[from + 2], x[from + 3]];
  if (a === 0 && b === 0 && c === 0 && d === 0) return; // a relu leaves many zeros
  for (let j = 0, k = at; j < length; j++, k++) {
    y[j] += a * kernel[k] + b * kernel[k + length] + c * kernel[k + 2 * length] + d * kernel[k + 3 * length];
  }
}

function addRow(y, factor, kernel, at) {
  for (let j = 0, k = at; j < y.length; j++, k++) y[j] += factor * kernel[k];
}

/** Add a window to an image at a place; what lies outside is dropped. */
function addWindow(y, [height, width], window, [rows, columns, channels], top, left) {
  for (let i = Math.max(-top, 0); i < Math.min(rows, height - top); i++) {
    for (let j = Math.max(-left, 0); j < Math.min(columns, width - left); j++) {
      const from = (i * columns + j) * channels;
      const to = ((top + i) * width + left + j) * channels;
      for (let c = 0; c < channels; c++) y[to + c] += window[from + c];
    }
  }
}

function elementwise({ function: name }) {
  let y = new Float32Array(0);
  return (x) => {
    if (y.length !== x.length) y = new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) y[i] = FUNCTIONS[name](x[i]);
    return y;
  };
}

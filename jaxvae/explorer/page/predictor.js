"use strict";
// Rows of tokens: an LSTM reads the token that it wrote last, and writes the likeliest next one.

const PREDICTORS = { LSTM: lstm, Hierarchical: hierarchical };

/** From a context to a row: the likeliest token at each step up to the end mark, and padding behind it. */
function greedy({ predictor, length, end, padding }) {
  const { begin, next } = PREDICTORS[predictor.kind](predictor);
  return (context) => {
    const tokens = new Int32Array(length).fill(padding);
    begin(context);
    for (let step = 0, token = null; step < length && token !== end; step++) {
      token = tokens[step] = likeliest(next(token), padding);
    }
    return tokens;
  };
}

/** The number of the largest logit; padding is never written. */
function likeliest(logits, padding) {
  let best = padding === 0 ? 1 : 0;
  for (let token = 0; token < logits.length; token++) {
    if (token !== padding && logits[token] > logits[best]) best = token;
  }
  return best;
}

/** Logits of the next token after one more; null stands before the first. */
function lstm({ embedding, layers, output }) {
  const recurrences = layers.map(recurrence);
  const before = embedding.shape[0] - 1;
  const logits = new Float32Array(output.shape[1]);
  return {
    begin: (context) => recurrences.forEach(({ begin }) => begin(context)),
    next(token) {
      const h = recurrences.reduce((x, { step }) => step(x), row(embedding, token ?? before));
      logits.fill(0);
      addProduct(logits, h, 0, output);
      return logits;
    },
  };
}

/** The same, begun anew in every bar with what the conductor says there. */
function hierarchical({ cell, conductor, steps_per_bar }) {
  const bars = recurrence(conductor);
  const bar = lstm(cell);
  let position;
  return {
    begin(context) {
      bars.begin(context);
      position = 0;
    },
    next(token) {
      const isNew = position++ % steps_per_bar === 0;
      if (isNew) bar.begin(bars.step([]));
      return bar.next(isNew ? null : token);
    },
  };
}

/** An LSTM layer, whose first state and constant input come from a context. */
function recurrence({ start, given, inputs, kernel, bias }) {
  const width = kernel.shape[0];
  const constant = new Float32Array(4 * width);
  const sums = new Float32Array(4 * width);
  const h = new Float32Array(width);
  const c = new Float32Array(width);
  const { sigmoid, tanh } = FUNCTIONS;
  return {
    begin(context) {
      constant.set(bias);
      addProduct(constant, context, 0, given);
      c.fill(0);
      addProduct(c, context, 0, start);
      for (let k = 0; k < width; k++) h[k] = tanh(c[k]);
    },
    step(x) {
      sums.set(constant);
      addProduct(sums, x, 0, inputs);
      addProduct(sums, h, 0, kernel);
      for (let k = 0; k < width; k++) {
        const [i, f, g, o] = [sums[k], sums[width + k], sums[2 * width + k], sums[3 * width + k]];
        c[k] = sigmoid(f) * c[k] + sigmoid(i) * tanh(g);
        h[k] = sigmoid(o) * tanh(c[k]);
      }
      return h;
    },
  };
}

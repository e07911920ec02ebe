"use strict";
// One slider for each latent dimension; where there are many, those first that do most.

const SHOWN = 10;

/** A slider for every dimension; of more than ten the most active are shown, and the others folded away. */
function makeSliders({ contents, code }) {
  const element = (id) => document.getElementById(id);
  const order = Array.from(contents.activity.keys());
  if (order.length > SHOWN) {
    order.sort((a, b) => contents.activity[b] - contents.activity[a]);
    element("sliders-note").textContent = "those first that do most";
  }
  const sliders = order.map((dimension, rank) => {
    const slider = makeSlider(dimension, contents, code);
    element(rank < SHOWN ? "sliders" : "more-sliders").append(slider.row);
    return slider;
  });
  code.onChange((value) => sliders.forEach((slider) => slider.show(value)));
  unfold(element("show-more"), element("more-sliders"), order.length - SHOWN);
}

function makeSlider(dimension, contents, code) {
  const row = document.getElementById("slider-row").content.firstElementChild.cloneNode(true);
  const [name, input, output] = row.children;
  const [low, high] = contents.ranges.subarray(2 * dimension, 2 * dimension + 2);
  const activity = contents.activity[dimension];
  name.append("z", Object.assign(document.createElement("sub"), { textContent: dimension }));
  name.style.setProperty("--activity", Math.min(activity, 1));
  row.title = `variance of the mean over test images: ${activity.toFixed(2)}`;
  Object.assign(input, { min: low, max: high, id: `z${dimension}`, ariaLabel: `z ${dimension}` });
  input.addEventListener("input", () => {
    const next = Float32Array.from(code.value);
    next[dimension] = input.valueAsNumber;
    code.set(next, "sliders");
  });
  function show(value) {
    input.value = value[dimension];
    output.textContent = formatted(value[dimension]);
  }
  return { row, show };
}

/** A button that shows and hides `count` more rows. */
function unfold(button, rows, count) {
  button.hidden = count <= 0;
  const label = () => (button.textContent = rows.hidden ? `Show the other ${count}` : "Show fewer");
  button.addEventListener("click", () => {
    rows.hidden = !rows.hidden;
    button.setAttribute("aria-expanded", !rows.hidden);
    label();
  });
  label();
}

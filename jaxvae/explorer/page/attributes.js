"use strict";
// Adding an attribute: a vector, so many times, to the code that was there.

/** A choice of attributes and a slider for how much of one is added. */
function makeAttributes({ contents, code }) {
  document.getElementById("attributes").hidden = contents.attributes.length === 0;
  if (contents.attributes.length === 0) return;
  const choice = document.getElementById("attribute");
  const strength = document.getElementById("strength");
  const output = document.getElementById("strength-value");
  let base = code.value;

  function begin() {
    base = code.value;
    strength.value = 0;
    show();
  }
  const show = () => (output.textContent = formatted(strength.valueAsNumber));

  choice.append(...contents.attributes.map(({ name }, i) => new Option(name, i)));
  choice.addEventListener("change", begin);
  strength.addEventListener("input", () => {
    code.set(shifted(base, contents.attributes[choice.value].vector, strength.valueAsNumber), "attributes");
    show();
  });
  // What somebody else did to the code is where an attribute is added next.
  code.onChange((_, source) => source !== "attributes" && begin());
}

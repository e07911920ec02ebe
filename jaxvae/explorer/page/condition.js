"use strict";
// The condition that a conditional decoder gets besides the code: one class of several.

/** A selector of the class; without conditions it is hidden and nothing happens. */
function makeCondition({ contents, onChange }) {
  const { conditions } = contents;
  const choice = document.getElementById("condition");
  document.getElementById("conditions").hidden = !conditions;
  const condition = {
    value: 0,
    set(next) {
      if (next === condition.value) return;
      condition.value = next;
      choice.value = next;
      onChange();
    },
    /** That of a test image. */
    setTo: (index) => conditions && condition.set(conditions.values[index]),
  };
  choice.append(...(conditions?.names ?? []).map((name, i) => new Option(name, i)));
  choice.addEventListener("change", () => condition.set(Number(choice.value)));
  return condition;
}

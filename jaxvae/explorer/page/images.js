"use strict";
// The test examples: their list, their groups with a colour for each, and the word for one of them.

/** Legible on bright and on dark paper; where there are more groups than colours they begin again. */
const COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0"];

/** The colour of test examples with a value; one for all where they are not grouped. */
const colourOf = (groups, value) => COLOURS[groups ? groups.kinds.indexOf(value) % COLOURS.length : 0];

/** What a test example is called. */
function describe({ groups }, index) {
  return groups ? `${groups.name} ${groups.values[index]}` : `no. ${index}`;
}

/** All test examples as buttons. */
function makeGallery({ container, contents, display, pick }) {
  const buttons = Array.from({ length: contents.codes.shape[0] }, (_, i) => {
    const button = makeButton("", () => pick(i));
    display.showExample(button, i);
    button.setAttribute("aria-label", display.describe(i));
    return button;
  });
  container.append(...buttons);
  makeRoving(container, buttons);
}

/** The groups and their colours; pressing one dims the others. */
function makeLegend({ container, groups, map }) {
  const buttons = (groups?.kinds ?? []).map((kind) => {
    const button = makeButton(kind, () => {
      map.view.highlighted = map.view.highlighted === kind ? null : kind;
      for (const each of buttons) each.setAttribute("aria-pressed", each === button && map.view.highlighted === kind);
      map.draw();
    });
    button.style.setProperty("--colour", colourOf(groups, kind));
    button.setAttribute("aria-pressed", false);
    return button;
  });
  container.append(groups?.name ?? "", ...buttons);
}

/** A test example beside the dot under the pointer. */
function makeTooltip({ tooltip, contents, display }) {
  const [shown, caption] = tooltip.children;
  return (index, point) => {
    tooltip.hidden = index === null;
    if (index === null) return;
    display.showExample(shown, index);
    caption.textContent = describe(contents, index);
    const [x, y] = point;
    const right = x > tooltip.parentElement.clientWidth / 2;
    tooltip.style.transform = `translate(${x}px, ${y}px) translate(${right ? "calc(-100% - 14px)" : "14px"}, -50%)`;
  };
}

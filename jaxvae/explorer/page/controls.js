"use strict";
// Small controls that several parts of the page are made of.

/** Buttons of which one is pressed; nothing where there is nothing to choose. */
function makeChoices(container, names, choose) {
  if (names.length < 2) return;
  const buttons = names.map((name, i) => {
    const button = makeButton(name, () => press(i));
    container.append(button);
    return button;
  });
  function press(chosen) {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === chosen));
    choose(chosen);
  }
  buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === 0));
}

function makeButton(text, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", onClick);
  return button;
}

/** Buttons of which one after another is reached with the arrow keys, and one with Tab. */
function makeRoving(container, buttons) {
  buttons.forEach((button, i) => (button.tabIndex = i === 0 ? 0 : -1));
  listenToArrows(container, (right, up) => {
    const next = buttons[buttons.indexOf(document.activeElement) + Math.sign(right - up)];
    if (!next) return;
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

/** Numbers in two decimals with a true minus sign, all equally wide. */
const formatted = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

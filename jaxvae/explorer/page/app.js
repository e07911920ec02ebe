"use strict";
// The page put together: one code, and everything that shows it or changes it.

/** Build the page from its contents. */
function start() {
  const element = (id) => document.getElementById(id);
  const contents = readContents();
  document.documentElement.classList.add(contents.display);
  document.documentElement.classList.toggle("ink", contents.ink === true);
  const display = DISPLAYS[contents.display](contents);
  const decoder = makeDecoder(contents.decoder);
  const code = makeCode(contents.activity.length);
  const condition = makeCondition({
    contents,
    onChange: () => {
      manifold?.refresh();
      steps?.refresh();
      code.set(code.value, "condition");
    },
  });
  const decode = (z) => decoder(z, condition.value);

  const pick = (index) => {
    between.offer(index);
    condition.setTo(index);
    code.set(row(contents.codes, index), "images");
  };
  const onPath = () => {
    map.draw();
    steps?.refresh();
  };
  const between = makeBetween({ contents, display, code, onPath });
  const steps = contents.image ? null : makeSteps({ container: element("steps"), display, decode, code, between });
  const onHover = makeTooltip({ tooltip: element("tooltip"), contents, display });
  const map = makeMap({ canvas: element("map"), contents, code, pick, pathPoints: between.points, onHover });
  const manifold = contents.image
    ? makeManifold({ canvas: element("manifold"), decode, image: contents.image, code })
    : null;
  element("circles").hidden = Boolean(contents.samples);
  element("manifold").hidden = element("manifold-choice").hidden = manifold === null;

  const choosePlane = (chosen) => {
    const plane = contents.planes[chosen];
    for (const each of [map, manifold]) each?.setPlane(plane);
    element("axes").textContent = `Across: ${plane.axis_names[0]}; up: ${plane.axis_names[1]}.`;
  };
  makeChoices(element("planes"), contents.planes.map(({ name }) => name), choosePlane);
  makeLegend({ container: element("legend"), groups: contents.groups, map });
  makeGallery({ container: element("gallery"), contents, display, pick });
  makeSliders({ contents, code });
  makeAttributes({ contents, code });
  const showCode = makeStage({ contents, display, decode });
  display.play?.(element("decoded"), element("play"));
  display.play?.(element("nearest"), element("play-nearest"));
  code.onChange(oncePerFrame(() => showCode(code.value)));

  element("map").addEventListener("keydown", (event) => {
    if (event.key === "Enter") pick(nearestCode(contents.codes, code.value).index);
  });
  element("show-images").addEventListener("change", ({ target }) => {
    map.view.showImages = target.checked;
    map.draw();
  });
  element("show-manifold").addEventListener("change", ({ target }) => (element("manifold").hidden = !target.checked));
  element("sample").addEventListener("click", () => code.set(codeOfPrior(contents, condition.value), "sample"));
  element("origin").addEventListener("click", () => code.set(new Float32Array(code.value.length), "origin"));

  choosePlane(0);
  between.show();
  condition.setTo(0);
  code.set(row(contents.codes, 0), "start");
  return { contents, display, decode, code, condition };
}

const DISPLAYS = { pictures, texts, melodies };

/** What is decoded, how long it took, and the test example that lies nearest. */
function makeStage({ contents, display, decode }) {
  const element = (id) => document.getElementById(id);
  let milliseconds = null;
  return (code) => {
    const began = performance.now();
    const decoded = decode(code);
    const took = performance.now() - began;
    milliseconds = milliseconds === null ? took : 0.9 * milliseconds + 0.1 * took;
    display.showDecoded(element("decoded"), decoded);
    element("speed").textContent = `in ${milliseconds.toFixed(1)} ms`;

    const nearest = nearestCode(contents.codes, code);
    display.showExample(element("nearest"), nearest.index);
    element("nearest-label").textContent = describe(contents, nearest.index);
  };
}

/** However often it is called, it happens once before the next picture on the screen. */
function oncePerFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      action();
    });
  };
}

window.explorer = start();

"use strict";
// Pictures on canvases: one canvas pixel for each pixel, enlarged by the style sheet.

/** Draw values, of which `full` means 1, onto a canvas. */
function paint(canvas, values, image, full = 1) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(toImageData(values, image, full), 0, 0);
}

/**
 * Values as the browser's RGBA bytes, which round to nearest and stop at 0 and 255: grey, the first three channels as
 * colours, or each channel in a panel of its own, grey and side by side.
 */
function toImageData(values, image, full) {
  const data = new ImageData(image.width, image.height);
  const width = image.width / image.panels;
  const last = image.panels > 1 ? 0 : image.channels - 1;
  for (let pixel = 0; pixel < image.width * image.height; pixel++) {
    const y = Math.floor(pixel / image.width);
    const x = pixel % image.width;
    const panel = Math.floor(x / width);
    const at = (y * width + x - panel * width) * image.channels + panel;
    for (let channel = 0; channel < 3; channel++) {
      data.data[4 * pixel + channel] = (values[at + Math.min(channel, last)] * 255) / full;
    }
    data.data[4 * pixel + 3] = 255;
  }
  return data;
}

"use strict";
// Sound: notes as decaying tones, one melody at a time.

const TEMPO = 120; // quarter notes in a minute
const SECONDS = 60 / TEMPO / 4; // of a step, a 16th note
const PARTIALS = [0, 1, 0.4, 0.2]; // of a tone; there is none of frequency 0
const DECAY = 3; // per second
const FADE = 0.01; // seconds in which a note begins, and in which it ends
const LOUDNESS = 0.4;
const SOON = 0.05; // seconds, in which all notes are ready

let stopPlaying = () => {};

/** A button that plays a roll's notes and stops them; a change of the notes stops them, too. */
function makePlayer({ button, roll }) {
  let context = null;
  button.hidden = false;

  function play() {
    stopPlaying();
    stopPlaying = stop;
    context = new AudioContext();
    const begin = context.currentTime + SOON;
    const wave = context.createPeriodicWave(new Float32Array(PARTIALS.length), Float32Array.from(PARTIALS));
    for (const note of roll.notes) playNote(context, wave, note, begin);
    button.textContent = "Stop";
    follow(context, begin);
  }

  function stop() {
    if (context === null) return;
    context.close();
    context = null;
    button.textContent = "Play";
    roll.point(null);
  }

  /** Move the cursor until the end. */
  function follow(playing, begin) {
    if (playing !== context) return;
    const share = (context.currentTime - begin) / (SECONDS * roll.steps);
    if (share >= 1) return stop();
    roll.point(Math.max(share, 0));
    requestAnimationFrame(() => follow(playing, begin));
  }

  button.addEventListener("click", () => (context === null ? play() : stop()));
  roll.onShow = stop;
}

/** One note: it begins at once, decays, and ends without a click. */
function playNote(context, wave, { start, length, pitch }, begin) {
  const [from, to] = [begin + SECONDS * start, begin + SECONDS * (start + length)];
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.setPeriodicWave(wave);
  tone.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
  volume.gain.setValueAtTime(0, from);
  volume.gain.linearRampToValueAtTime(LOUDNESS, from + FADE);
  volume.gain.exponentialRampToValueAtTime(LOUDNESS * Math.exp(-DECAY * (to - from)), to - FADE);
  volume.gain.linearRampToValueAtTime(0, to);
  tone.connect(volume).connect(context.destination);
  tone.start(from);
  tone.stop(to);
}

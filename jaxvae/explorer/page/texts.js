"use strict";
// Examples as lines of text.

const JOINS = {
  words: (units) => units.join(" "),
  characters: (units) => units.join(""),
  smiles: (units) => units.join(""),
  bpe: joinBytes,
};

/** A display of sentences: what is decoded, and the test sentences. */
function texts({ words, units, end, rows }) {
  const line = (tokens) => JOINS[units](untilEnd(tokens, end).map((token) => words[token]));
  const test = Array.from({ length: rows.shape[0] }, (_, i) => line(row(rows, i)));
  reserveLines(Math.max(...test.map((each) => each.length)));
  const show = (place, text) => (place.textContent = text || "(nothing)");
  return {
    showDecoded: (place, tokens) => show(place, line(tokens)),
    showExample: (place, index) => show(place, test[index]),
    describe: (index) => test[index],
  };
}

/** Keep room for the longest, so that nothing below moves when another is decoded; more than six lines are scrolled. */
function reserveLines(characters) {
  const lines = Math.min(Math.max(Math.ceil(characters / 40), 2), 6);
  document.documentElement.style.setProperty("--lines", lines);
}

/** The tokens before the end mark. */
function untilEnd(tokens, end) {
  const length = tokens.indexOf(end);
  return [...(length < 0 ? tokens : tokens.subarray(0, length))];
}

/** Units of byte-pair encoding, whose characters stand for bytes (Radford et al. 2019). */
function joinBytes(units) {
  const characters = Array.from(units.join(""), (character) => BYTES.get(character));
  return new TextDecoder().decode(Uint8Array.from(characters));
}

const BYTES = bytesByCharacter();

/** A byte's character is its own in Latin-1 where that is seen, else one from 256 on. */
function bytesByCharacter() {
  const isSeen = (byte) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 256;
  return new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(isSeen(byte) ? byte : next++), byte]));
}

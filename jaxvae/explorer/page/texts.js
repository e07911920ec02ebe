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
  const show = (place, text) => (place.textContent = text || "(nothing)");
  return {
    line,
    showDecoded: (place, tokens) => show(place, line(tokens)),
    showExample: (place, index) => show(place, line(row(rows, index))),
    describe: (index) => line(row(rows, index)),
  };
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

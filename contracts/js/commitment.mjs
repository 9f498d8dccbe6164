// Commitments to private inputs, weights and outputs, as zkml-chain proves them: for browsers (with a bundler or an
// import map that knows `poseidon-lite`) and for Node.
//
//   import { commit, randomSalt } from "./commitment.mjs";
//   const salt = randomSalt();
//   const commitment = commit({ role: "input", salt, parts: [{ bits: 16, signed: true, values: [12, -7, 300] }] });
//
// Values are the integers of the compiled model: a real number times 2^scale, rounded half away from zero; see
// `quantize`. Scale, bits and sign of every tensor are in what `zkml-chain commit --json` prints; they are no secret.
// The salt is: who has it can try out what the values are.

import { poseidon3 } from "poseidon-lite/poseidon3";

/** Order of BN254's scalar field: salts, words and commitments are below it. */
export const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Bits of a field element that are filled with values. */
const WORD_BITS = 253;
/** `zk` and the version of the format. */
const TAG = 0x7a6b01n;
/** @type {Record<string, bigint>} */
const ROLES = { input: 1n, model: 2n, output: 3n };

/** @typedef {"input" | "model" | "output"} Role */
/** @typedef {number | bigint | string} Integer */
/** @typedef {{ bits: number, signed: boolean, values: readonly Integer[] }} Part a tensor, and how its values are written */

/**
 * Where the chain of hashes starts: tag, role, number of tensors.
 * @param {Role} role
 * @param {number} parts
 */
export function domain(role, parts) {
  const code = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (code === undefined) throw new RangeError(`the role is input, model or output, not ${role}`);
  return (TAG << 40n) | (code << 32n) | BigInt(parts);
}

/**
 * The word in front of a tensor's values: how many they are, and how each is written.
 * @param {Part} part
 */
export function header({ bits, signed, values }) {
  return (BigInt(Boolean(signed)) << 40n) | (BigInt(bits) << 32n) | BigInt(values.length);
}

/**
 * A tensor's values as field elements, the first value of each in the lowest bits.
 * @param {Part} part
 */
export function pack({ bits, signed, values }) {
  if (!Number.isInteger(bits) || bits < 1 || bits > 62) throw new RangeError(`bits are 1 to 62, not ${bits}`);
  const perWord = Math.floor(WORD_BITS / bits);
  const offset = signed ? 1n << BigInt(bits - 1) : 0n;
  const words = [];
  for (let start = 0; start < values.length; start += perWord) {
    let word = 0n;
    for (let i = Math.min(start + perWord, values.length) - 1; i >= start; i--) {
      const unsigned = exact(values[i]) + offset;
      if (unsigned < 0n || unsigned >> BigInt(bits) !== 0n) {
        throw new RangeError(`value ${values[i]} (element ${i}) does not fit ${bits} ${signed ? "signed " : ""}bits`);
      }
      word = (word << BigInt(bits)) | unsigned;
    }
    words.push(word);
  }
  return words;
}

/**
 * Everything that is hashed, in order: salt, then header and values of each tensor; an even number of words.
 * @param {bigint | string} salt
 * @param {readonly Part[]} parts
 */
export function words(salt, parts) {
  const secret = exact(salt);
  if (secret < 0n || secret >= R) throw new RangeError("the salt is not below the order of the scalar field");
  const out = [secret, ...parts.flatMap((part) => [header(part), ...pack(part)])];
  if (out.length % 2 === 1) out.push(0n);
  return out;
}

/**
 * The salted commitment to tensors.
 * @param {{ role: Role, salt: bigint | string, parts: readonly Part[] }} preimage
 * @returns {bigint} a field element; `toHex` writes it as zkml-chain and contracts do
 */
export function commit({ role, salt, parts }) {
  const input = words(salt, parts);
  let link = domain(role, parts.length);
  for (let i = 0; i < input.length; i += 2) link = poseidon3([link, input[i], input[i + 1]]);
  return link;
}

/** A fresh salt, uniform below the field's order, from the system's randomness. */
export function randomSalt() {
  for (;;) {
    const bytes = globalThis.crypto.getRandomValues(new Uint8Array(32));
    bytes[0] &= 0x3f; // the order has 254 bits: about three draws of four are kept
    const salt = bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
    if (salt < R) return salt;
  }
}

/**
 * Real numbers as the integers of a tensor with so many fraction bits.
 * @param {readonly number[]} reals
 * @param {number} scale
 */
export function quantize(reals, scale) {
  return reals.map((real) => {
    const scaled = real * 2 ** scale;
    const rounded = Math.sign(scaled) * Math.round(Math.abs(scaled)); // half away from zero
    if (!Number.isSafeInteger(rounded)) throw new RangeError(`${real} has no exact integer at 2^-${scale}`);
    return rounded;
  });
}

/**
 * `0x` and 64 digits.
 * @param {bigint} word
 * @returns {`0x${string}`}
 */
export function toHex(word) {
  return `0x${word.toString(16).padStart(64, "0")}`;
}

/**
 * An integer from a number, big integer or text; numbers that lost digits are refused.
 * @param {Integer} value
 */
function exact(value) {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`${value} is no exact integer: write large ones as text or as big integers`);
  }
  return BigInt(value);
}

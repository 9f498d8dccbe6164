// Writes tests/fixtures/commitment.json: `node tests/js/vectors.mjs > tests/fixtures/commitment.json`.
//
// The ground truth of commitments. Hashes come from the npm package poseidon-lite; the packing is written here from
// the format's description, digit by digit in text, and shares no code with the Rust, browser and Solidity versions
// that are checked against it.

import { createHash } from "node:crypto";
import { poseidon3 } from "poseidon-lite/poseidon3";

const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const hex = (n) => "0x" + n.toString(16).padStart(64, "0");

/** Numbers that look random and are the same everywhere. */
function dice(name) {
  let n = 0;
  return (below) => BigInt("0x" + createHash("sha512").update(`${name} ${n++}`).digest("hex")) % below;
}

/** An unsigned number as exactly so many binary digits. */
function digits(n, width) {
  const text = n.toString(2);
  if (n < 0n || text.length > width) throw new Error(`${n} does not fit ${width} bits`);
  return text.padStart(width, "0");
}

/** The field elements of one tensor: the header, then 253 binary digits at a time as far as whole values fit. */
function tensor({ bits, signed, values }) {
  const header = digits(signed ? 1n : 0n, 8) + digits(BigInt(bits), 8) + digits(BigInt(values.length), 32);
  const shifted = values.map((v) => BigInt(v) + (signed ? 2n ** BigInt(bits - 1) : 0n));
  const group = Math.floor(253 / bits);
  const out = [BigInt("0b" + header)];
  for (let i = 0; i < shifted.length; i += group) {
    const places = shifted.slice(i, i + group).map((v) => digits(v, bits));
    out.push(BigInt("0b" + places.reverse().join("")));
  }
  return out;
}

function commitment(name, role, salt, parts) {
  const number = { input: 1n, model: 2n, output: 3n }[role];
  const domain = BigInt("0b" + digits(0x7a6b01n, 24) + digits(number, 8) + digits(BigInt(parts.length), 32));
  const words = [salt, ...parts.flatMap(tensor)];
  if (words.length % 2) words.push(0n);
  let link = domain;
  for (let i = 0; i < words.length; i += 2) link = poseidon3([link, words[i], words[i + 1]]);
  const written = parts.map((p) => ({ ...p, values: p.values.map(String) }));
  return { name, role, salt: hex(salt), parts: written, domain: hex(domain), words: words.map(hex), commitment: hex(link) };
}

function hashes() {
  const roll = dice("poseidon3");
  const edge = [0n, 1n, 2n, R - 1n];
  const inputs = [[1n, 2n, 3n]];
  for (const a of edge) for (const b of edge) inputs.push([a, b, R - 1n - a]);
  for (let i = 0; i < 16; i++) inputs.push([roll(R), roll(R), roll(R)]);
  return inputs.map((i) => ({ inputs: i.map(hex), hash: hex(poseidon3(i)) }));
}

function part(roll, bits, signed, count) {
  const lowest = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const width = 2n ** BigInt(bits);
  const ends = [lowest, lowest + width - 1n, 0n];
  const values = Array.from({ length: count }, (_, i) => (i < 3 ? ends[i] : lowest + roll(width)));
  return { bits, signed, values };
}

function commitments() {
  const roll = dice("commitments");
  const one = (bits, signed, values) => ({ bits, signed, values: values.map(BigInt) });
  const all = [
    commitment("one value", "input", 1n, [one(8, true, [-5])]),
    commitment("no salt", "input", 0n, [one(8, true, [-5])]),
    commitment("largest salt", "input", R - 1n, [one(8, true, [-5])]),
    commitment("another role", "output", 1n, [one(8, true, [-5])]),
    commitment("no values", "input", 7n, [one(8, false, [])]),
    commitment("no parts", "model", 7n, []),
    commitment("zeros count", "input", 7n, [one(8, false, [0, 0])]),
    commitment("the lowest of each", "input", 7n, [one(62, true, [-(2n ** 61n)]), one(1, true, [-1, 0])]),
  ];
  for (const bits of [1, 2, 3, 7, 8, 16, 17, 23, 24, 31, 32, 33, 48, 62]) {
    for (const signed of [false, true]) {
      const count = Math.floor(253 / bits) + (bits % 3); // a full word, and up to two values more
      all.push(commitment(`${bits} bits${signed ? " signed" : ""}`, "input", roll(R), [part(roll, bits, signed, count)]));
    }
  }
  const layers = [part(roll, 16, true, 40), part(roll, 32, true, 5), part(roll, 12, false, 22)];
  all.push(commitment("a small model", "model", roll(R), layers));
  all.push(commitment("the same, in another order", "model", roll(R), [...layers].reverse()));
  return all;
}

/** What no implementation may commit to: the part and the element that do not fit. */
function refused() {
  const bad = (bits, signed, values, index) => ({ part: 1, index, parts: [
    { bits: 8, signed: false, values: ["1"] },
    { bits, signed, values: values.map(String) },
  ] });
  return [
    bad(8, true, [127, 128], 1),
    bad(8, true, [-129], 0),
    bad(8, false, [0, -1, 3], 1),
    bad(8, false, [255, 256], 1),
    bad(62, true, [2n ** 61n], 0),
    bad(1, false, [0, 1, 2], 2),
  ];
}

const source = "poseidon-lite 0.3.0; made by tests/js/vectors.mjs";
process.stdout.write(JSON.stringify({ source, poseidon3: hashes(), commitments: commitments(), refused: refused() }, null, 1) + "\n");

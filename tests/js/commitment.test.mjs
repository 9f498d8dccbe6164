// The browser module against the vectors: `node --test tests/js/`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { poseidon3 } from "poseidon-lite/poseidon3";
import * as zkml from "../../contracts/js/commitment.mjs";

const file = new URL("../fixtures/commitment.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8"));

test("the vectors are what poseidon-lite gives today", () => {
  const maker = fileURLToPath(new URL("vectors.mjs", import.meta.url));
  assert.equal(execFileSync(process.execPath, [maker], { encoding: "utf8" }), readFileSync(file, "utf8"));
});

test("the hash is circomlib's", () => {
  for (const { inputs, hash } of vectors.poseidon3) assert.equal(zkml.toHex(poseidon3(inputs.map(BigInt))), hash);
});

for (const vector of vectors.commitments) {
  test(`commitment: ${vector.name}`, () => {
    assert.equal(zkml.toHex(zkml.domain(vector.role, vector.parts.length)), vector.domain);
    assert.deepEqual(zkml.words(vector.salt, vector.parts).map(zkml.toHex), vector.words);
    assert.equal(zkml.toHex(zkml.commit(vector)), vector.commitment);
  });
}

test("values that do not fit are refused", () => {
  for (const { parts, index } of vectors.refused) {
    assert.throws(() => zkml.commit({ role: "input", salt: 1n, parts }), new RegExp(`element ${index}\\)`));
  }
});

test("what is no commitment is refused", () => {
  const parts = [{ bits: 8, signed: true, values: [1] }];
  assert.throws(() => zkml.commit({ role: "input", salt: zkml.R, parts }), /salt/);
  assert.throws(() => zkml.commit({ role: "constructor", salt: 1n, parts }), /role/);
  assert.throws(() => zkml.pack({ bits: 63, signed: true, values: [1] }), /bits/);
  assert.throws(() => zkml.pack({ bits: 60, signed: true, values: [2 ** 53] }), /exact/);
});

test("salts are new and below the order", () => {
  const salts = new Set(Array.from({ length: 64 }, zkml.randomSalt));
  assert.equal(salts.size, 64);
  for (const salt of salts) assert.ok(salt >= 0n && salt < zkml.R);
  assert.ok([...salts].some((salt) => salt >> 250n !== 0n), "all bits are drawn");
});

test("real numbers become the integers of the compiled model", () => {
  assert.deepEqual(zkml.quantize([0.5, -0.5, 1.25, -1.25, 0.3], 1), [1, -1, 3, -3, 1]);
  assert.throws(() => zkml.quantize([1e300], 12), /exact/);
});

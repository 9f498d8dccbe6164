// The package as an application has it, in a headless Chromium, without a bundler: `make web-test`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { commit, toHex } from "../../../contracts/js/commitment.mjs";
import { inputToJson } from "../dist/input.js";
import { THREADED, openPackage } from "./package.mjs";

const here = fileURLToPath(new URL("../", import.meta.url));
const sample = [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1.185, 0.9875, 0, 0, 2, 3, 0, 0, 1, 0, 0, 1, 2];

test("modules keep to their limits", () => {
  for (const [name, limit] of [["verify", 400_000], ["prove", 2_000_000], ...(THREADED ? [["threads", 2_000_000]] : [])]) {
    const { length } = gzipSync(readFileSync(join(here, "dist", name, "zkml_bg.wasm")), { level: 9 });
    assert.ok(length < limit, `${name}: ${length} bytes gzipped`);
  }
});

test("inputs are written so that the module can refuse what is no number", () => {
  assert.equal(inputToJson({ a: new Float32Array([1, 2.5]), b: [[1], [2n]], c: 3 }), '{"inputs":{"a":[1,2.5],"b":[[1],[2]],"c":3}}');
  assert.equal(inputToJson({ a: [NaN, -Infinity] }), '{"inputs":{"a":["NaN","-Infinity"]}}');
  const circle = [];
  circle.push(circle);
  for (const bad of [null, 7, [1], new Float32Array(1), { a: undefined }, { a: [() => 1] }, { a: [2n ** 60n] }, { a: circle }]) {
    assert.throws(() => inputToJson(bad), ({ name, code }) => name === "ZkmlError" && code === "input");
  }
});

let opened, page;
before(async () => {
  opened = await openPackage();
  page = opened.page;
});
after(() => opened?.close());
const within = (act, argument) => page.evaluate(act, argument);

test("a proof, its statement and its salts; kept salts give the same commitment", async () => {
  const [first, second, stages] = await within(async (applicant) => {
    const stages = [];
    const first = await prover.prove({ applicant }, { onProgress: ({ stage, done, total }) => stages.push(`${stage} ${done}/${total}`) });
    const salts = { applicant: first.salts[0].salt };
    const context = `0x${"00".repeat(31)}07`;
    return [first, await prover.prove({ applicant: new Float64Array(applicant) }, { salts, context }), stages];
  }, sample);
  assert.deepEqual(stages, ["run", "prove", "commit", "lookups", "sumchecks", "open", "verify"].map((stage, i) => `${stage} ${i}/7`));
  const [input, output] = first.statement.fields;
  assert.equal(input.commitment, toHex(commit(first.salts[0])));
  assert.deepEqual([input.role, input.values, output.name], ["input", [], "probability_of_default"]);
  assert.equal(second.statement.fields[0].commitment, input.commitment);
  assert.equal(BigInt(second.statement.context), 7n);
  assert.equal(second.forContracts.context, second.statement.context);
  assert.ok(!JSON.stringify([first.statement, first.proof, first.forContracts]).includes(first.salts[0].salt.slice(2)));
});

test("the verifier's own module agrees, and refuses each part that was changed", async () => {
  const verdicts = await within(async (applicant) => {
    const { loadVerifier } = await import("/dist/verify.js");
    const verifier = await loadVerifier();
    const { proof, statement } = await prover.prove({ applicant });
    const program = files["program.json"];
    const verdict = (other, of = program) => {
      try {
        return { value: verifier.verify(of, other) };
      } catch ({ name, code, message }) {
        return { name, code, message };
      }
    };
    const bit = (hex, at) => hex.slice(0, at) + (hex[at] === "0" ? "1" : "0") + hex.slice(at + 1);
    const age = new Uint8Array(await (await fetch("/models/age/program.json")).arrayBuffer());
    return {
      same: JSON.stringify(verdict(proof).value) === JSON.stringify(statement),
      changed: [2, 200, 2000, proof.proof.length - 1].map((at) => verdict({ ...proof, proof: bit(proof.proof, at) }).code),
      output: verdict({ ...proof, outputs: [{ ...proof.outputs[0], integers: [1], values: [1 / 2 ** 18] }] }),
      cut: verdict({ ...proof, proof: proof.proof.slice(0, -64) }).code,
      document: verdict("{}").code,
      version: verdict({ ...proof, version: 9 }),
      program: verdict(proof, "nonsense").code,
      foreign: verdict(proof, age).code,
    };
  }, sample);
  assert.ok(verdicts.same);
  assert.deepEqual(verdicts.changed, ["refused", "refused", "refused", "refused"]);
  assert.deepEqual([verdicts.output.code, verdicts.cut, verdicts.document, verdicts.version.code], ["proof", "refused", "proof", "proof"]);
  assert.match(verdicts.version.message, /version is 9/);
  assert.deepEqual([verdicts.program, verdicts.foreign], ["program", "proof"]);
});

test("bad inputs and options are refused by name, and the prover goes on", async () => {
  const cases = await within(async (applicant) => {
    const put = (at, value) => applicant.map((x, i) => (i === at ? value : x));
    const tried = [
      [{}, {}, "applicant"],
      [{ applicant: [1, 2] }, {}, "24"],
      [{ applicant: new Float32Array(1_000_000) }, {}, "24"],
      [{ applicant, more: [1] }, {}, "more"],
      [{ applicant: put(3, NaN) }, {}, "NaN"],
      [{ applicant: put(3, "1") }, {}, "applicant"],
      [{ applicant: put(3, null) }, {}, "applicant"],
      [{ applicant: put(3, -1) }, {}, "-1"],
      [{ applicant: put(3, 1e30) }, {}, "applicant"],
      [{ applicant: put(3, [1]) }, {}, "applicant"],
      [{ applicant: JSON.parse("[".repeat(200) + "]".repeat(200)) }, {}, ""],
      [{ applicant }, { context: "0x12" }, "options"],
      [{ applicant }, { context: `0x${"ff".repeat(32)}` }, "order"],
      [{ applicant }, { salts: { applicant: `0x${"ff".repeat(32)}` } }, "order"],
      [{ applicant }, { salts: { nobody: 1n } }, "nobody"],
      [{ applicant }, { salts: { applicant: -1n } }, "options"],
    ];
    const answers = [];
    for (const [input, options, named] of tried) answers.push([await caught(prover.prove(input, options)), named]);
    answers.push([await caught(prover.prove({ applicant })), ""]);
    return answers.map(([{ value, ...error }, named]) => ({ ...error, named, proven: value !== undefined }));
  }, sample);
  const last = cases.pop();
  assert.ok(last.proven, last.message);
  cases.forEach(({ name, code, message, named, proven }, i) => {
    assert.ok(!proven, `case ${i} was proven`);
    assert.equal(name, "ZkmlError", message);
    assert.equal(code, i < 11 ? "input" : "option", `${i}: ${message}`);
    assert.ok(message.includes(named), `${i}: ${message}`);
  });
});

test("cancelled, busy, closed: each by its code, and nothing is left half-done", async () => {
  const codes = await within(async (applicant) => {
    const stopped = new AbortController();
    const first = caught(prover.prove({ applicant }, { signal: stopped.signal, onProgress: ({ stage }) => stage === "lookups" && stopped.abort() }));
    const busy = await caught(prover.prove({ applicant }));
    const cancelled = await first;
    const early = await caught(prover.prove({ applicant }, { signal: AbortSignal.abort() }));
    const again = await caught(prover.prove({ applicant }));
    const other = await zkml.load(files);
    const working = caught(other.prove({ applicant }));
    other.close();
    const closed = [await working, await caught(other.prove({ applicant }))];
    const load = new AbortController();
    const loading = caught(zkml.load(files, { signal: load.signal, onProgress: () => load.abort() }));
    return [busy, cancelled, early, ...closed, await loading].map(({ code }) => code).concat(again.value ? "proven" : again.message);
  }, sample);
  assert.deepEqual(codes, ["busy", "cancelled", "cancelled", "closed", "closed", "cancelled", "proven"]);
});

test("files that are missing, a worker and a module that are not there: each by its code", async () => {
  const answers = await within(async () => {
    const { "plan.json": _, ...some } = files;
    return [
      await caught(zkml.load(some)),
      await caught(zkml.load({ ...files, "graph.bin": "text" })),
      await caught(zkml.load(files, { worker: () => new Worker("/nowhere.js", { type: "module" }) })),
      await caught(zkml.load(files, { wasm: "/nowhere.wasm" })),
      await caught(zkml.load({ ...files, "weights.bin": new Uint8Array(9) })),
    ];
  });
  assert.deepEqual(answers.map(({ code }) => code), ["artifact", "artifact", "worker", "worker", "artifact"]);
  assert.match(answers[0].message, /plan\.json is not there/);
});

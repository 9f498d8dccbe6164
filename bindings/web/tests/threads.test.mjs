// Threads: where the page is cross-origin isolated, and what happens when they cannot be had or end. `make web-test`.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { after, before, test } from "node:test";
import { THREADED, openPackage } from "./package.mjs";
import { ISOLATED } from "./server.mjs";

const sample = [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1.185, 0.9875, 0, 0, 2, 3, 0, 0, 1, 0, 0, 1, 2];
const cores = availableParallelism();
const skip = !THREADED ? "the module with threads was not built" : cores < 2 ? "this machine has one core" : false;

let opened, page;
before(async () => {
  opened = await openPackage({ headers: ISOLATED });
  page = opened.page;
});
after(() => opened?.close());
const within = (act, argument) => page.evaluate(act, argument);

test("an isolated page proves with many threads, and the other module agrees", { skip }, async (t) => {
  const { threads, asked, verdict, statement, took } = await within(async (applicant) => {
    const { loadVerifier } = await import("/dist/verify.js");
    const single = await zkml.load(files, { threads: 1 });
    const time = async (of) => {
      await of.prove({ applicant });
      const all = [];
      for (let i = 0; i < 3; i++) all.push((await of.prove({ applicant })).milliseconds);
      return Math.round(all.sort((a, b) => a - b)[1]);
    };
    const took = [single.about.threads, await time(single), await time(prover)];
    single.close();
    const { proof, statement } = await prover.prove({ applicant });
    const verdict = (await loadVerifier()).verify(files["program.json"], proof);
    return { threads: prover.about.threads, asked: navigator.hardwareConcurrency, verdict, statement, took };
  }, sample);
  assert.equal(threads, Math.min(asked, 8));
  assert.ok(threads > 1);
  assert.deepEqual(verdict, statement);
  assert.equal(took[0], 1, "as many as were wanted");
  t.diagnostic(`threads: ${threads}; a proof of credit takes ${took[1]} ms with one, ${took[2]} ms with all`);
});

test("a page that is not isolated has one thread", async () => {
  const other = await openPackage();
  try {
    assert.deepEqual(await other.page.evaluate(() => [crossOriginIsolated, prover.about.threads]), [false, 1]);
    assert.ok(other.page.workers().length === 1);
  } finally {
    await other.close();
  }
});

test("cancelling ends the whole pool, and the next proof has a new one", { skip }, async () => {
  const workers = () => page.workers().length;
  const all = workers();
  assert.ok(all >= cores || all === 8);
  const code = await within(async (applicant) => {
    const stop = new AbortController();
    return (await caught(prover.prove({ applicant }, { signal: stop.signal, onProgress: ({ stage }) => stage === "lookups" && stop.abort() }))).code;
  }, sample);
  assert.equal(code, "cancelled");
  for (let i = 0; workers() > 0 && i < 50; i++) await new Promise((soon) => setTimeout(soon, 100));
  assert.equal(workers(), 0, "no thread is left");
  const { value, message } = await within((applicant) => caught(prover.prove({ applicant })), sample);
  assert.ok(value, message);
  assert.equal(workers(), all);
});

test("without the module, with helpers that do not come, and after one that died: proven, or refused by a code", { skip }, async () => {
  const answers = await within(async (applicant) => {
    const own = () => new Worker("/dist/worker.js", { type: "module" });
    const nowhere = () => new Worker("/nowhere.js", { type: "module" });
    const tried = async (places) => {
      const prover = await zkml.load(files, places);
      const proven = await caught(prover.prove({ applicant }));
      prover.close();
      return [prover.about.threads, proven.value !== undefined];
    };
    const made = [];
    const kept = () => (made.push(own()), made.at(-1));
    const mortal = await zkml.load(files, { worker: kept });
    const dying = caught(mortal.prove({ applicant }, { onProgress: ({ stage }) => stage === "commit" && made[1].dispatchEvent(new ErrorEvent("error", { message: "gone" })) }));
    const died = await dying;
    const again = await caught(mortal.prove({ applicant }));
    mortal.close();
    let first = true;
    return {
      script: await tried({ threaded: { script: "/nowhere.js", wasm: "/dist/threads/zkml_bg.wasm" } }),
      wasm: await tried({ threaded: { script: "/dist/threads/zkml.js", wasm: "/nowhere.wasm" } }),
      alone: await tried({ worker: () => (first ? ((first = false), own()) : nowhere()) }),
      died: [died.code, died.message],
      again: again.value !== undefined,
      options: await Promise.all([0, -1, 1.5, NaN, "2"].map(async (threads) => (await caught(zkml.load(files, { threads }))).code)),
    };
  }, sample);
  assert.deepEqual([answers.script, answers.wasm, answers.alone], [[1, true], [1, true], [1, true]]);
  assert.equal(answers.died[0], "worker");
  assert.match(answers.died[1], /gone/);
  assert.ok(answers.again, "a new pool");
  assert.deepEqual(answers.options, ["option", "option", "option", "option", "option"]);
});

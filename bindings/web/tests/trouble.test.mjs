// The playground in trouble: no memory, a tab that is closed in the middle, a slow network, pasted nonsense, private weights, no server.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { choose, forget, openSite, place, prove, root, settled } from "./playground.mjs";

let site;
before(async () => (site = await openSite()));
after(() => site?.close());

test("without memory a model is refused by that word, and a smaller one is proven", async (t) => {
  // 36 pages of 64 kB: as much as age takes, and less than credit does.
  const poor = await openSite({ flags: ["--js-flags=--wasm-max-mem-pages=36"] });
  t.after(() => poor.close());
  const { page, complaints } = await poor.open(t);
  const credit = await choose(page, "credit");
  assert.ok(!credit.good);
  assert.match(credit.text, /gave no more memory; the module had 2 MB/);
  assert.ok((await choose(page, "age")).good);
  const age = await prove(page);
  assert.ok(age.good, age.text);
  assert.deepEqual(complaints, []);
});

test("a tab that is closed or loaded again in the middle of a proof leaves nothing, and the next one proves", async (t) => {
  const { page, context } = await site.open(t);
  await choose(page, "credit");
  await page.click("#prove");
  await page.reload();
  assert.ok(await page.isHidden("#result"));
  await choose(page, "credit");
  await page.click("#prove");
  await page.close();
  const again = await context.newPage();
  await again.goto(site.server.url);
  const kept = await again.evaluate(async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length, document.cookie]);
  assert.deepEqual(kept, [0, 0, 0, 0, ""]);
  assert.ok((await choose(again, "credit")).good);
  assert.ok((await prove(again)).good);
});

test("a network that is slow or ends in the middle is no proof of anything", async (t) => {
  const { page, context, complaints } = await site.open(t);
  let open;
  const gate = new Promise((done) => (open = done));
  await context.route("**/credit/proving.key", async (route) => {
    await gate;
    await route.continue();
  });
  await page.check("input[value=credit]");
  // Another model meanwhile is the one that counts.
  assert.ok((await choose(page, "age")).good);
  open();
  await page.waitForTimeout(300);
  assert.match(await page.textContent("#about"), /age/);
  assert.equal(await page.locator("#fields input").count(), 8);
  await context.unroute("**/credit/proving.key");
  await context.route("**/credit/graph.bin", (route) => route.abort("connectionreset"));
  const cut = await choose(page, "credit");
  assert.match(cut.text, /graph\.bin cannot be fetched/);
  await context.unroute("**/credit/graph.bin");
  await page.click("input[value=credit]");
  await page.waitForSelector("#model-status.good");
  assert.ok((await prove(page)).good, "chosen again, it is tried again");
  assert.deepEqual(complaints, []);
});

test("nonsense in a field is refused by its words, and the page goes on", async (t) => {
  const { page, complaints } = await site.open(t);
  await choose(page, "age");
  const field = "#in-features-2";
  const cases = ["0x10", "0b1", "1e400", "-1e400", "NaN", "Infinity", "1_000", "1,000", "12,345,678", "🙂", "１", "1 2", "--1", "<b>1</b>", "1".repeat(10_000_000), "null", "[1]", "1e"];
  for (const value of cases) {
    await page.$eval(field, (input, value) => (input.value = value), value);
    const { good, text } = await prove(page);
    assert.ok(!good, `${value.slice(0, 20)} was taken`);
    assert.match(text, /is no number|two ways/, value.slice(0, 20));
    assert.ok(text.length < 300, "and is not repeated whole");
    await forget(page, "prove-status");
  }
  for (const value of ["0,5", "−0.5", " 0.5 ", "+.5", "5e-1", "1."]) {
    await page.fill(field, value);
    const { good, text } = await prove(page);
    assert.ok(good, `${value}: ${text}`);
    await forget(page, "prove-status");
  }
  assert.deepEqual(complaints, []);
});

test("private weights are proven about in the page, hidden, and the folder without them is refused", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "zkml-web-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const model = join(root, "models/examples/age");
  const cli = (...words) => {
    const { status, stderr } = spawnSync(join(root, "target/release/zkml-chain"), [...words, "--dir", join(folder, "age"), "--quiet"], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  cli("calibrate", join(model, "age.onnx"), "--data", join(model, "calibration.json"), "--weights", "committed");
  cli("compile", "--backend", "sumcheck");
  cli("setup");
  const { page, complaints } = await site.open(t);
  await page.check("input[value=folder]");
  await page.setInputFiles("#folder", join(folder, "age"));
  const taken = await settled(page, "model-status");
  assert.ok(taken.good, taken.text);
  for (let i = 0; i < 8; i++) await page.fill(`#in-features-${i}`, "0.1");
  const proven = await prove(page);
  assert.ok(proven.good, proven.text);
  assert.match(await page.textContent("#hidden"), /the weights weights/);
  assert.match(await page.textContent("#shown"), /a commitment to the weights/);
  rmSync(join(folder, "age/weights.bin"));
  await forget(page, "model-status");
  await page.setInputFiles("#folder", join(folder, "age"));
  const refused = await settled(page, "model-status");
  assert.match(refused.text, /private weights.*not given/);
  assert.deepEqual(complaints, []);
});

test("opened as a file, the page says that it has to be served, and how", async (t) => {
  const { page } = await site.open(t);
  assert.ok(await page.isHidden("#unstarted"));
  const context = await site.browser.newContext();
  t.after(() => context.close());
  const file = await context.newPage();
  await file.goto(pathToFileURL(join(place, "index.html")).href);
  assert.ok(await file.isVisible("#unstarted"));
  assert.match(await file.textContent("#unstarted"), /python3 -m http\.server/);
});

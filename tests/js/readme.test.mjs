// The project that contracts/README.md describes compiles and passes: `node --test tests/js/readme.test.mjs`.
//
// Its files are taken from the page; node_modules of this repository stands for what npm would install.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const home = mkdtempSync(join(tmpdir(), "zkml-readme-"));
after(() => rmSync(home, { recursive: true, force: true }));

/** The blocks of a page that begin with the name of a file. */
function files(page) {
  const blocks = page.matchAll(/^```\w+\n(?:\/\/|#) (\S+\.(?:sol|toml))\n([^]*?)^```$/gm);
  return [...blocks].map(([, path, content]) => [path, content]);
}

/** What `npm install` makes of the package: its files, beside its dependencies. */
function install() {
  const modules = join(home, "node_modules");
  const place = join(modules, "@zkml-chain/contracts");
  mkdirSync(place, { recursive: true });
  for (const name of ["src", "js", "solc.mjs", "package.json"]) {
    cpSync(join(root, "contracts", name), join(place, name), { recursive: true });
  }
  const used = Object.keys(readJson("contracts/package.json").dependencies);
  const { packages } = readJson("package-lock.json");
  const others = readdirSync(join(root, "node_modules")).filter((n) => !/^[.@]/.test(n) && !packages[`node_modules/${n}`]?.dev);
  for (const name of [...used, ...others]) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    if (!readdirSync(dirname(link)).includes(name.split("/").at(-1))) {
      cpSync(join(root, "node_modules", name), link, { recursive: true });
    }
  }
}

function forgeTest() {
  const forge = process.env.FORGE ?? "node_modules/.bin/forge";
  return spawnSync(forge.includes("/") ? join(root, forge) : forge, ["test"], { cwd: home, encoding: "utf8" });
}

test("the project of the page passes its tests", () => {
  const found = files(readFileSync(join(root, "contracts/README.md"), "utf8"));
  assert.deepEqual(found.map(([path]) => path), ["foundry.toml", "src/LoanDesk.sol", "test/LoanDesk.t.sol", "src/BatchDesk.sol", "test/BatchDesk.t.sol"]);
  install();
  mkdirSync(join(home, "test/fixtures"), { recursive: true });
  mkdirSync(join(home, "src"));
  for (const [path, content] of found) writeFileSync(join(home, path), content);
  const copy = (from, to) => cpSync(join(root, "contracts/test", from), join(home, "test", to));
  copy("generated/CreditVerifier.sol", "CreditVerifier.sol");
  for (const name of ["loan_desk_alice_0", "mock_alice_0", "mock_alice_1"]) copy(`fixtures/proofs/${name}.json`, `fixtures/${name}.json`);
  const run = forgeTest();
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /2 tests passed, 0 failed/);
});

test("so does one that compiles everything else by way of via-IR", () => {
  const [, lines] = readFileSync(join(root, "contracts/README.md"), "utf8").match(/^```toml\n# via-ir: .*\n([^]*?)^```$/m);
  const config = readFileSync(join(home, "foundry.toml"), "utf8");
  // Without the restriction, the verifier reverts with MemoryInUse().
  writeFileSync(join(home, "foundry.toml"), config.replace("[profile.default]\n", `[profile.default]\n${lines}`));
  const run = forgeTest();
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /2 tests passed, 0 failed/);
});

test("the tests that the page names exist, and none twice in its table", () => {
  const page = readFileSync(join(root, "contracts/README.md"), "utf8");
  const [, section] = page.match(/^## Threats, and the tests that hold them\n([^]*?)^## /m);
  const rows = [...section.matchAll(/^\| .* \| .* \| (`.*`) \|$/gm)];
  const names = rows.flatMap(([, tests]) => [...tests.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.ok(rows.length > 15 && names.length > rows.length, `${rows.length} rows`);
  const read = (folder, end) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((file) => file.endsWith(end))
      .map((file) => readFileSync(join(root, folder, file), "utf8"));
  const text = [...read("contracts/test", ".t.sol"), ...read("crates", ".rs")].join("\n");
  const missing = names.filter((name) => !new RegExp(`^\\s*(function|(async )?fn) ${name}\\(`, "m").test(text));
  assert.deepEqual(missing, []);
  assert.equal(new Set(names).size, names.length);
});

test("the package is the workspace's version, with what the repository pins", () => {
  const [ours, whole] = [readJson("contracts/package.json"), readJson("package.json")];
  const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
  assert.equal(ours.version, cargo.match(/^version = "(.*)"$/m)[1]);
  const versions = { ...whole.dependencies, ...whole.devDependencies };
  const pinned = { ...ours.dependencies, ...ours.peerDependencies };
  for (const [name, version] of Object.entries(pinned)) assert.equal(version, versions[name], name);
});

// Mutants of the source: cargo-mutants replaces bodies, operators and match arms of what soundness rests on, one at a time, and
// the crate's own tests have to notice.
//
//   SHARD=1/10 BUDGET=30m node tests/js/source-mutants.mjs [--summary FILE [--again]] [--only zkml-verifier:sumcheck]
//
// SHARD       the part of all mutants that is tried, `all` for everything; 1/10 when absent
// BUDGET      when it has passed, no further package is begun
// --summary   adds to the table in FILE: tried mutants that it has are replaced, explanations of survivors are kept
// --again     tries those alone that the table has as survivors without an explanation
//
// Needs cargo-mutants (`cargo install cargo-mutants --locked`). Ends with status 1 if a survivor has no explanation.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ABOUT =
  "Mutants of the source that cargo-mutants made, each tried against the tests of its own crate alone, so that a run " +
  "answers in seconds. A survivor of those may well be noticed by the forger, by contracts or by fixtures; its row says why it " +
  "may stay. Mutants that do not compile are not listed. `covered` has the parts of all mutants that were tried, by package.";
const REFRESH = "SHARD=1/10 node tests/js/source-mutants.mjs --summary tests/attacks/source-mutants.json";

const files = (name, ...parts) => parts.map((part) => `crates/${name}/src/${part}`);

/** What soundness rests on, and the tests that answer in seconds: of the same package, or `of` another. A colon tells parts of a package apart. */
const PACKAGES = {
  "zkml-protocol": {
    files: files("zkml-protocol", "{binding,commitment,envelope,proof_system,srs,statement,transcript,word}*", "plonk/{layout,opening,replay}*"),
    tests: ["--lib", "--test", "binding", "--test", "absorbs", "--test", "layout"],
  },
  "zkml-verifier": { files: files("zkml-verifier", "*.rs", "plonk/*.rs"), tests: ["--lib", "--test", "fixtures"] },
  "zkml-graph": { files: files("zkml-graph", "ops/*.rs", "ledger/*.rs", "{contraction,intervals,ledger,relation,standing,wiring}.rs"), tests: ["--lib"] },
  "zkml-halo2": {
    files: files("zkml-halo2", "{block,certificate,phase,standing,statement}.rs"),
    tests: ["--lib", "--test", "circuits", "--", "certificate", "bounds", "statement"],
  },
  "zkml-verifier:sumcheck": { files: files("zkml-verifier", "sumcheck/{decode,evaluate,mod,opening}.rs"), tests: ["--test", "sumcheck"] },
  "zkml-protocol:sumcheck": {
    files: files("zkml-protocol", "sumcheck/{claims,layout,shape}.rs", "sumcheck/equations/{first,functional,mod,opening,second,whole}.rs"),
    of: "zkml-verifier",
    tests: ["--lib", "--test", "sumcheck"],
  },
  "zkml-sumcheck": {
    files: files("zkml-sumcheck", "layout/certificate.rs", "layout/certificate/{evaluate,hash,rows}.rs"),
    tests: ["--lib", "--", "certificate"],
  },
};
/** Mutants of these say nothing about what is accepted. */
const LEFT_OUT = ["impl .*Debug", "impl .*Display", "impl .*Error", "fn fmt", "-> String", "-> &'static str", "in cases$"];
/** cargo-mutants 27.1 tries fields that it deletes from struct expressions whatever is left out, so rows are chosen here too. */
const counts = (line) => !LEFT_OUT.some((re) => new RegExp(re).test(line));

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "..", "..");
const { values: options } = parseArgs({ options: { summary: { type: "string" }, only: { type: "string" }, again: { type: "boolean" } } });

function seconds(text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`BUDGET=${text}: say 90s, 10m or 2h`);
  return Number(number) * { "": 1, s: 1, m: 60, h: 3600 }[unit];
}

/** Mutants count from nought there, and from one for everybody else. */
function shard(text) {
  if (text === "all") return [];
  const [, part, parts] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!(Number(part) >= 1 && Number(part) <= Number(parts))) throw new Error(`SHARD=${text}: say 1/10, or all`);
  return ["--shard", `${part - 1}/${parts}`, "--sharding", "round-robin"];
}

function mutate(name, { files, tests, of }, wanted) {
  const [own] = name.split(":");
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "zkml-mutants-"));
  const args = ["mutants", "--package", own, "--output", out, "--profile", "mutants", "--timeout", "120", "--no-times"];
  // The tests of another package are no part of the baseline.
  args.push("--baseline", of ? "skip" : "run", "--colors", "never", ...(wanted.length > 0 ? [] : shard(process.env.SHARD || "1/10")));
  args.push(...files.flatMap((file) => ["--file", file]), ...LEFT_OUT.map((re) => `--exclude-re=${re}`));
  args.push(...wanted.map((re) => `--re=${re}`), ...(of ? ["--test-package", of] : []));
  const run = spawnSync(process.env.CARGO ?? "cargo", [...args, "--", ...tests], { cwd: root, stdio: ["ignore", 2, 2] });
  const list = (file) => {
    const text = path.join(out, "mutants.out", file);
    return fs.existsSync(text) ? fs.readFileSync(text, "utf8").split("\n").filter(Boolean).filter(counts) : [];
  };
  const rows = { caught: list("caught.txt"), missed: list("missed.txt"), endless: list("timeout.txt") };
  fs.rmSync(out, { recursive: true, force: true });
  // 0: all caught, 2: some missed, 3: some timed out; anything else is no run.
  if (![0, 2, 3].includes(run.status)) throw new Error(`cargo mutants on ${name}: ${run.error?.message ?? run.status}`);
  return rows;
}

const end = Date.now() + 1000 * seconds(process.env.BUDGET || "10h");
const table = options.summary && fs.existsSync(options.summary) ? JSON.parse(fs.readFileSync(options.summary, "utf8")) : {};
const known = new Map((table.mutants ?? []).map((row) => [row.id, row]));
const isOpen = (row) => row.noticed_by.length === 0 && !row.equivalent;
/** Returns true for mutants of these files. */
const isOf = (globs, { id }) => globs.some((glob) => matcher(glob).test(`crates/${id.split(": ")[0]}`));
const matcher = (glob) => new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", "[^/]*").replace(/\{([^}]*)\}/g, (_, any) => `(${any.replaceAll(",", "|")})`)}$`);
/** Matches a mutant by its id, whatever its line. */
const pattern = ({ id }) => `^crates/${id.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(": ", ":\\d+:\\d+: ")}$`;

const covered = { ...table.covered };
for (const [name, what] of Object.entries(PACKAGES)) {
  if (Date.now() > end || (options.only && options.only !== name)) continue;
  const survivors = options.again ? [...known.values()].filter((row) => isOpen(row) && isOf(what.files, row)) : [];
  if (options.again && survivors.length === 0) continue;
  const { caught, missed, endless } = mutate(name, what, survivors.map(pattern));
  // Line numbers move with every change above them.
  const id = (line) => line.replace(/^crates\//, "").replace(/:\d+:\d+:/, ":");
  for (const line of caught) known.set(id(line), { id: id(line), noticed_by: [`unit tests of ${name}`] });
  for (const line of endless) known.set(id(line), { id: id(line), noticed_by: [`unit tests of ${name}, which do not end`] });
  for (const line of missed) {
    const before = known.get(id(line))?.equivalent;
    known.set(id(line), { id: id(line), noticed_by: [], ...(before && { equivalent: before }) });
  }
  const part = process.env.SHARD || "1/10";
  if (!options.again) covered[name] = part === "all" ? ["all"] : [...new Set([...(covered[name] ?? []), part])].sort();
  console.log(`${name}: ${caught.length + endless.length} noticed, ${missed.length} survived`);
}
const mutants = [...known.values()].filter(({ id }) => counts(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
const open = mutants.filter(isOpen);
if (options.summary) {
  const text = JSON.stringify({ about: ABOUT, refresh: REFRESH, covered, mutants }, null, 2);
  fs.writeFileSync(options.summary, `${text}\n`);
}
for (const { id } of open) console.log(`survives: ${id}`);
process.exit(open.length > 0 ? 1 : 0);

// Fuzzes every reader of bytes that others wrote, for a budget of time that the targets share.
//
//   BUDGET=10m node tests/fuzz/run.mjs [--summary FILE] [--targets onnx,graph] [--seeds] [--minimise]
//
// BUDGET      seconds, or a number with s, m or h; what building takes is not counted. Two minutes when absent.
// --summary   writes what was done as JSON
// --targets   runs these only
// --seeds     begins by writing inputs made of the repository's fixtures to the corpora in git
// --minimise  ends by adding to the corpora in git what reaches new code, small inputs only
//
// Ends with status 1 when something was found, and says how to see it again. Needs a C++ compiler, for libFuzzer, and
// nothing else: any toolchain will do, since no sanitizer is used (the project's own code is safe Rust; `unsafe` of
// packages is not watched). With cargo-fuzz and a nightly toolchain, `cargo +nightly fuzz run --fuzz-dir tests/fuzz onnx`
// watches that too, with AddressSanitizer, after building every package anew.

import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Largest input that a corpus in git takes, the largest corpus of one target, in bytes, and the most inputs in it. */
const LARGEST_INPUT = 16_384;
const LARGEST_CORPUS = 160_000;
const MOST_INPUTS = 130;
/** Limits for one input: seconds, and megabytes. An allocation of 512 megabytes at once ends a target as well. */
const LIMITS = ["-timeout=300", "-report_slow_units=1000", "-rss_limit_mb=3000"];

const ABOUT =
  "What the fuzzers of tests/fuzz did: inputs that each target ran on one core, the seconds that took, inputs that " +
  "it keeps since they reach code of their own, and the inputs that made it stop.";
const REFRESH = "BUDGET=2h node tests/fuzz/run.mjs --summary tests/attacks/fuzz.json";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "..", "..");
const target = path.resolve(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"));
const built = path.join(target, "fuzz");
const cargo = process.env.CARGO ?? "cargo";
/** Our targets run one after the other, each on one core. */
const env = { ...process.env, RAYON_NUM_THREADS: "1" };

const { values: options } = parseArgs({
  options: {
    summary: { type: "string" },
    targets: { type: "string" },
    seeds: { type: "boolean" },
    minimise: { type: "boolean" },
  },
});

function fail(message) {
  console.error(message);
  process.exit(2);
}

function seconds(text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? fail(`BUDGET=${text}: say 90s, 10m or 2h`);
  return Number(number) * { "": 1, s: 1, m: 60, h: 3600 }[unit];
}

function must(command, args, options) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (status !== 0) fail(`${command} ${args.join(" ")}: ${error?.message ?? `status ${status}`}`);
}

/** What was built of packages for the project itself serves the fuzzers: it is copied once, without our own crates. */
function borrow() {
  const [theirs, ours] = [path.join(target, "release"), path.join(built, "release")];
  if (fs.existsSync(ours) || !fs.existsSync(theirs)) return;
  const foreign = (name) => !/zkml|corpora/i.test(path.basename(name));
  for (const part of ["build", "deps", ".fingerprint"]) {
    const options = { recursive: true, preserveTimestamps: true, filter: foreign };
    fs.cpSync(path.join(theirs, part), path.join(ours, part), options);
  }
}

function build(targets) {
  const compiler = process.env.CXX ?? "c++";
  if (spawnSync(compiler, ["--version"]).status !== 0) {
    fail(`libFuzzer is built with a C++ compiler, and \`${compiler}\` does not run: install g++ or clang, or set CXX`);
  }
  borrow();
  const manifest = ["--manifest-path", path.join(here, "Cargo.toml")];
  const env = { ...process.env, CARGO_TARGET_DIR: built, RUSTC_WRAPPER: path.join(here, "rustc.sh") };
  const bins = targets.flatMap((target) => ["--bin", target]);
  must(cargo, ["build", "--release", "--locked", ...manifest, ...bins], { env });
}

const binary = (target) => path.join(built, "release", target);
const corpus = (target) => path.join(here, "corpus", target);
const finds = (target) => path.join(built, "corpus", target);
const artifacts = (target) => path.join(built, "artifacts", target);
const inputs = (dir) => (fs.existsSync(dir) ? fs.readdirSync(dir).map((name) => path.join(dir, name)) : []);

/** Runs one target; resolves to what it did. */
function fuzz(target, time) {
  for (const dir of [corpus(target), finds(target), artifacts(target)]) fs.mkdirSync(dir, { recursive: true });
  const before = new Set(inputs(artifacts(target)));
  const args = [finds(target), corpus(target), `-max_total_time=${Math.max(1, Math.floor(time))}`, ...LIMITS];
  args.push(`-artifact_prefix=${artifacts(target)}/`, "-print_final_stats=1", "-verbosity=0");
  const started = Date.now();
  const child = spawn(binary(target), args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (bytes) => (said = (said + bytes).slice(-200_000)));
  return new Promise((resolve) => {
    child.on("error", (error) => fail(`${target}: ${error.message}`));
    child.on("close", (status, signal) => {
      const executions = Number(/stat::number_of_executed_units:\s*(\d+)/.exec(said)?.[1] ?? 0);
      // An input that takes long on a busy machine is no finding; one that never ends is.
      const found = (file) => !before.has(file) && !path.basename(file).startsWith("slow-unit");
      const crashes = inputs(artifacts(target)).filter(found);
      const good = status === 0 && crashes.length === 0;
      if (!good) console.error(said.slice(-6_000));
      const spent = Math.round((Date.now() - started) / 1000);
      resolve({ target, executions, seconds: spent, corpus: inputs(finds(target)).length, crashes, good, signal });
    });
  });
}

/** Adds to the corpus in git, smallest first, what reaches code that it does not reach yet. */
function minimise(target) {
  const merged = path.join(built, "merged", target);
  fs.rmSync(merged, { recursive: true, force: true });
  fs.cpSync(corpus(target), merged, { recursive: true });
  const kept = new Set(fs.readdirSync(merged));
  const args = ["-merge=1", merged, finds(target), `-max_len=${LARGEST_INPUT}`, ...LIMITS];
  must(binary(target), args, { env, stdio: "ignore" });
  const sized = inputs(merged).map((file) => ({ file, bytes: fs.statSync(file).size }));
  const [old, found] = [true, false].map((old) => sized.filter(({ file }) => kept.has(path.basename(file)) === old));
  let [left, places] = [LARGEST_CORPUS - old.reduce((sum, { bytes }) => sum + bytes, 0), MOST_INPUTS - old.length];
  for (const { file, bytes } of found.sort((a, b) => a.bytes - b.bytes || a.file.localeCompare(b.file))) {
    if ((left -= bytes) < 0 || (places -= 1) < 0) break;
    fs.copyFileSync(file, path.join(corpus(target), path.basename(file).slice(0, 16)));
  }
}

const budget = seconds(process.env.BUDGET || "2m");
const known = inputs(path.join(here, "fuzz_targets")).map((file) => path.basename(file, ".rs")).sort();
const targets = options.targets?.split(",") ?? known;
const strange = targets.find((target) => !known.includes(target));
if (strange !== undefined) fail(`no target is called ${strange}; there are ${known.join(", ")}`);

if (options.seeds) {
  const seeds = { ...process.env, ZKML_SEEDS: path.join(here, "corpus") };
  must(cargo, ["test", "--release", "-p", "zkml-chain", "--test", "corpora", "seeds_run"], { env: seeds });
}
build(targets);

const results = [];
for (const target of targets) {
  const result = await fuzz(target, budget / targets.length);
  results.push(result);
  const rate = Math.round(result.executions / Math.max(1, result.seconds));
  console.log(
    `${target.padEnd(12)} ${String(result.executions).padStart(10)} executions in ${result.seconds} s (${rate}/s), ` +
      `${result.corpus} inputs${result.good ? "" : ", STOPPED"}`,
  );
}
if (options.minimise) targets.forEach(minimise);

const total = results.reduce((sum, { executions }) => sum + executions, 0);
console.log(`${total} executions over ${targets.length} targets`);
if (options.summary) {
  const rows = results.map(({ target, executions, seconds, corpus, crashes }) => {
    return [target, { executions, seconds, corpus, crashes: crashes.map((file) => path.basename(file)) }];
  });
  const report = { about: ABOUT, refresh: REFRESH, targets: Object.fromEntries(rows) };
  fs.writeFileSync(options.summary, `${JSON.stringify(report, null, 2)}\n`);
}
const found = results.filter(({ good }) => !good);
for (const { target, crashes, signal } of found) {
  if (crashes.length === 0) console.error(`${target} ended (${signal ?? "status"}) and left no input: see above`);
  for (const file of crashes) {
    console.error(`${target}: ${path.relative(root, binary(target))} ${path.relative(root, file)}`);
  }
}
process.exit(found.length > 0 ? 1 : 0);

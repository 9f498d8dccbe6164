// Builds the package into bindings/web/dist, and the playground into target/web/playground: `make web`.
//
//   node bindings/web/build.mjs               all of it
//   node bindings/web/build.mjs package       the package alone
//   node bindings/web/build.mjs page          TypeScript and page again, with the modules and artifacts that are there
//
// WEB_THREADS=no makes no module with threads.
//
// The models of the playground are compiled by the command line, with a development setup. It says so wherever it shows.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const out = join(root, "target/web");
const dist = join(here, "dist");
const playground = join(out, "playground");
const CARGO = process.env.CARGO ?? "cargo";
const TARGET = "wasm32-unknown-unknown";
/** What threads need of a module: a memory that its owner gives and others share, and places for what belongs to each thread. */
const SHARED = [
  "-C target-feature=+atomics,+bulk-memory,+mutable-globals",
  ...["--shared-memory", "--import-memory", `--max-memory=${2 ** 32}`].map((word) => `-C link-arg=${word}`),
  ...["__wasm_init_tls", "__tls_size", "__tls_align", "__tls_base", "__heap_base"].map((name) => `-C link-arg=--export=${name}`),
];
/**
 * The modules by their feature, with the most bytes that they may have gzipped. Threads need a standard library that is built for them:
 * stable Rust builds it from its sources where it is told that it may use what is not stable yet.
 */
const MODULES = {
  verify: { limit: 400_000 },
  prove: { limit: 2_000_000 },
  threads: { limit: 2_000_000, flags: SHARED, cargo: ["-Zbuild-std=std,panic_abort"], env: { RUSTC_BOOTSTRAP: "1" } },
};

function run(program, args, env = {}) {
  // Clippy, where a caller has it compile, makes no modules.
  const { RUSTC_WORKSPACE_WRAPPER: _, ...rest } = process.env;
  const { status, error } = spawnSync(program, args, { cwd: root, env: { ...rest, ...env }, stdio: ["ignore", 2, 2] });
  if (error) throw new Error(`${program} cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
}

/** The sources of the standard library, which a module with threads is built with; fetched where they are not. */
function sources() {
  const { stdout } = spawnSync("rustc", ["--print", "sysroot"], { cwd: root, encoding: "utf8" });
  const there = () => existsSync(join(stdout.trim(), "lib/rustlib/src/rust/library/std/Cargo.toml"));
  if (!there()) spawnSync("rustup", ["component", "add", "rust-src"], { cwd: root, stdio: ["ignore", 2, 2], timeout: 60_000 });
  return there();
}

/** The reason to make no module with threads, if there is one. */
function noThreads() {
  if (process.env.WEB_THREADS === "no") return "WEB_THREADS is `no`";
  return sources() ? undefined : "`rustup component add rust-src` does not get the sources of the standard library";
}

/** The modules, for processors with SIMD, as all browsers since 2023 have it. */
function modules() {
  for (const [feature, { limit, flags = [], cargo = [], env = {} }] of Object.entries(MODULES)) {
    rmSync(join(dist, feature), { recursive: true, force: true });
    const without = feature === "threads" ? noThreads() : undefined;
    if (without !== undefined) {
      console.log(`threads: left out, since ${without}; pages prove with one thread`);
      continue;
    }
    const words = ["build", "--profile", "web", "--locked", "-p", "zkml-web", "--no-default-features", "--features", feature, "--target", TARGET];
    run(CARGO, [...words, ...cargo], { RUSTFLAGS: ["-C target-feature=+simd128", ...flags].join(" "), ...env });
    const made = join(root, "target", TARGET, "web/zkml_web.wasm");
    run(join(root, "target/release/zkml-web-bindgen"), [made, join(dist, feature)]);
    const size = gzipSync(readFileSync(join(dist, feature, "zkml_bg.wasm")), { level: 9 }).length;
    console.log(`${feature}: ${statSync(join(dist, feature, "zkml_bg.wasm")).size} bytes, ${size} gzipped`);
    if (size > limit) throw new Error(`the module ${feature} has ${size} bytes gzipped, ${limit} are its limit`);
  }
}

function typescript() {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  run(process.execPath, [tsc, "-p", join(root, "contracts"), "--outDir", join(out, "contracts")]);
  run(process.execPath, [tsc, "-p", here]);
  run(process.execPath, [tsc, "-p", join(here, "playground")]);
}

/** The artifact folders of the playground's models, from the command line. */
function artifacts(models) {
  const cli = join(root, "target/release/zkml-chain");
  for (const [name, { source }] of Object.entries(models)) {
    const dir = join(out, "artifacts", name);
    const model = join(root, "models", source);
    rmSync(dir, { recursive: true, force: true });
    const given = ["--data", join(model, "calibration.json"), "--input", join(model, "sample.json"), "--dir", dir];
    run(cli, ["demo", join(model, `${name}.onnx`), ...given, "--backend", "sumcheck", "--quiet"]);
  }
}

const FILES = ["graph.bin", "plan.json", "interface.json", "program.json", "proving.key"];

/** The contracts that a local chain takes, as the page deploys them. */
function contracts(dir, name) {
  const roles = { model: `${name}Verifier`, registry: "ZKMLRegistry", router: "ZKMLRouter", verifier: "ZKMLVerifier", consumer: `${name}AnyInputConsumer` };
  const read = (contract) => {
    const { abi, bytecode } = JSON.parse(readFileSync(join(dir, "solidity", `${contract}.json`), "utf8"));
    return { abi, bytecode };
  };
  return Object.fromEntries(Object.entries(roles).map(([role, contract]) => [role, read(contract)]));
}

async function page(models) {
  rmSync(playground, { recursive: true, force: true });
  mkdirSync(playground, { recursive: true });
  const source = join(here, "playground");
  for (const file of ["index.html", "style.css", "models.json"]) cpSync(join(source, file), join(playground, file));
  const shared = {
    bundle: true, format: "esm", minify: true, target: "es2022", legalComments: "eof", logLevel: "warning",
    alias: { "@zkml-chain/web": join(dist, "index.js"), "@zkml-chain/web/wallet": join(dist, "wallet.js"), "@zkml-chain/web/verify": join(dist, "verify.js"), "@zkml-chain/contracts": join(out, "contracts/ts/index.js") },
  };
  const there = Object.keys(MODULES).filter((feature) => existsSync(join(dist, feature)));
  const define = { THREADED: String(there.includes("threads")) };
  await build({ ...shared, define, entryPoints: { app: join(source, "app.ts"), worker: join(dist, "worker.js") }, outdir: playground });
  for (const feature of there) cpSync(join(dist, feature, "zkml_bg.wasm"), join(playground, `${feature}.wasm`));
  if (there.includes("threads")) cpSync(join(dist, "threads/zkml.js"), join(playground, "threads.js"));
  for (const [name, { source: model, contract }] of Object.entries(models)) {
    const [from, to] = [join(out, "artifacts", name), join(playground, "models", name)];
    mkdirSync(to, { recursive: true });
    for (const file of FILES) cpSync(join(from, file), join(to, file));
    writeFileSync(join(to, "contracts.json"), JSON.stringify(contracts(from, contract)));
    const features = join(root, "models", model, "features.json");
    if (existsSync(features)) cpSync(features, join(to, "features.json"));
  }
}

const only = process.argv[2];
const models = JSON.parse(readFileSync(join(here, "playground/models.json"), "utf8"));
if (only !== "page") modules();
typescript();
if (only !== "package") {
  if (only !== "page") artifacts(models);
  await page(models);
  console.log(`the playground is in ${playground}: serve that folder by any static server`);
}

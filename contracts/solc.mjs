#!/usr/bin/env node
// The `solc` npm package with the part of the native compiler's command line that forge uses:
// `--version`, and `--standard-json` from stdin to stdout. forge insists on a native platform in the version.

import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

if (process.argv.includes("--version")) {
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (process.argv.includes("--standard-json")) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  process.stdout.write(solc.compile(Buffer.concat(chunks).toString("utf8")));
} else {
  process.stderr.write("contracts/solc.mjs knows --version and --standard-json only\n");
  process.exitCode = 1;
}

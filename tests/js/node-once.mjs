#!/usr/bin/env node
// Node for tests that run `zkml-chain` hundreds of times: what the Solidity compiler answered to the same job is kept
// in target/solc-answers and given again. The compiler is a function of its job; the first answer is always its own.
//
//   ZKML_NODE=tests/js/node-once.mjs zkml-chain gen-verifier ...

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const [args, job] = [process.argv.slice(2), fs.readFileSync(0)];
const hash = createHash("sha256").update(JSON.stringify([process.version, ...args]));
// A job names the folder of the compiler and of packages, and not what lies there.
hash.update(fs.readFileSync(path.join(root, "package-lock.json"))).update(job);
const known = path.join(root, "target", "solc-answers", hash.digest("hex"));
if (fs.existsSync(known)) {
  process.stdout.write(fs.readFileSync(known));
} else {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: job, maxBuffer: 1 << 28 });
  process.stderr.write(stderr);
  if (status === 0) {
    fs.mkdirSync(path.dirname(known), { recursive: true });
    const own = `${known}.${process.pid}`;
    fs.writeFileSync(own, stdout);
    fs.renameSync(own, known);
  }
  process.stdout.write(stdout);
  process.exitCode = status ?? 1;
}

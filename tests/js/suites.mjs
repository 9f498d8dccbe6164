// Runs forge's tests, and fails when fewer suites ran than there are: `node tests/js/suites.mjs`.
//
// forge compiles what has changed since its last run and runs what it has compiled. After a run of a part of the tests, or a
// build of a part of the sources, it can take the rest for done, and then says that all is well. Then its cache is removed, and
// everything runs again.

import { spawn } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Contracts that hold tests themselves, as `file:contract`. */
function suites() {
  const files = readdirSync(root + "contracts/test", { recursive: true }).filter((file) => file.endsWith(".t.sol"));
  return files.sort().flatMap((file) => {
    const text = readFileSync(`${root}contracts/test/${file}`, "utf8");
    const [, ...contracts] = text.split(/^(?=contract \w)/m);
    const tested = contracts.filter((body) => /^ {4}function (test|invariant_)/m.test(body));
    return tested.map((body) => `contracts/test/${file.replaceAll("\\", "/")}:${body.match(/^contract (\w+)/)[1]}`);
  });
}

/** Runs all tests; returns forge's exit code, and the suites that it left out. */
async function run() {
  const options = { cwd: root, stdio: ["inherit", "pipe", "inherit"] };
  const forge = spawn(process.env.FORGE ?? "node_modules/.bin/forge", ["test"], options);
  let said = "";
  forge.stdout.on("data", (chunk) => {
    said += chunk;
    process.stdout.write(chunk);
  });
  const code = await new Promise((resolve, reject) => forge.on("error", reject).on("close", resolve));
  const ran = new Set([...said.replace(/\x1b\[[0-9;]*m/g, "").matchAll(/^Ran \d+ tests? for (\S+)$/gm)].map(([, name]) => name));
  return { code, missing: suites().filter((name) => !ran.has(name)) };
}

let { code, missing } = await run();
if (code === 0 && missing.length > 0) {
  console.error(`forge left out ${missing.join(", ")}: its cache is stale, and everything is built and run again without it`);
  rmSync(`${root}target/forge`, { recursive: true, force: true });
  ({ code, missing } = await run());
}
if (missing.length > 0) console.error(`forge left out ${missing.length} suites: ${missing.join(", ")}`);
process.exitCode = code !== 0 ? 1 : missing.length > 0 ? 2 : 0;

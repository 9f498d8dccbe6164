#!/usr/bin/env node
// ABIs as TypeScript, `as const`, so that viem knows the types of all calls, from what a compiler wrote:
//
//   npx zkml-chain-abis out/CreditConsumer.sol/CreditConsumer.json … > src/abis.ts
//
// `node contracts/abis.mjs --package` writes contracts/ts/abis.ts from target/forge/out, and `--check` with it says if it is out of date.

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
/** Contracts of the package whose ABI is exported whole. */
const WHOLE = [
  "ZKMLRegistry", "ZKMLRouter", "ZKMLVerifier", "ZKMLEmergencyStop", "ZKMLInferenceStore", "ZKMLConsumer", "ZKMLPausable",
  "ZKMLRelayed", "ZKMLRequests", "ZKMLRewards", "ZKMLAcceptance", "ZKMLAttestors", "SignedDataRoot", "IModelVerifier", "IModelPairing",
];
/** Generated contracts of several models: what they share does not depend on the model. */
const CONSUMERS = ["CreditConsumer", "CreditOpenConsumer", "ScoreAConsumer", "LtvConsumer", "FraudAConsumer"];
const REQUEST_CONSUMERS = ["CreditRequestConsumer", "CreditOpenRequestConsumer", "ScoreARequestConsumer"];
/** Whose errors come through a consumer's call; all generated verifiers have the same ones. */
const REFUSING = ["ZKMLVerifier", "ZKMLRegistry", "ZKMLRouter", "ZKMLEmergencyStop", "CreditVerifier"];

const read = (path) => JSON.parse(readFileSync(path, "utf8")).abi;
const compiled = (name) => read(`${root}target/forge/out/${name}.sol/${name}.json`);

/** Without the names that only Solidity has for types. */
function plain(entry) {
  if (Array.isArray(entry)) return entry.map(plain);
  if (typeof entry !== "object" || entry === null) return entry;
  const kept = Object.entries(entry).filter(([key]) => key !== "internalType");
  return Object.fromEntries(kept.map(([key, value]) => [key, plain(value)]));
}

/** A contract's name as a variable's: `ZKMLVerifier` is `zkmlVerifierAbi`. */
function variable(contract) {
  // An interface's I is no part of its name, and letters that stand together are one word.
  const name = contract.replace(/^I(?=[A-Z][a-z])/, "").replace(/^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/, (start) => start.toLowerCase());
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw new Error(`${contract} is no name of a contract`);
  return `${name}Abi`;
}

const key = (entry) => JSON.stringify(entry);
const list = (name, about, abi) => {
  const entries = plain(abi).map((entry) => `  ${JSON.stringify(entry)},\n`);
  return `/** ${about} */\nexport const ${name} = [\n${entries.join("")}] as const;\n`;
};

function ofPackage() {
  const shared = (names) => {
    const [first, ...rest] = names.map((name) => plain(compiled(name)));
    const others = rest.map((abi) => new Set(abi.map(key)));
    return first.filter((entry) => others.every((set) => set.has(key(entry))));
  };
  const errors = REFUSING.flatMap((name) => plain(compiled(name)).filter((entry) => entry.type === "error"));
  const unique = [...new Map(errors.map((entry) => [key(entry), entry])).values()];
  return [
    ...WHOLE.map((name) => list(variable(name), `\`${name}\`.`, compiled(name))),
    list("consumerAbi", "What generated consumers have in common: all that does not depend on the model.", shared(CONSUMERS)),
    list("requestConsumerAbi", "The same of generated request consumers.", shared(REQUEST_CONSUMERS)),
    list("refusalsAbi", "Errors of what a consumer asks about a proof: verifiers, router, registry.", unique),
  ];
}

const args = process.argv.slice(2);
const text = (lists) => `// Made by contracts/abis.mjs from compiled contracts; do not edit.\n\n${lists.join("\n")}`;
if (args[0] === "--package") {
  const [file, fresh] = [`${root}contracts/ts/abis.ts`, text(ofPackage())];
  if (!args.includes("--check")) {
    writeFileSync(file, fresh);
  } else if (readFileSync(file, "utf8") !== fresh) {
    console.error("contracts/ts/abis.ts is not what the contracts have: run `make abis`");
    process.exitCode = 1;
  }
} else if (args.length > 0) {
  process.stdout.write(text(args.map((path) => list(variable(basename(path, ".json")), `\`${basename(path, ".json")}\`.`, read(path)))));
} else {
  console.error("usage: zkml-chain-abis out/CONTRACT.sol/CONTRACT.json … > abis.ts");
  process.exitCode = 2;
}

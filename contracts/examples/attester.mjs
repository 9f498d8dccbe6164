#!/usr/bin/env node
// A signer that stands in for an enclave: `node attester.mjs PROGRAM FOLDER`.
//
// PROGRAM is the example `statement` of the crate `zkml`, which runs the integer model, and FOLDER a model that `zkml-chain setup` has been
// through. The key is made when it starts, and is nowhere but in its memory. It signs what the program says, and nothing else: whoever asks
// hands in a sample and what the result is to be bound to, never an output.
//
// It says on a line what a quote would say of it, and then answers each line with one. A line is JSON:
//
//   {"sample": {"inputs": {…}}, "openings": […], "model": {"owner", "modelHash", "circuitHash", "vkHash", "proofSystemId"},
//    "binding": {"chainId", "consumer", "subject", "nonce", "deadline", "action"}, "lifetime": 600}

import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { attestationOf, contextOf, inputCommitmentOf, modelIdOf } from "@zkml-chain/contracts";
import { keccak256 } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

/** What of a folder decides about outputs. Private weights are there only if the model has some. */
const FILES = ["graph.bin", "interface.json", "plan.json", "program.json", "weights.bin"];
/** An attestation lives for an hour at most: whoever asked is about to post. */
const LONGEST = 3600;

/** SHA-256 over program and model, by name: what whoever registers the key has computed, too. */
function measurementOf(program, folder) {
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
  const files = FILES.map((name) => join(folder, name)).filter((path) => existsSync(path));
  return `0x${sha256(Buffer.concat([program, ...files].map((path) => sha256(readFileSync(path))))).toString("hex")}`;
}

/** Runs the integer model. */
function run(program, folder, { sample, openings = [] }) {
  const { status, error, stdout, stderr } = spawnSync(program, [folder], { input: JSON.stringify({ sample, openings }), encoding: "utf8" });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim());
  return JSON.parse(stdout);
}

/** What the key says, if the model is the one that runs here. */
async function attest(signer, program, folder, asked) {
  const { model, binding, lifetime = 600 } = asked;
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > LONGEST) throw new Error(`a lifetime is 1 to ${LONGEST} seconds, not ${lifetime}`);
  const { modelHash, dataCommitment, output } = run(program, folder, asked);
  if (model.modelHash !== modelHash) throw new Error(`the model that runs here is ${modelHash}, not ${model.modelHash}`);
  const bound = { ...binding, nonce: BigInt(binding.nonce), deadline: BigInt(binding.deadline) };
  // Its own clock: an hour that somebody else names could be any.
  const issuedAt = BigInt(Math.floor(Date.now() / 1000));
  const attested = {
    chainId: BigInt(binding.chainId),
    consumer: binding.consumer,
    modelId: modelIdOf(model.owner, model),
    statement: inputCommitmentOf(dataCommitment, contextOf(bound)),
    outputHash: keccak256(output),
    issuedAt,
    validUntil: issuedAt + BigInt(lifetime),
  };
  const signature = await signer.signTypedData(attestationOf(attested));
  return { dataCommitment, output, issuedAt: Number(issuedAt), validUntil: Number(attested.validUntil), signature };
}

const [program, folder] = process.argv.slice(2);
if (!program || !folder) {
  console.error("usage: node attester.mjs PROGRAM FOLDER");
  process.exit(2);
}
const signer = privateKeyToAccount(generatePrivateKey());
// Once: what runs later is what was measured, or is not run.
const measured = measurementOf(program, folder);
console.log(JSON.stringify({ account: signer.address, measurement: measured }));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const asked = JSON.parse(line);
    if (measurementOf(program, folder) !== measured) throw new Error("program or model is not what was measured when the key was made");
    console.log(JSON.stringify(await attest(signer, program, folder, asked)));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}

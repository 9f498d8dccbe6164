// The signer that stands in for an enclave, and a chain that believes it until its key is revoked: `node --test tests/js/attester.test.mjs`.
//
// Needs what `cargo test` and `forge build` leave behind: target/release/zkml-chain, the example `statement`, and target/forge/out.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createTestClient, encodeAbiParameters, getAddress, hashTypedData, http, keccak256, pad, parseEther, publicActions, slice, toHex, walletActions, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { anvil } from "./anvil.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const home = join(root, "target/attester");
const place = join(home, "node_modules/@zkml-chain/contracts");
const folder = join(home, "credit");
const CHAIN = join(root, "target/release/zkml-chain");
const PROGRAM = join(root, "target/release/examples/statement");
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const artifact = (name) => readJson(join(root, `target/forge/out/${name}.sol/${name}.json`));
const account = (label) => getAddress(slice(keccak256(toHex(label)), 12));

function good(program, args, cwd = root) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  assert.equal(error ? error.message : status, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}
const toolkit = (...args) => JSON.parse(good(CHAIN, [...args, "--dir", folder, "--json", "-q"]));

let zkml;
before(async () => {
  for (const program of [CHAIN, PROGRAM]) assert.ok(existsSync(program), `${program} is missing: run \`cargo test\` first`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  good(process.env.NPM ?? "npm", ["pack", join(root, "contracts"), "--pack-destination", home, "--silent"]);
  const { version } = readJson(join(root, "contracts/package.json"));
  good("tar", ["-xzf", `zkml-chain-contracts-${version}.tgz`, "-C", place, "--strip-components", "1"], home);
  copyFileSync(join(root, "contracts/examples/attester.mjs"), join(home, "attester.mjs"));
  zkml = await import(pathToFileURL(join(place, "dist/ts/index.js")));
  toolkit("calibrate", "models/credit/credit.onnx", "--data", "models/credit/calibration.json");
  toolkit("compile", "--optimize", "gas", "--backend", "halo2");
  toolkit("setup");
});

/** Starts the signer; `ask` gives its answer to a question. */
async function attester() {
  const child = spawn(process.execPath, ["attester.mjs", PROGRAM, folder], { cwd: home, stdio: ["pipe", "pipe", "inherit"] });
  after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const ask = (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    return next();
  };
  return { ...(await next()), ask };
}

/** What whoever registers a key works out from the program and the model, without the signer. */
function expectedMeasurement() {
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
  const names = ["graph.bin", "interface.json", "plan.json", "program.json"].map((name) => join(folder, name));
  return toHex(sha256(Buffer.concat([PROGRAM, ...names].map((path) => sha256(readFileSync(path))))));
}

const DATA_ROOT = [
  { name: "subject", type: "address" }, { name: "dataCommitment", type: "bytes32" }, { name: "action", type: "bytes32" },
  { name: "issuedAt", type: "uint64" }, { name: "validUntil", type: "uint64" },
];
const PARTS = [{ type: "tuple", components: [{ name: "action", type: "bytes32" }, { name: "issuedAt", type: "uint64" }, { name: "validUntil", type: "uint64" }, { name: "signature", type: "bytes" }] }];

/** A chain with the credit model and a gate: loans below 2,000 need a signature. */
async function world() {
  const url = await anvil(after, ["--auto-impersonate"]);
  const chain = createTestClient({ chain: foundry, mode: "anvil", transport: http(url), pollingInterval: 50 }).extend(publicActions).extend(walletActions);
  const mined = async (hash) => {
    const receipt = await chain.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    return receipt;
  };
  const [owner, alice] = [account("owner"), account("alice")];
  for (const address of [owner, alice]) await chain.setBalance({ address, value: parseEther("100") });
  const deploy = async (name, args) => {
    const { abi, bytecode } = artifact(name);
    const { contractAddress: address } = await mined(await chain.deployContract({ abi, bytecode: bytecode.object, args, account: owner }));
    const read = (functionName, args) => chain.readContract({ abi, address, functionName, args });
    const write = async (functionName, args, account = owner) => {
      // A call is tried at the last block's time, and signatures count from theirs on.
      await chain.mine({ blocks: 1 });
      const { request } = await chain.simulateContract({ abi: [...abi, ...refusals], address, functionName, args, account });
      return mined(await chain.writeContract(request));
    };
    return { abi, address, read, write };
  };
  const refusals = artifact("ZKMLAttestors").abi.filter(({ type, name }) => type === "error" && /Key$|^WrongSignature$/.test(name));
  const verifier = await deploy("CreditVerifier", []);
  const registry = await deploy("ZKMLRegistry", []);
  const router = await deploy("ZKMLRouter", [owner, 172_800n, [verifier.address]]);
  const zkmlVerifier = await deploy("ZKMLVerifier", [registry.address, router.address]);
  const attestors = await deploy("ZKMLAttestors", [owner]);
  const model = { owner, ...readJson(join(root, "contracts/test/fixtures/models/credit.json")).registration };
  await registry.write("registerModel", [{ ...model, uri: "" }]);
  const issuer = privateKeyToAccount(generatePrivateKey());
  const none = { paths: 0, required: 0, signatures: 0, challengeWindow: 0, answerWindow: 0, rate: 0n, bond: 0n, deposit: 0n, asset: zeroAddress, beneficiary: zeroAddress, beacon: zeroAddress, attestors: zeroAddress };
  const policy = { ...none, paths: 4, required: 1, signatures: 1, attestors: attestors.address };
  const limits = { pool: owner, asset: owner, maxPrincipal: parseEther("50000"), minRatePerYear: parseEther("0.05"), maxDuration: 63_072_000n, maxRisk: parseEther("0.2"), maxAge: 604_800n };
  const below = parseEther("2000");
  const tiers = { smallBelow: below, mediumBelow: below, small: policy, medium: none };
  const modelId = zkml.modelIdOf(owner, model);
  const gate = await deploy("TieredCreditGate", [zkmlVerifier.address, modelId, 18n, issuer.address, limits, tiers]);
  return { chain, gate, attestors, issuer, model, modelId, policy, alice, owner };
}

/** A loan of Alice, ready to be attested: its binding, and what the issuer signs about its data. */
async function loan({ chain, gate, issuer, alice, owner }, principal, { commitments }) {
  const { timestamp } = await chain.getBlock();
  const terms = { asset: owner, principal: parseEther(principal), ratePerYear: parseEther("0.08"), duration: 31_536_000n };
  const action = await gate.read("actionOf", [terms]);
  const deadline = timestamp + 86_400n;
  const binding = { chainId: foundry.id, consumer: gate.address, subject: alice, nonce: Number(await gate.read("nonces", [alice])), deadline: Number(deadline), action };
  const [{ commitment: dataCommitment }] = commitments;
  const root_ = { action, issuedAt: timestamp, validUntil: deadline };
  const domain = { name: "zkml-chain", version: "1", chainId: foundry.id, verifyingContract: gate.address };
  const message = { subject: alice, dataCommitment, ...root_ };
  const signature = await issuer.signTypedData({ domain, types: { DataRoot: DATA_ROOT }, primaryType: "DataRoot", message });
  const provenance = encodeAbiParameters(PARTS, [{ ...root_, signature }]);
  return { terms, action, deadline, binding, dataCommitment, provenance };
}

const commitTo = (input, index) => {
  const salts = join(home, `salts-${index}-${Math.random()}.json`);
  const made = toolkit("commit", "--input", input, "--index", String(index), "--salt-file", salts);
  return { ...made, salts, sample: readJson(join(root, input)).samples[index], openings: readJson(salts).openings };
};

test("a key that was made beside the model attests, until it is revoked, and its results can be proven", async (t) => {
  const here = await world();
  const { gate, attestors, model, modelId, policy, alice, chain } = here;
  const signer = await attester();
  const applicant = commitTo("models/credit/applicants.json", 0);
  const first = await loan(here, "1185", applicant);
  const keyId = await attestors.read("keyIdOf", [1, pad(signer.account), pad("0x00")]);
  const ask = (binding, given = applicant) => signer.ask({ sample: { inputs: given.sample }, openings: given.openings, model, binding });
  const posted = (made, { output, issuedAt, validUntil, signature }) => {
    const attestations = [{ keyId, issuedAt: BigInt(issuedAt), validUntil: BigInt(validUntil), signature }];
    const posting = { deadline: made.deadline, dataCommitment: made.dataCommitment, output, provenance: made.provenance, attestations };
    return gate.write("postLoan", [made.terms, posting, policy], alice);
  };
  const answer = await ask(first.binding);
  assert.equal(answer.error, undefined);

  await t.test("what it has signed is what the contract asks for", async () => {
    assert.equal(answer.dataCommitment, first.dataCommitment, "the commitment that `commit` has made");
    const result = { poster: alice, subject: alice, nonce: 0n, deadline: first.deadline, action: first.action, dataCommitment: first.dataCommitment, outputHash: keccak256(answer.output), modelId };
    const times = [BigInt(answer.issuedAt), BigInt(answer.validUntil)];
    const statement = zkml.inputCommitmentOf(first.dataCommitment, await gate.read("resultContext", [result]));
    const attested = { chainId: foundry.id, consumer: gate.address, modelId, statement, outputHash: result.outputHash, issuedAt: times[0], validUntil: times[1] };
    assert.equal(hashTypedData(zkml.attestationOf(attested)), await gate.read("attestationDigest", [result, ...times]));
  });

  await t.test("nobody knows the key yet", async () => {
    await assert.rejects(posted(first, answer), /UnknownKey/);
  });

  await t.test("registered with its measurement, it approves a loan", async () => {
    assert.equal(signer.measurement, expectedMeasurement());
    const { timestamp } = await chain.getBlock();
    await attestors.write("register", [1, pad(signer.account), pad("0x00"), keccak256(toHex("quote")), signer.measurement, Number(timestamp) + 86_400]);
    assert.equal((await attestors.read("keyOf", [keyId])).measurement, signer.measurement);
    await posted(first, answer);
    assert.equal((await gate.read("approvals", [alice]))[0], first.action);
  });

  await t.test("a proof of the same words raises the result", async () => {
    const context = join(home, "context.json");
    const of = ["--chain-id", String(foundry.id), "--consumer", gate.address, "--subject", alice, "--nonce", "0"];
    good(CHAIN, ["context", ...of, "--deadline", String(first.deadline), "--action", first.action, "--out", context, "-q"]);
    const proof = join(home, "proof.json");
    toolkit("prove", "--input", "models/credit/applicants.json", "--index", "0", "--salt-file", applicant.salts, "--context-file", context, "--out", proof);
    const { blob, output } = toolkit("calldata", "--proof", proof);
    assert.equal(output, answer.output, "the signer had the same words");
    const result = { poster: alice, subject: alice, nonce: 0n, deadline: first.deadline, action: first.action, dataCommitment: first.dataCommitment, outputHash: keccak256(output), modelId };
    await gate.write("prove", [result, policy, output, blob]);
    const { state, held } = await gate.read("statusOf", [await gate.read("resultIdOf", [result, policy])]);
    assert.deepEqual([state, held], [4, 12], "accepted; attested and proven");
  });

  await t.test("it signs for nothing else than what it runs", async () => {
    const other = { ...model, modelHash: keccak256("0x") };
    const question = { sample: { inputs: applicant.sample }, openings: applicant.openings, model, binding: first.binding };
    assert.match((await signer.ask({ ...question, model: other })).error, /the model that runs here is 0x/);
    const someone = readJson(join(root, "models/credit/applicants.json")).samples[1];
    assert.match((await signer.ask({ ...question, sample: { inputs: someone } })).error, /no opening is of input `applicant` with these values/);
    assert.match((await signer.ask({ ...question, lifetime: 86_400 })).error, /1 to 3600/);
    assert.match((await signer.ask({ ...question, sample: {} })).error, /applicant/);
  });

  await t.test("what it says about one loan is not about another", async () => {
    const next = commitTo("models/credit/applicants.json", 0);
    const second = await loan(here, "1185", next);
    const third = await loan(here, "1186", next);
    await assert.rejects(posted(second, await ask(third.binding, next)), /WrongSignature/);
  });

  await t.test("revoked, it is believed no more", async () => {
    const next = commitTo("models/credit/applicants.json", 0);
    const second = await loan(here, "1185", next);
    const good_ = await ask(second.binding, next);
    await attestors.write("revoke", [keyId]);
    await assert.rejects(posted(second, good_), /RevokedKey/);
    assert.equal((await gate.read("approvals", [alice]))[0], first.action, "what was accepted stays");
  });

  await t.test("a model that was exchanged under it is noticed", async () => {
    const path = join(folder, "interface.json");
    const kept = readFileSync(path);
    after(() => writeFileSync(path, kept));
    writeFileSync(path, `${kept}\n`);
    assert.match((await ask(first.binding)).error, /not what was measured/);
    writeFileSync(path, kept);
  });
});

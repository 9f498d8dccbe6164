// The npm package as TypeScript sees it, against the vectors and a real node: `node --test tests/js/typescript.test.mjs`.
//
// It is packed as `npm publish` would pack it, and laid out as `npm install` would. Contracts come from target/forge/out: forge has to
// have compiled them before. The example of contracts/README.md is compiled with --strict, and then run.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createTestClient, getAddress, hashTypedData, http, keccak256, parseEventLogs, publicActions, slice, toHex, walletActions, zeroAddress } from "viem";
import { foundry } from "viem/chains";
import { anvil } from "./anvil.mjs";

const solc = createRequire(import.meta.url)("solc");
const root = fileURLToPath(new URL("../../", import.meta.url));
// Inside the repository: its node_modules stands for what npm would install beside the package.
const home = join(root, "target/typescript");
const place = join(home, "node_modules/@zkml-chain/contracts");
const readJson = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const artifact = (name) => readJson(`target/forge/out/${name}.sol/${name}.json`);
const proofOf = (name) => readJson(`contracts/test/fixtures/proofs/${name}.json`);
/** The account of a label, as the contracts' tests have it: proofs of fixtures name the first contract of one. */
const account = (label) => slice(keccak256(toHex(label)), 12);

function run(program, args, cwd = root) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  return { status: error ? error.message : status, stdout, said: stdout + stderr };
}
function good(program, args, cwd) {
  const result = run(program, args, cwd);
  assert.equal(result.status, 0, `${program} ${args.join(" ")}\n${result.said}`);
  return result.stdout;
}
const TSC = join(root, "node_modules/typescript/bin/tsc");
const STRICT = ["--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"];
const compile = (file) => run(process.execPath, [TSC, ...STRICT, file], home);

/** What `npm install` makes of what `npm pack` gives. */
function install() {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  writeFileSync(join(home, "package.json"), '{ "type": "module" }\n');
  good(process.env.NPM ?? "npm", ["pack", join(root, "contracts"), "--pack-destination", home, "--silent"]);
  const { version } = readJson("contracts/package.json");
  good("tar", ["-xzf", `zkml-chain-contracts-${version}.tgz`, "-C", place, "--strip-components", "1"], home);
}

let zkml, commitment;
before(async () => {
  install();
  zkml = await import(pathToFileURL(join(place, "dist/ts/index.js")));
  commitment = await import(pathToFileURL(join(place, "dist/js/commitment.mjs")));
});

test("the ABIs are what the contracts have", () => {
  good(process.execPath, ["contracts/abis.mjs", "--package", "--check"]);
});

const vectors = readJson("tests/fixtures/binding.json");
const numbers = (names, vector) => ({ ...vector, ...Object.fromEntries(names.map((name) => [name, BigInt(vector[name])])) });
const word = (number) => toHex(number, { size: 32 });

test("the vectors are what viem gives today", () => {
  good(process.execPath, ["tests/js/binding.mjs", "--check"]);
});

test("types are hashed as contracts hash them", () => {
  const hashes = {
    domain: "domain", context: "context", input: "input", request: "request", reward: "reward",
    fulfilment: "fulfilment", modelCommitment: "commitment", modelId: "modelId",
  };
  assert.deepEqual(Object.keys(zkml.TYPES).sort(), Object.keys(hashes).sort());
  for (const [type, name] of Object.entries(hashes)) {
    assert.equal(keccak256(toHex(zkml.TYPES[type])), vectors[`${name}TypeHash`], type);
  }
  assert.equal(zkml.PROOF_SYSTEM_ID, vectors.proofSystemId);
});

test("contexts are the vectors'", () => {
  assert.ok(vectors.contexts.length > 0);
  for (const vector of vectors.contexts) {
    const binding = numbers(["chainId", "nonce", "deadline"], vector);
    assert.equal(zkml.domainSeparatorOf(binding.chainId, binding.consumer), vector.domainSeparator);
    assert.equal(zkml.contextOf(binding), vector.context);
  }
});

/** The number is the one of contracts/test/Relayed.t.sol, where `ZKMLStatement` gives it. */
test("a consent is signed as the contract hashes it", () => {
  const address = (byte) => `0x${byte}${"0".repeat(38)}`;
  const consent = zkml.consentOf({
    chainId: 5, consumer: address("11"), subject: address("22"), relayer: address("33"), nonce: 7n, deadline: 1_900_000_000n,
    action: `0x${"44".repeat(32)}`, dataCommitment: `0x${"55".repeat(32)}`,
  });
  assert.equal(hashTypedData(consent), "0x17a6f114a4c092bdf8886d1da235cb88fed5dbb3774af5235966372b273224b7");
});

test("requests and rewards are the vectors'", () => {
  assert.ok(vectors.requests.length > 0 && vectors.rewards.length > 0);
  for (const vector of [...vectors.requests, ...vectors.rewards]) {
    const request = numbers(["chainId", "sequence", "deadline"], vector);
    assert.equal(word(zkml.requestIdOf(request)), vector.requestId);
    if (!vector.prover) {
      assert.equal(zkml.requestContextOf(request, request), vector.context);
      continue;
    }
    const reward = numbers(["amount", "callbackGas"], { ...vector, confirmations: Number(vector.confirmations) });
    assert.equal(word(zkml.rewardedIdOf(request, reward)), vector.rewardedId);
    assert.equal(word(zkml.fulfilmentNonceOf(BigInt(vector.rewardedId), vector.prover)), vector.nonce);
    assert.equal(zkml.rewardedContextOf(request, request, reward, vector.prover), vector.context);
  }
});

test("commitments and models are the vectors'", () => {
  for (const vector of vectors.inputCommitments) {
    assert.equal(zkml.inputCommitmentOf(vector.dataCommitment, vector.context), vector.inputCommitment);
  }
  for (const vector of vectors.dataCommitments) {
    assert.equal(zkml.dataCommitmentOf(vector.words, vector.inputIsCommitment), vector.dataCommitment, vector.name);
  }
  for (const vector of vectors.models) {
    assert.equal(zkml.commitmentHashOf(vector), vector.commitmentHash);
    assert.equal(word(zkml.modelIdOf(vector.owner, vector)), vector.modelId);
  }
  assert.throws(() => zkml.dataCommitmentOf([word(1n), word(2n)], true), /not 2/);
  assert.throws(() => zkml.dataCommitmentOf(["0x01"], false), /32 bytes/);
  const packed = readJson("tests/fixtures/commitment.json").commitments;
  for (const vector of packed) assert.equal(commitment.toHex(commitment.commit(vector)), vector.commitment, vector.name);
});

test("blobs are the vectors', there and back", () => {
  assert.ok(vectors.blobs.length > 0);
  for (const vector of vectors.blobs) {
    const { selector, dataCommitment, context, proof } = vector;
    const parts = { selector, dataCommitment, context, proof, words: vector.inputIsCommitment ? [] : vector.words };
    assert.equal(zkml.encodeBlob(parts), vector.blob, vector.name);
    assert.deepEqual(zkml.decodeBlob(vector.blob, parts.words.length), parts, vector.name);
  }
  const [{ blob }] = vectors.blobs;
  assert.throws(() => zkml.decodeBlob(slice(blob, 0, 68)), /68/);
  assert.throws(() => zkml.decodeBlob(blob, 100), /input words/);
  assert.throws(() => zkml.decodeBlob(`${blob}0`), /whole bytes/);
  for (const inputs of [-1, 0.5]) assert.throws(() => zkml.decodeBlob(blob, inputs), /no number/);
  assert.throws(() => zkml.encodeBlob({ ...zkml.decodeBlob(blob), proof: "0x0" }), /whole bytes/);
  assert.throws(() => zkml.encodeBlob({ ...zkml.decodeBlob(blob), selector: "0x00" }), /4 bytes/);
  assert.deepEqual(zkml.wordsOf(`0x${"00".repeat(31)}01`), [word(1n)]);
  assert.throws(() => zkml.wordsOf("0x01"), /32 bytes/);
});

/** The TypeScript of the page that begins with the name of its file. */
function example() {
  const page = readFileSync(join(root, "contracts/README.md"), "utf8");
  const [, path, content] = page.match(/^```ts\n\/\/ (\S+\.ts)\n([^]*?)^```$/m);
  return [path, content];
}

/** The example of the page, compiled once; its ABI comes from the tool that the page names. */
let compiled;
const compiledExample = () => (compiled ??= compileExample());
async function compileExample() {
  const from = join(root, "target/forge/out/CreditRequestConsumer.sol/CreditRequestConsumer.json");
  writeFileSync(join(home, "abis.ts"), good(process.execPath, [join(place, "abis.mjs"), from]));
  const [path, content] = example();
  writeFileSync(join(home, path), content);
  const { status, said } = compile(path);
  assert.equal(status, 0, said);
  return import(pathToFileURL(join(home, path.replace(".ts", ".js"))));
}

test("types know a consumer's functions and outputs", async () => {
  await compiledExample();
  const start = [
    'import { createWalletClient, http } from "viem";',
    'import { type Request, type Reward, zkmlActions } from "@zkml-chain/contracts";',
    'import { commit } from "@zkml-chain/contracts/commitment";',
    'import { creditRequestConsumerAbi as abi } from "./abis.js";',
    'const client = createWalletClient({ transport: http() }).extend(zkmlActions);',
    'const seen = await client.predict({ abi, consumer: "0x00", output: "0x", proof: "0x" });',
    "declare const request: Request, reward: Reward;",
    'export const salted: bigint = commit({ role: "input", salt: 1n, parts: [] });',
  ];
  // What follows such a comment has to be refused: otherwise the comment is.
  const refused = [
    "seen.noSuchOutput;",
    "export const text: string = seen.probabilityOfDefault;",
    'await client.acceptInference({ abi, consumer: "0x00", action: "0x", output: "0x", proof: "0x" });',
    'await client.proveRequest({ consumer: "0x00", request, reward, output: "0x", proof: "0x" });',
    'await client.proveRequest({ consumer: "0x00", request: reward, output: "0x", proof: "0x" });',
    'await client.acceptBatch({ abi, consumer: "0x00", functionName: "noSuchFunction", claims: [] });',
    'await client.acceptBatch({ abi, consumer: "0x00", functionName: "pause", claims: [{ output: "0x", proof: "0x" }] });',
    'await client.verifyBatch({ verifier: "0x00", modelId: 1n, inferences: [{ output: "0x", proof: "0x" }] });',
  ].flatMap((line) => ["// @ts-expect-error", line]);
  const lines = [...start, "export const risk: bigint = seen.probabilityOfDefault;", ...refused];
  writeFileSync(join(home, "types.ts"), lines.join("\n"));
  const { status, said } = compile("types.ts");
  assert.equal(status, 0, said);
});

/** A chain with the credit model: its verifier, registered and routed to, and consumers where the proofs expect them. */
async function world() {
  const url = await anvil(after, ["--auto-impersonate", "--timestamp", "1900000000"]);
  const chain = createTestClient({ chain: foundry, mode: "anvil", transport: http(url), pollingInterval: 50 })
    .extend(publicActions)
    .extend(walletActions)
    .extend(zkml.zkmlActions);
  const fund = (address) => chain.setBalance({ address, value: 10n ** 20n });
  const mined = async (hash) => {
    const receipt = await chain.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    return receipt;
  };
  const deployed = async (label, { abi, bytecode }, args) => {
    await fund(account(label));
    const hash = await chain.deployContract({ abi, bytecode: bytecode.object, args, account: account(label) });
    return (await mined(hash)).contractAddress;
  };
  const deploy = (label, name, args) => deployed(label, artifact(name), args);
  const owner = account("publisher");
  const model = await deploy("publisher", "CreditVerifier", []);
  const registry = await deploy("publisher", "ZKMLRegistry", []);
  const router = await deploy("publisher", "ZKMLRouter", [owner, 172_800n, [model]]);
  const verifier = await deploy("publisher", "ZKMLVerifier", [registry, router]);
  const { registration } = proofOf("mock_alice_0");
  const call = { abi: zkml.zkmlRegistryAbi, address: registry, functionName: "registerModel", account: owner };
  await mined(await chain.writeContract({ ...call, args: [{ ...registration, uri: "" }] }));
  const modelId = zkml.modelIdOf(owner, registration);
  const consumer = (label) => deploy(label, "CreditAnyInputRequestConsumer", [verifier, modelId, owner]);
  await fund(account("alice"));
  await fund(account("service"));
  return { url, chain, mined, deployed, consumer, registry, verifier, modelId };
}

const refused = (promise, why) => assert.rejects(promise, (error) => why.test(error.message) || assert.fail(error.message));

test("proofs count on a chain: accepted, asked for, paid for, looked at", async (t) => {
  const { url, chain, mined, consumer: deployed, registry, modelId } = await world();
  const { underwrite } = await compiledExample();
  const { creditRequestConsumerAbi: abi } = await import(pathToFileURL(join(home, "abis.js")));
  const service = account("service");
  const read = (consumer, functionName, args) => chain.readContract({ abi, address: consumer, functionName, args });
  const risk = BigInt(proofOf("mock_alice_0").values.probability_of_default[0]);
  await t.test("the model's id is the registry's", async () => {
    const [identity, owner] = await chain.readContract({
      abi: zkml.zkmlRegistryAbi, address: registry, functionName: "identityOf", args: [modelId],
    });
    assert.equal(zkml.modelIdOf(owner, identity), modelId);
  });

  await t.test("the example of the page looks at an inference and has it accepted, once", async () => {
    const consumer = await deployed("ZKMLConsumerMock");
    const { blob, ...p } = proofOf("mock_alice_0");
    const given = { ...p, proof: blob, deadline: BigInt(p.deadline) };
    assert.equal(consumer, p.consumer);
    const { context } = zkml.decodeBlob(blob);
    assert.equal(zkml.contextOf({ ...given, nonce: await read(consumer, "nonces", [p.subject]) }), context);
    assert.equal(await read(consumer, "contextOf", [p.subject, 0n, given.deadline, p.action]), context);

    await refused(underwrite(url, p.subject, consumer, { ...given, action: word(1n) }), /WrongContext/);
    const { hash, risk: accepted } = await underwrite(url, p.subject, consumer, given);
    assert.equal(accepted, risk);
    const { logs } = await mined(hash);
    const [event] = parseEventLogs({ abi, logs, eventName: "OutputsAccepted" });
    assert.equal(event.address, consumer);
    assert.deepEqual(event.args, { subject: getAddress(p.subject), nonce: 0n, outputs: { probabilityOfDefault: risk } });
    assert.equal(await read(consumer, "nonces", [p.subject]), 1n);
    await refused(underwrite(url, p.subject, consumer, given), /WrongContext/);
  });

  const consumer = await deployed("CreditRequestConsumer");
  const ask = async (p, more) => {
    const { subject, action, dataCommitment } = p;
    const asked = { consumer, action, dataCommitment, deadline: BigInt(p.deadline), account: subject, ...more };
    const [requested, ...others] = zkml.requestsIn((await mined(await chain.requestInference(asked))).logs);
    assert.deepEqual(others, []);
    assert.equal(requested.consumer, consumer);
    return requested;
  };

  await t.test("a request is fulfilled by a service, once", async () => {
    const { output, blob: proof, ...p } = proofOf("request_alice_0");
    const { requestId, request, reward } = await ask(p);
    assert.equal(reward, undefined);
    assert.equal(word(requestId), p.nonce);
    assert.equal(zkml.requestIdOf(request), requestId);
    assert.equal(zkml.requestContextOf(p, request), p.context);
    const other = proofOf("request_alice_0_other_input");
    const given = { consumer, request, output, proof, account: service };
    await refused(chain.proveRequest({ ...given, output: other.output, proof: other.blob }), /WrongInput/);
    await mined(await chain.proveRequest(given));
    assert.equal(await read(consumer, "requestState", [requestId]), 2);
    await refused(chain.proveRequest(given), /RequestNotPending/);
  });

  await t.test("a request with a reward pays the prover that its proof names", async () => {
    const { output, blob: proof, ...p } = proofOf("reward_alice_2");
    const prover = account("prover");
    await ask(p);
    const amount = 10n ** 15n;
    const pays = { payer: p.subject, asset: zeroAddress, amount, callbackGas: 200_000n, confirmations: 0 };
    const { requestId, request, reward } = await ask(p, { reward: pays, value: amount });
    assert.equal(zkml.rewardedIdOf(request, reward), requestId);
    assert.equal(zkml.rewardedContextOf(p, request, reward, prover), p.context);
    const given = { consumer, request, reward, prover, output, proof, account: service };
    await refused(chain.proveRequest({ ...given, prover: service }), /WrongContext/);
    await mined(await chain.proveRequest(given));
    assert.equal(await read(consumer, "fundsOf", [prover, zeroAddress]), amount);
    await refused(ask(p, { value: 1n }), /for a reward only/);
  });

  await t.test("outputs are looked at by a view, and only if the proof holds", async () => {
    const { output, blob: proof } = proofOf("unbound");
    assert.deepEqual(await chain.predict({ abi, consumer, output, proof }), { probabilityOfDefault: risk });
    await refused(chain.predict({ abi, consumer, output: word(1n), proof }), /ProofRejected/);
    await refused(chain.predict({ abi, consumer, output, proof: slice(proof, 0, 100) }), /WrongBlobLength/);
  });

  await t.test("nothing is sent without an account", async () => {
    const { output, blob: proof, ...p } = proofOf("mock_alice_1");
    const given = { abi, consumer: p.consumer, action: p.action, deadline: BigInt(p.deadline), output, proof };
    await refused(chain.acceptInference(given), /no account/);
  });
});

/** A contract of contracts/README.md, compiled. */
function contractOfThePage(name) {
  const page = readFileSync(join(root, "contracts/README.md"), "utf8");
  const blocks = [...page.matchAll(/^```solidity\n\/\/ (src\/\S+\.sol)\n([^]*?)^```$/gm)];
  const sources = Object.fromEntries(blocks.map(([, path, content]) => [path, { content }]));
  assert.ok(sources[`src/${name}.sol`], `${name} is on the page`);
  const find = (path) => {
    const from = path.replace(/^@zkml-chain\/contracts\//, "contracts/");
    return { contents: readFileSync(join(root, from === path ? `node_modules/${path}` : from), "utf8") };
  };
  const settings = { evmVersion: "shanghai", optimizer: { enabled: true, runs: 1000 }, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: find }));
  assert.deepEqual((output.errors ?? []).filter(({ severity }) => severity === "error"), []);
  const { abi, evm } = output.contracts[`src/${name}.sol`][name];
  return { abi, bytecode: { object: `0x${evm.bytecode.object}` } };
}

test("batches count on a chain, as a whole", async (t) => {
  const { chain, mined, deployed, verifier, modelId } = await world();
  const proofs = ["mock_alice_0", "mock_bob_0", "mock_alice_1"].map(proofOf).map((p) => {
    return { ...p, proof: p.blob, deadline: BigInt(p.deadline) };
  });
  const wrong = proofs.map((p, i) => (i === 1 ? { ...p, output: word(1n) } : p));

  await t.test("the verifier takes and logs each, or none and says which is wrong", async () => {
    const batch = { verifier, modelId, inferences: proofs, account: account("service") };
    const { logs, gasUsed } = await mined(await chain.verifyBatch(batch));
    const events = parseEventLogs({ abi: zkml.zkmlVerifierAbi, logs, eventName: "InferenceVerified" });
    assert.deepEqual(events.map(({ args }) => args.inputCommitment), proofs.map((p) => p.inputCommitment));
    const { halo2 } = readJson("contracts/test/snapshots/batch.json");
    assert.ok(gasUsed < 3n * BigInt(halo2.alone), `${gasUsed} for three`);
    await chain.checkBatch(batch);
    assert.equal(await chain.firstRefused(batch), undefined);

    const expected = { index: 1, error: "ProofRejected()" };
    assert.deepEqual(await chain.firstRefused({ ...batch, inferences: wrong }), expected);
    for (const act of [chain.verifyBatch, chain.checkBatch]) {
      await assert.rejects(act({ ...batch, inferences: wrong }), (error) => {
        assert.equal(error.name, "BatchError");
        assert.deepEqual(error.refused, expected);
        assert.match(error.message, /inference 1 of the batch is refused: ProofRejected\(\)/);
        assert.match(error.cause.message, /BatchRejected/);
        return true;
      });
    }
    const short = [{ ...proofs[0], proof: slice(proofs[0].proof, 0, 100) }];
    await refused(chain.verifyBatch({ ...batch, inferences: short }), /inference 0 .* WrongBlobLength\(100, \d+\)/);
    await refused(chain.verifyBatch({ ...batch, inferences: [] }), /EmptyBatch/);
    await refused(chain.verifyBatch({ ...batch, modelId: 1n }), /inference 0 .* ModelNotFound\(1\)/);
  });

  await t.test("the consumer of the page takes all of them, once", async () => {
    const owner = account("publisher");
    const desk = contractOfThePage("BatchDesk");
    const { abi } = desk;
    const consumer = await deployed("ZKMLConsumerMock", desk, [verifier, modelId, owner]);
    assert.equal(consumer, proofs[0].consumer);
    const claims = [proofs[0], proofs[2]];
    for (const { subject, dataCommitment } of claims) {
      const vouch = { abi, address: consumer, functionName: "vouch", args: [subject, dataCommitment], account: owner };
      await mined(await chain.writeContract(vouch));
    }
    const given = { abi, consumer, functionName: "decideAll", claims, account: owner };
    await refused(chain.acceptBatch({ ...given, account: account("service") }), /OwnableUnauthorizedAccount/);
    await refused(chain.acceptBatch({ ...given, claims: [claims[1], claims[0]] }), /WrongContext/);
    await refused(chain.acceptBatch({ ...given, claims: [claims[0], { ...claims[1], output: word(1n) }] }), /BatchRejected/);
    const { subject } = claims[0];
    const nonces = () => chain.readContract({ abi, address: consumer, functionName: "nonces", args: [subject] });
    assert.equal(await nonces(), 0n, "all or none");
    await mined(await chain.acceptBatch(given));
    assert.equal(await nonces(), 2n);
    await refused(chain.acceptBatch(given), /WrongContext/);
  });
});

// Writes tests/fixtures/binding.json, the ground truth of contexts, requests, rewards, input commitments, model ids and proof blobs:
//
//   node tests/js/binding.mjs > tests/fixtures/binding.json
//
// With --check it compares the file instead. Every hash is viem's: contexts, requests, rewards, input commitments, model commitments
// and model ids are EIP-712 structs, which viem encodes and hashes by itself.

import { readFileSync } from "node:fs";
import { concat, hashDomain, hashStruct, hashTypedData, keccak256, pad, slice, toHex } from "viem";

const file = new URL("../fixtures/binding.json", import.meta.url);
const MAX = (bits) => (1n << BigInt(bits)) - 1n;
const word = (n) => toHex(n, { size: 32 });
const text = (s) => keccak256(toHex(s));

const types = {
  EIP712Domain: [
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
    { name: "verifyingContract", type: "address" },
  ],
  ZKMLInference: [
    { name: "subject", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "action", type: "bytes32" },
  ],
  ZKMLRequest: [
    { name: "subject", type: "address" },
    { name: "sequence", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "action", type: "bytes32" },
    { name: "dataCommitment", type: "bytes32" },
  ],
  ZKMLReward: [
    { name: "requestId", type: "uint256" },
    { name: "payer", type: "address" },
    { name: "asset", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "callbackGas", type: "uint64" },
    { name: "confirmations", type: "uint32" },
  ],
  ZKMLFulfilment: [
    { name: "requestId", type: "uint256" },
    { name: "prover", type: "address" },
  ],
  ZKMLInput: [
    { name: "dataCommitment", type: "bytes32" },
    { name: "context", type: "bytes32" },
  ],
  ZKMLModelCommitment: [
    { name: "modelHash", type: "bytes32" },
    { name: "circuitHash", type: "bytes32" },
    { name: "vkHash", type: "bytes32" },
    { name: "proofSystemId", type: "bytes4" },
  ],
  ZKMLModelId: [
    { name: "owner", type: "address" },
    { name: "commitment", type: "bytes32" },
  ],
};
const struct = (primaryType, data) => hashStruct({ data, primaryType, types });
const typeHash = (name) => text(`${name}(${types[name].map((m) => `${m.type} ${m.name}`).join(",")})`);

const ZERO = pad("0x", { size: 20 });
const address = (name) => slice(text(name), 12);

function context({ chainId, consumer, subject, nonce, deadline, action }) {
  const domain = { name: "zkml-chain", version: "1", chainId, verifyingContract: consumer };
  const message = { subject, nonce, deadline, action };
  const digest = hashTypedData({ domain, types, primaryType: "ZKMLInference", message });
  return {
    chainId: chainId.toString(),
    consumer,
    subject,
    nonce: nonce.toString(),
    deadline: deadline.toString(),
    action,
    domainSeparator: hashDomain({ domain, types }),
    structHash: struct("ZKMLInference", message),
    digest,
    context: word(BigInt(digest) & MAX(253)),
  };
}

const common = {
  chainId: 31337n,
  consumer: pad("0x11", { size: 20, dir: "right" }),
  subject: address("subject"),
  nonce: 7n,
  deadline: 1_900_000_000n,
  action: text("approve"),
};
const contexts = [
  common,
  { chainId: 1n, consumer: ZERO, subject: ZERO, nonce: 0n, deadline: 0n, action: word(0n) },
  {
    chainId: MAX(64),
    consumer: toHex(MAX(160), { size: 20 }),
    subject: toHex(MAX(160), { size: 20 }),
    nonce: MAX(256),
    deadline: MAX(256),
    action: word(MAX(256)),
  },
  { ...common, chainId: 11155111n },
  { ...common, chainId: 1n << 53n },
  { ...common, consumer: address("consumer") },
  { ...common, subject: ZERO },
  { ...common, nonce: MAX(64) + 1n },
  { ...common, nonce: MAX(256) },
  { ...common, deadline: MAX(256) },
  { ...common, action: word(1n) },
].map(context);

/** A request's id is the nonce of its context. */
function request({ chainId, consumer, subject, sequence, deadline, action, dataCommitment }) {
  const requestId = struct("ZKMLRequest", { subject, sequence, deadline, action, dataCommitment });
  const bound = context({ chainId, consumer, subject, nonce: BigInt(requestId), deadline, action });
  return {
    chainId: chainId.toString(),
    consumer,
    subject,
    sequence: sequence.toString(),
    deadline: deadline.toString(),
    action,
    dataCommitment,
    requestId,
    context: bound.context,
  };
}
const asked = { ...common, sequence: 7n, dataCommitment: text("data") };
const requests = [
  asked,
  { chainId: 1n, consumer: ZERO, subject: ZERO, sequence: 0n, deadline: 0n, action: word(0n), dataCommitment: word(0n) },
  {
    chainId: MAX(64),
    consumer: toHex(MAX(160), { size: 20 }),
    subject: toHex(MAX(160), { size: 20 }),
    sequence: MAX(256),
    deadline: MAX(256),
    action: word(MAX(256)),
    dataCommitment: word(MAX(256)),
  },
  { ...asked, chainId: 1n },
  { ...asked, consumer: address("consumer") },
  { ...asked, subject: ZERO },
  { ...asked, sequence: 8n },
  { ...asked, sequence: MAX(64) + 1n },
  { ...asked, deadline: MAX(256) },
  { ...asked, action: word(1n) },
  { ...asked, dataCommitment: word(1n) },
].map(request);

/** A request with a reward has another id, and the nonce of its context names the prover, too. */
function reward({ payer, asset, amount, callbackGas, confirmations, prover, ...asked }) {
  const plain = BigInt(request(asked).requestId);
  const requestId = struct("ZKMLReward", { requestId: plain, payer, asset, amount, callbackGas, confirmations });
  const nonce = struct("ZKMLFulfilment", { requestId: BigInt(requestId), prover });
  const { context: bound } = context({ ...asked, nonce: BigInt(nonce) });
  return {
    ...request(asked),
    payer,
    asset,
    amount: amount.toString(),
    callbackGas: callbackGas.toString(),
    confirmations: confirmations.toString(),
    prover,
    rewardedId: requestId,
    nonce,
    context: bound,
  };
}
const paid = {
  ...asked,
  payer: address("payer"),
  asset: ZERO,
  amount: 10n ** 15n,
  callbackGas: 200_000n,
  confirmations: 3,
  prover: address("prover"),
};
const rewards = [
  paid,
  {
    ...paid,
    payer: toHex(MAX(160), { size: 20 }),
    asset: toHex(MAX(160), { size: 20 }),
    amount: MAX(256),
    callbackGas: MAX(64),
    confirmations: Number(MAX(32)),
    prover: toHex(MAX(160), { size: 20 }),
  },
  { ...paid, sequence: 8n },
  { ...paid, payer: ZERO },
  { ...paid, asset: address("token") },
  { ...paid, amount: 1n },
  { ...paid, callbackGas: 0n },
  { ...paid, confirmations: 0 },
  { ...paid, prover: address("another prover") },
  { ...paid, chainId: 1n },
].map(reward);

const inputCommitment = (dataCommitment, context) => ({
  dataCommitment,
  context,
  inputCommitment: struct("ZKMLInput", { dataCommitment, context }),
});
const inputCommitments = [
  inputCommitment(word(0n), word(0n)),
  inputCommitment(text("data"), word(0n)),
  inputCommitment(word(0n), contexts[0].context),
  inputCommitment(text("data"), contexts[0].context),
  inputCommitment(word(MAX(256)), word(MAX(253))),
];

/** One commitment stands for itself; anything else is hashed. */
const dataCommitment = (name, inputIsCommitment, words) => ({
  name,
  inputIsCommitment,
  words,
  dataCommitment: inputIsCommitment ? words[0] : keccak256(concat(words)),
});
const field = (name) => word(BigInt(text(name)) >> 3n);
const dataCommitments = [
  dataCommitment("one committed input", true, [field("commitment")]),
  dataCommitment("one public word, which is hashed", false, [field("commitment")]),
  dataCommitment("two public words", false, [word(1n), word(2n)]),
  dataCommitment("two commitments", false, [field("first"), field("second")]),
  dataCommitment("no input", false, []),
  dataCommitment("forty public words", false, Array.from({ length: 40 }, (_, i) => word(BigInt(i)))),
];

const PROOF_SYSTEM_ID = slice(text("halo2-kzg-shplonk-bn254-v1"), 0, 4);
function model(owner, modelHash, circuitHash, vkHash, proofSystemId) {
  const identity = { modelHash, circuitHash, vkHash, proofSystemId };
  const commitmentHash = struct("ZKMLModelCommitment", identity);
  const modelId = struct("ZKMLModelId", { owner, commitment: commitmentHash });
  return { owner, ...identity, commitmentHash, modelId };
}
const hashes = ["model", "circuit", "key"].map(text);
const models = [
  model(address("owner"), ...hashes, PROOF_SYSTEM_ID),
  model(address("another owner"), ...hashes, PROOF_SYSTEM_ID),
  model(ZERO, word(0n), word(0n), word(0n), "0x00000000"),
  model(toHex(MAX(160), { size: 20 }), ...Array(3).fill(word(MAX(256))), "0xffffffff"),
  model(address("owner"), hashes[1], hashes[0], hashes[2], PROOF_SYSTEM_ID),
  model(address("owner"), ...hashes, "0x000000a1"),
];

function blob(name, vkDigest, data, context, proof) {
  const words = data.inputIsCommitment ? [] : data.words;
  const selector = slice(vkDigest, 0, 4);
  return {
    name,
    vkDigest,
    selector,
    inputIsCommitment: data.inputIsCommitment,
    words: data.words,
    context,
    proof,
    dataCommitment: data.dataCommitment,
    inputCommitment: struct("ZKMLInput", { dataCommitment: data.dataCommitment, context }),
    blob: concat([selector, data.dataCommitment, context, proof, ...words]),
  };
}
const proof = concat([text("a"), text("made-up"), text("proof")]);
const blobs = [
  ...dataCommitments.map((data) => blob(data.name, field("key"), data, contexts[0].context, proof)),
  blob("unbound, another key", field("other"), dataCommitments[0], word(0n), proof),
  blob("one word of proof", field("key"), dataCommitments[2], contexts[2].context, word(MAX(256))),
];

const comment = [
  "Vectors for Rust and Solidity, made with viem 2.57.20 by tests/js/binding.mjs.",
  "Lists of flat objects. Addresses, bytes and words are 0x-hex; other numbers are decimal strings.",
  "The context is the digest's lowest 253 bits. Proofs are made up: they have the length of their vector and nothing else.",
];
const vectors = {
  comment,
  proofSystemId: PROOF_SYSTEM_ID,
  domainTypeHash: typeHash("EIP712Domain"),
  contextTypeHash: typeHash("ZKMLInference"),
  requestTypeHash: typeHash("ZKMLRequest"),
  rewardTypeHash: typeHash("ZKMLReward"),
  fulfilmentTypeHash: typeHash("ZKMLFulfilment"),
  inputTypeHash: typeHash("ZKMLInput"),
  commitmentTypeHash: typeHash("ZKMLModelCommitment"),
  modelIdTypeHash: typeHash("ZKMLModelId"),
  contexts,
  requests,
  rewards,
  inputCommitments,
  dataCommitments,
  models,
  blobs,
};
const json = JSON.stringify(vectors, null, 2) + "\n";
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== json) throw new Error("tests/fixtures/binding.json is not what viem gives");
} else {
  process.stdout.write(json);
}

// @zkml-chain/contracts for TypeScript: ABIs, viem actions, and the hashes that proofs are bound by.
// Commitments to private inputs are in `@zkml-chain/contracts/commitment`, which needs poseidon-lite.

export * from "./abis.js";
export * from "./actions.js";
export * from "./statement.js";

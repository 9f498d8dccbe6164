// @zkml-chain/web/verify: the verdict on a proof, in a module of its own that has no prover. It takes some milliseconds, so it needs no
// worker.

import init, { forContracts, verify } from "./verify/zkml.js";
import { ZkmlError, asZkmlError } from "./errors.js";
import type { ForContracts, ProofDocument, Statement } from "./types.js";

export { ERROR_CODES, type ErrorCode, ZkmlError } from "./errors.js";
export type { Field, ForContracts, Hex, ProofDocument, Role, Statement } from "./types.js";

/** A verifier program, as bytes or text of `program.json`. */
export type Program = Uint8Array | string;

/** Checks proofs. */
export type Verifier = {
  /** Gives the statement of a proof that holds, and throws for one that does not. Compare `vkDigest` and `modelHash` with those that you know. */
  verify(program: Program, proof: ProofDocument | string): Statement;
  /** The proof as contracts take it. That it holds is for `verify` to say. */
  forContracts(program: Program, proof: ProofDocument | string): ForContracts;
};

/** Loads the module; `wasm` is its address, or the module itself, for who does not take the one beside this file. */
export async function loadVerifier(wasm?: string | URL | Uint8Array | WebAssembly.Module): Promise<Verifier> {
  try {
    await (wasm === undefined ? init() : init({ module_or_path: wasm }));
  } catch (error) {
    throw new ZkmlError("worker", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
  return { verify: answering<Statement>(verify), forContracts: answering<ForContracts>(forContracts) };
}

function answering<T>(call: (program: Uint8Array, proof: Uint8Array) => string) {
  return (program: Program, proof: ProofDocument | string): T => {
    try {
      return JSON.parse(call(bytes(program), bytes(typeof proof === "string" ? proof : JSON.stringify(proof))));
    } catch (error) {
      throw asZkmlError(error);
    }
  };
}

const bytes = (text: Uint8Array | string) => (typeof text === "string" ? new TextEncoder().encode(text) : text);

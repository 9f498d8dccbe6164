// @zkml-chain/web/wallet: a proof made for an account, and handed to a contract by the account's wallet. Keys stay in the wallet: only
// addresses, chain ids and transactions go over EIP-1193. Input and salts do not.

import { acceptInference, contextOf } from "@zkml-chain/contracts";
import {
  type Abi, type Account, type Address, type Chain, type EIP1193Provider, type Hash, type Transport, type WalletClient,
  createWalletClient, custom,
} from "viem";
import { getBlock, getChainId, readContract, requestAddresses } from "viem/actions";
import type { Prover } from "./index.js";
import type { Hex, Input, Proven, ProveOptions } from "./types.js";

/** A client with an account that its wallet signs for. */
export type Wallet = WalletClient<Transport, Chain | undefined, Account>;

/** Asks a wallet for an account. `provider` is `window.ethereum`, or what EIP-6963 announced. */
export async function connect(provider: EIP1193Provider): Promise<Wallet> {
  const transport = custom(provider);
  const [account] = await requestAddresses(createWalletClient({ transport }));
  if (account === undefined) throw new TypeError("the wallet gives no account");
  return createWalletClient({ account, transport });
}

/** What a proof is made for. */
export type Purpose<abi extends Abi> = {
  /** The generated consumer's ABI. */
  abi: abi;
  consumer: Address;
  /** What is wanted done with the output, hashed as the application sees fit. */
  action: Hex;
  /** Seconds that the proof may wait for its block; 20 minutes by default. */
  seconds?: number;
  /** Why the input is to be believed; what it holds is up to the consumer. */
  provenance?: Hex;
};

/** A proof that a contract took. */
export type Accepted = { hash: Hash; outputs: unknown; proven: Proven; deadline: bigint };

/** Makes a proof that is bound to the wallet's account, the consumer and its next nonce, and has the wallet send it. */
export async function proveAndAccept<const abi extends Abi>(
  wallet: Wallet,
  prover: Prover,
  input: Input,
  { abi, consumer, action, seconds = 1200, provenance = "0x", ...options }: Purpose<abi> & Omit<ProveOptions, "context">,
): Promise<Accepted> {
  const subject = wallet.account.address;
  const nonces = { abi: NONCES, address: consumer, functionName: "nonces", args: [subject] } as const;
  const [chainId, nonce, block] = await Promise.all([getChainId(wallet), readContract(wallet, nonces), getBlock(wallet)]);
  const deadline = block.timestamp + BigInt(seconds);
  const context = contextOf({ chainId, consumer, subject, nonce, deadline, action });
  const proven = await prover.prove(input, { ...options, context });
  const { output, proof } = proven.forContracts;
  const { hash, outputs } = await acceptInference(wallet, { abi, consumer, action, deadline, output, proof, provenance });
  return { hash, outputs, proven, deadline };
}

/** The next nonce of a subject, which every consumer has. */
const NONCES = [
  {
    type: "function", name: "nonces", stateMutability: "view",
    inputs: [{ name: "subject", type: "address" }], outputs: [{ name: "", type: "uint256" }],
  },
] as const;

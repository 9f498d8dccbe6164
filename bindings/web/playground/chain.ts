// A local chain: puts the generated contracts up, and sends a proof. Accounts are the node's own, or the wallet's.

import { modelIdOf } from "@zkml-chain/contracts";
import type { Prover, Input, Work, ForContracts } from "@zkml-chain/web";
import { type Accepted, type Wallet, connect, proveAndAccept } from "@zkml-chain/web/wallet";
import { type Abi, type Address, type EIP1193Provider, type Hex, http, keccak256, toHex } from "viem";
import { addChain, deployContract, getChainId, getCode, readContract, switchChain, waitForTransactionReceipt, writeContract } from "viem/actions";

type Contract = { abi: Abi; bytecode: Hex };
/** What a model's proofs are judged by. */
export type Contracts = Record<"model" | "registry" | "router" | "verifier" | "consumer", Contract>;

/** Chains on which a verifier of a development setup may be put up. */
const LOCAL = [31337, 1337];
/** Seconds between the announcement of a new route and its use. */
const DELAY = 172_800n;
const ACTION = keccak256(toHex("zkml-chain playground"));

/** The address of a node on this machine. */
function local(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol !== "http:" || !["127.0.0.1", "localhost"].includes(address.hostname)) {
    throw new RangeError("the page talks to nodes on this machine only: http://127.0.0.1:8545 or http://localhost:8545");
  }
  return address;
}

/** A node on this machine as a provider: its own accounts sign. */
export function node(url: string): EIP1193Provider {
  local(url);
  const { request } = http(url, { timeout: 30_000, retryCount: 0 })({});
  const asked = ({ method, params }: { method: string; params?: unknown }) =>
    request({ method: method === "eth_requestAccounts" ? "eth_accounts" : method, params } as never);
  return { request: asked, on() {}, removeListener() {} } as unknown as EIP1193Provider;
}

export type Sent = Accepted & { consumer: Address; block: bigint; gas: bigint };

/** Consumers that were put up, by chain, account and model. */
const put = new Map<string, Address>();

/** Proves for the chain, and has the contract take it. `tell` says what is being done. */
export async function send(
  provider: EIP1193Provider, prover: Prover, input: Input, contracts: Contracts, registration: ForContracts["registration"],
  tell: (text: string) => void, { home, ...work }: Work & { home: string | undefined },
): Promise<Sent> {
  const wallet = await connect(provider);
  let chainId = await getChainId(wallet);
  if (home !== undefined && prover.about.unsafeDevSetup && !LOCAL.includes(chainId)) {
    tell("asking the wallet to come to the local chain");
    await bring(wallet, home);
    chainId = await getChainId(wallet);
  }
  if (prover.about.unsafeDevSetup && !LOCAL.includes(chainId)) {
    throw new RangeError(`the chain has the id ${chainId}; contracts of a development setup are put up on a local chain only (31337)`);
  }
  const key = `${chainId} ${wallet.account.address} ${prover.about.vkDigest}`;
  let consumer = put.get(key);
  // A local chain forgets when it is started again.
  if (consumer === undefined || (await getCode(wallet, { address: consumer })) === undefined) {
    consumer = await putUp(wallet, contracts, registration, tell);
    put.set(key, consumer);
  }
  tell("proving for the next nonce of your account at the contract");
  const accepted = await proveAndAccept(wallet, prover, input, { abi: contracts.consumer.abi, consumer, action: ACTION, ...work });
  const { status, blockNumber, gasUsed } = await mined(wallet, accepted.hash);
  if (status !== "success") throw new Error(`the transaction ${accepted.hash} was reverted`);
  return { ...accepted, consumer, block: blockNumber, gas: gasUsed };
}

/** What a wallet answers about a chain that it does not know. */
const UNKNOWN_CHAIN = 4902;

/** Has a wallet come to the local chain, of which it may have to be told. */
async function bring(wallet: Wallet, url: string): Promise<void> {
  const chain = {
    id: LOCAL[0] as number, name: "Local chain", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [local(url).href] } },
  };
  try {
    await switchChain(wallet, chain);
  } catch (error) {
    if ((error as { code?: number }).code !== UNKNOWN_CHAIN) throw error;
    await addChain(wallet, { chain });
    await switchChain(wallet, chain);
  }
}

const mined = (wallet: Wallet, hash: Hex) => waitForTransactionReceipt(wallet, { hash, pollingInterval: 100, timeout: 60_000 });

/** Verifier, registry, router and consumer, in the order in which they know each other. */
async function putUp(wallet: Wallet, contracts: Contracts, registration: ForContracts["registration"], tell: (text: string) => void): Promise<Address> {
  const owner = wallet.account.address;
  const deploy = async (role: keyof Contracts, args: readonly unknown[]) => {
    tell(`putting up the ${role === "model" ? "model's verifier" : role}`);
    const { abi, bytecode } = contracts[role];
    const { contractAddress } = await mined(wallet, await deployContract(wallet, { abi, bytecode, args, chain: null } as never));
    if (!contractAddress) throw new Error(`the ${role} was not put up`);
    return contractAddress;
  };
  const model = await deploy("model", []);
  const registry = await deploy("registry", []);
  const router = await deploy("router", [owner, DELAY, [model]]);
  const verifier = await deploy("verifier", [registry, router]);
  tell("registering the model");
  const modelId = modelIdOf(owner, registration);
  const call = { abi: contracts.registry.abi, address: registry, functionName: "registerModel", args: [{ ...registration, uri: "" }], chain: null };
  await mined(wallet, await writeContract(wallet, call as never));
  await readContract(wallet, { abi: contracts.registry.abi, address: registry, functionName: "identityOf", args: [modelId] });
  return deploy("consumer", [verifier, modelId, owner]);
}

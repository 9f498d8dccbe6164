// viem actions: hand proofs in, ask for them, look at outputs. Each is a function of a client, and `client.extend(zkmlActions)` has
// all of them. What sends a transaction tries it first, and throws the contract's own error where it would be refused.

import type {
  Abi, Account, Address, Chain, Client, ContractFunctionName, ContractFunctionReturnType, Hash, Hex, Log, Transport,
} from "viem";
import { decodeErrorResult, parseEventLogs, zeroAddress } from "viem";
import { readContract, simulateContract, writeContract } from "viem/actions";
import { refusalsAbi, requestConsumerAbi, zkmlRewardsAbi, zkmlVerifierAbi } from "./abis.js";
import type { Request, Reward } from "./statement.js";

type AnyClient = Client<Transport, Chain | undefined, Account | undefined>;

/** What a function of a contract returns, by the contract's ABI. */
type Returned<abi extends Abi, name extends string> = ContractFunctionReturnType<
  abi, "nonpayable" | "view", Extract<name, ContractFunctionName<abi, "nonpayable" | "view">>
>;

/** Who sends a transaction; the client's own account by default. */
type From = { account?: Account | Address };

/** A proven output. */
export type Proven = {
  /** The words of the output section. */
  output: Hex;
  /** The proof blob. */
  proof: Hex;
};

/** What {@link acceptInference} takes. */
export type AcceptInferenceParameters<abi extends Abi> = From & Proven & {
  /** The generated consumer's ABI, `as const`: `zkml-chain-abis` writes it. */
  abi: abi;
  consumer: Address;
  /** What the sender wants done with the output, hashed as the application sees fit. */
  action: Hex;
  /** Last acceptable block time, in seconds since 1970; the proof is bound to it. */
  deadline: bigint;
  /** Why the input is to be believed; what it holds is up to the consumer. */
  provenance?: Hex;
};

/** Has a generated consumer take an inference about the sender (`verifyInference`); the outputs are as it would return them now. */
export async function acceptInference<const abi extends Abi>(
  client: AnyClient,
  { abi, consumer, action, deadline, output, proof, provenance = "0x", account }: AcceptInferenceParameters<abi>,
): Promise<{ hash: Hash; outputs: Returned<abi, "verifyInference"> }> {
  const args = [action, { deadline, output, proof, provenance }];
  const sent = await send(client, { abi, address: consumer, functionName: "verifyInference", args, account });
  return { hash: sent.hash, outputs: sent.result as Returned<abi, "verifyInference"> };
}

/** What {@link predict} takes. */
export type PredictParameters<abi extends Abi> = Proven & {
  /** The generated consumer's ABI, `as const`: `zkml-chain-abis` writes it. */
  abi: abi;
  consumer: Address;
};

/**
 * The outputs that a proof is about, by name, with 18 decimals: a view (`checkInference`), which throws if the proof does not hold.
 * Good for looking, not for deciding: it does not matter what the proof is bound to, and nothing is used up.
 */
export async function predict<const abi extends Abi>(
  client: AnyClient,
  { abi, consumer, output, proof }: PredictParameters<abi>,
): Promise<Returned<abi, "checkInference">> {
  const call = { abi: withRefusals(abi), address: consumer, functionName: "checkInference", args: [output, proof] };
  return (await readContract(client, call)) as Returned<abi, "checkInference">;
}

/** An inference as `ZKMLVerifier` takes it. */
export type BatchInference = Proven & {
  /** The commitment to input and context: {@link inputCommitmentOf}. */
  inputCommitment: Hex;
};

/** What {@link verifyBatch}, {@link checkBatch} and {@link firstRefused} take. */
export type BatchParameters = {
  /** The `ZKMLVerifier`. */
  verifier: Address;
  /** The model of all of them, as the registry knows it. */
  modelId: bigint;
  /** One at least. */
  inferences: readonly BatchInference[];
};

/** The first inference of a batch that is refused, and the contract's error. */
export type Refused = { index: number; error: string };

/** Has `ZKMLVerifier` verify and log inferences of one model, all or none. Throws {@link BatchError} with the first that is refused. */
export async function verifyBatch(client: AnyClient, { account, ...batch }: From & BatchParameters): Promise<Hash> {
  const call = { abi: zkmlVerifierAbi, address: batch.verifier, functionName: "verifyBatch", args: argsOf(batch), account };
  const { hash } = await naming(client, batch, () => send(client, call));
  return hash;
}

/** The same as a view: nothing is logged. */
export async function checkBatch(client: AnyClient, batch: BatchParameters): Promise<void> {
  const call = { abi: withRefusals(zkmlVerifierAbi), address: batch.verifier, functionName: "checkBatch", args: argsOf(batch) };
  await naming(client, batch, () => readContract(client, call));
}

/** The first of the inferences that is refused alone, if any is: a view. */
export async function firstRefused(client: AnyClient, batch: BatchParameters): Promise<Refused | undefined> {
  const [index, reason] = await readContract(client, {
    abi: zkmlVerifierAbi, address: batch.verifier, functionName: "firstRefused", args: argsOf(batch),
  });
  if (index >= BigInt(batch.inferences.length)) return undefined;
  return { index: Number(index), error: errorOf(reason) };
}

/** A batch was refused because of one of its inferences. */
export class BatchError extends Error {
  override name = "BatchError";
  constructor(
    /** Which inference, and why. */
    readonly refused: Refused,
    cause: unknown,
  ) {
    super(`inference ${refused.index} of the batch is refused: ${refused.error}`, { cause });
  }
}

/** What {@link acceptBatch} takes of each inference. */
export type Claim = Proven & {
  /** Whom it is about. */
  subject: Address;
  /** What it is for, hashed as the application sees fit. */
  action: Hex;
  /** Last acceptable block time, in seconds since 1970; the proof is bound to it. */
  deadline: bigint;
  /** Why the input is to be believed; what it holds is up to the consumer. */
  provenance?: Hex;
};

/** What {@link acceptBatch} takes. */
export type AcceptBatchParameters<abi extends Abi> = From & {
  /** The consumer's ABI, `as const`: `zkml-chain-abis` writes it. */
  abi: abi;
  consumer: Address;
  /** The consumer's function that takes `ZKMLBatchConsumer.Claim[]`, and nothing else. */
  functionName: Extract<ContractFunctionName<abi, "nonpayable">, string>;
  /** One at least. Those of a subject come in the order of their nonces. */
  claims: readonly Claim[];
};

/** Has a consumer that inherits `ZKMLBatchConsumer` take several inferences, all or none. */
export async function acceptBatch<const abi extends Abi>(
  client: AnyClient,
  { abi, consumer, functionName, claims, account }: AcceptBatchParameters<abi>,
): Promise<Hash> {
  const structs = claims.map(({ subject, action, deadline, output, proof, provenance = "0x" }) => {
    return { subject, action, inference: { deadline, output, proof, provenance } };
  });
  const { hash } = await send(client, { abi, address: consumer, functionName, args: [structs], account });
  return hash;
}

/** What {@link requestInference} takes. */
export type RequestInferenceParameters = From & {
  consumer: Address;
  /** What the sender wants done with the output, hashed as the application sees fit. */
  action: Hex;
  /** Last acceptable block time, in seconds since 1970. */
  deadline: bigint;
  /** The commitment to the input. */
  dataCommitment: Hex;
  /** The words of the input section where inputs are public; else empty. */
  input?: Hex;
  /** Why the input is to be believed; what it holds is up to the consumer. */
  provenance?: Hex;
  /** What whoever proves it is paid. */
  reward?: Reward;
  /** Coins that come along for the reward; without them it is paid from the payer's deposit. */
  value?: bigint;
};

/** Asks for an inference about the sender; {@link requestsIn} finds the request in the receipt's logs. */
export async function requestInference(client: AnyClient, parameters: RequestInferenceParameters): Promise<Hash> {
  const { consumer, action, deadline, dataCommitment, input = "0x", provenance = "0x", reward, value, account } = parameters;
  if (reward === undefined && value !== undefined) throw new RangeError("coins come along for a reward only");
  const [functionName, args] = reward
    ? ["requestRewarded", [action, deadline, dataCommitment, reward, input, provenance]]
    : ["requestInference", [action, deadline, dataCommitment, input, provenance]];
  const { hash } = await send(client, { abi: requestConsumerAbi, address: consumer, functionName, args, account, value });
  return hash;
}

/** A request as a log has it. */
export type Requested = {
  consumer: Address;
  requestId: bigint;
  request: Request;
  /** The words of the input section where inputs are public; else empty. */
  input: Hex;
  /** What whoever proves it is paid, if anything. */
  reward?: Reward;
};

/** The requests in the logs of receipts or filters, with rewards and without. Whose contract a log is of, the caller decides. */
export function requestsIn(logs: Log[]): Requested[] {
  const events = parseEventLogs({
    abi: zkmlRewardsAbi,
    logs,
    eventName: ["InferenceRequested", "RewardedInferenceRequested"],
  });
  return events.map((event) => {
    const { address: consumer } = event;
    if (event.eventName === "RewardedInferenceRequested") return { consumer, ...event.args };
    const { requestId, input, ...request } = event.args;
    return { consumer, requestId, request, input };
  });
}

/** What {@link proveRequest} takes. */
export type ProveRequestParameters = From & Proven & {
  consumer: Address;
  /** The request, as its event has it. */
  request: Request;
} & (
  | { reward?: undefined; prover?: undefined }
  /** The reward, as the event has it, and whom the proof is bound to: that is who is paid. */
  | { reward: Reward; prover: Address }
);

/** Hands the proof of a request in; anybody may. */
export async function proveRequest(client: AnyClient, parameters: ProveRequestParameters): Promise<Hash> {
  const { consumer, request, reward, prover, output, proof, account } = parameters;
  const [functionName, args] = reward
    ? ["fulfillRewarded", [request, reward, prover ?? zeroAddress, output, proof]]
    : ["fulfillInference", [request, output, proof]];
  const { hash } = await send(client, { abi: zkmlRewardsAbi, address: consumer, functionName, args, account });
  return hash;
}

/** All actions, for `client.extend(zkmlActions)`. */
export function zkmlActions(client: AnyClient) {
  return {
    acceptInference: <const abi extends Abi>(parameters: AcceptInferenceParameters<abi>) =>
      acceptInference(client, parameters),
    predict: <const abi extends Abi>(parameters: PredictParameters<abi>) => predict(client, parameters),
    requestInference: (parameters: RequestInferenceParameters) => requestInference(client, parameters),
    proveRequest: (parameters: ProveRequestParameters) => proveRequest(client, parameters),
    acceptBatch: <const abi extends Abi>(parameters: AcceptBatchParameters<abi>) => acceptBatch(client, parameters),
    verifyBatch: (parameters: From & BatchParameters) => verifyBatch(client, parameters),
    checkBatch: (parameters: BatchParameters) => checkBatch(client, parameters),
    firstRefused: (parameters: BatchParameters) => firstRefused(client, parameters),
  };
}

/** A consumer's ABI with the errors of what it asks about a proof, so that they come by name. */
const withRefusals = (abi: Abi): Abi => [...abi, ...refusalsAbi];

const argsOf = ({ modelId, inferences }: BatchParameters) =>
  [modelId, inferences.map(({ inputCommitment, output, proof }) => ({ inputCommitment, output, proof }))] as const;

/** Does something with a batch; where that fails because of one inference, the error names it. */
async function naming<T>(client: AnyClient, batch: BatchParameters, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    // Whatever else went wrong is said by the first error.
    const refused = await firstRefused(client, batch).catch(() => undefined);
    throw refused === undefined ? error : new BatchError(refused, error);
  }
}

/** A contract's error by its name, with its arguments. */
function errorOf(reason: Hex): string {
  if (reason === "0x") return "no reason";
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: refusalsAbi, data: reason }) as { errorName: string; args?: readonly unknown[] };
    return `${errorName}(${args.join(", ")})`;
  } catch {
    return reason;
  }
}

type Call = {
  abi: Abi;
  address: Address;
  functionName: string;
  args: readonly unknown[];
  account: Account | Address | undefined;
  value?: bigint | undefined;
};

/** Tries a call, then sends it. */
async function send(client: AnyClient, { abi, account = client.account, value, ...rest }: Call) {
  if (account === undefined) throw new TypeError("no account: give the client one, or pass `account`");
  const call = { ...rest, abi: withRefusals(abi), account, ...(value !== undefined && { value }) };
  const { result } = await simulateContract(client, call);
  const hash = await writeContract(client, { ...call, chain: client.chain ?? null });
  return { hash, result };
}

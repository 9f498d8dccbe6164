// What goes in and what comes out. Words are `0x` and 64 digits, as contracts have them; `Hex` is viem's type of the same name.

/** Bytes or a word, in hexadecimal. */
export type Hex = `0x${string}`;

/** The files of an artifact folder that proving takes, by their names there. Nothing else of the folder is needed. */
export type ArtifactFiles = {
  "graph.bin": Uint8Array;
  "plan.json": Uint8Array;
  "interface.json": Uint8Array;
  "program.json": Uint8Array;
  /** Its powers of the setup are taken, after a check; the rest of the keys is derived. */
  "proving.key": Uint8Array;
  /** Where weights are private: for their owner only. */
  "weights.bin"?: Uint8Array;
};

/** Names of the files that have to be there. */
export const ARTIFACT_FILES = ["graph.bin", "plan.json", "interface.json", "program.json", "proving.key"] as const;

/** Numbers of a tensor: flat, nested like its shape, or one number for one element. */
export type Numbers =
  | number | bigint | readonly Numbers[]
  | Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array
  | BigInt64Array | BigUint64Array;

/** An input of the model: numbers by name. */
export type Input = Readonly<Record<string, Numbers>>;

/** An input or output of a model. */
export type Port = {
  name: string;
  shape: number[];
  /** Element type in the ONNX model: `f32`, `i64`, … */
  kind: string;
  /** Binary logarithm of integer steps per unit. */
  scale: number;
  /** The range that the compiled model carries. */
  lo: number;
  hi: number;
  /** Hidden behind a salted commitment; else everybody sees its values. */
  committed: boolean;
};

/** A model whose keys were derived. */
export type About = {
  model: string;
  modelHash: Hex;
  /** Digest of the verifier program. With public weights, this and the model's hash name the model: compare it with the one you know. */
  vkDigest: Hex;
  /** The setup's secret is public: proofs prove nothing. */
  unsafeDevSetup: boolean;
  /** Threads that prove. */
  threads: number;
  proofBytes: number;
  inputs: Port[];
  outputs: Port[];
};

export type Role = "input" | "model" | "output";

/** A part of a statement. */
export type Field = {
  role: Role;
  name: string;
  /** In place of the values, where they are hidden. */
  commitment?: Hex;
  scale: number;
  /** The integers that are shown, as text: they may have 64 bits. */
  integers: string[];
  /** The same as numbers; null for what is no integer of 64 bits. */
  values: (number | null)[];
};

/** Public part of a proof. */
export type Statement = {
  model: string;
  modelHash: Hex;
  vkDigest: Hex;
  proofSystem: string;
  /** The setup's secret is public: the proof proves nothing. */
  unsafeDevSetup: boolean;
  /** What the proof is bound to; zero when unbound: then anybody may show it to anybody. */
  context: Hex;
  fields: Field[];
};

/** An opening of a commitment: a secret of the prover. `commit` of `commitment.mjs` takes it, and gives the commitment again. */
export type Salted = {
  role: Role;
  name: string;
  commitment: Hex;
  salt: Hex;
  parts: { bits: number; signed: boolean; values: string[] }[];
};

/** A proof as contracts take it, with the names of their arguments. */
export type ForContracts = {
  context: Hex;
  dataCommitment: Hex;
  inputCommitment: Hex;
  output: Hex;
  proof: Hex;
  registration: { modelHash: Hex; circuitHash: Hex; vkHash: Hex; proofSystemId: Hex };
};

/** The document that `zkml-chain prove` writes and `zkml-chain verify` reads. */
export type ProofDocument = { version: number; model: string; proof: Hex; instances: Hex[]; [more: string]: unknown };

/** A proof with all that belongs to it. */
export type Proven = {
  /** For everybody. */
  proof: ProofDocument;
  /** What it says. */
  statement: Statement;
  /** The same for a contract. */
  forContracts: ForContracts;
  /** Yours alone: without them nobody opens the commitments, with them anybody may try out what the inputs are. */
  salts: Salted[];
  /** Outputs that the statement only commits to, by name. */
  revealed: Record<string, number[]>;
  /** Time that the proof took in the worker. */
  milliseconds: number;
  /** Memory of the module after it, in bytes; it only grows. */
  memory: number;
};

/** Steps of long work, in their order. */
export const STAGES = {
  load: ["layout", "setup", "keys"],
  prove: ["run", "prove", "commit", "lookups", "sumchecks", "open", "verify"],
} as const;

/** A step that begins. */
export type Progress = { stage: string; /** Steps that were done before. */ done: number; total: number };

/** What long work may be given. */
export type Work = {
  /** Called when a step begins. */
  onProgress?: (progress: Progress) => void;
  /** Ends the work: the promise is rejected with the code `cancelled`, and nothing is left of it. */
  signal?: AbortSignal;
};

/** Options of a proof. */
export type ProveOptions = Work & {
  /** What the proof is bound to: `contextOf` of `@zkml-chain/contracts` computes it. */
  context?: Hex;
  /** Salts that were kept, by the name of the input; `weights` for private weights. What has none gets a fresh one. */
  salts?: Readonly<Record<string, Hex | bigint>>;
};

/** The kinds of refusal. */
export const ERROR_CODES = {
  artifact: "a file of the artifact folder cannot be used, or files do not belong together",
  setup: "points that are no trusted setup",
  unsupported: "a model that a browser does not prove",
  program: "a verifier program that cannot be used",
  proof: "a proof document that cannot be used, or one of another model",
  refused: "a proof that does not hold",
  input: "inputs of wrong names, shapes, types or ranges",
  option: "options that cannot be used: context, salts",
  randomness: "the browser gives no randomness",
  memory: "the browser gives no more memory",
  cancelled: "the work was cancelled",
  busy: "another proof is being made",
  closed: "the prover was closed",
  worker: "the worker or its module cannot be loaded",
  defect: "a mistake of this package: please report it",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Every refusal of this package. */
export class ZkmlError extends Error {
  override name = "ZkmlError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An error of the module as one of this package; what has no code of ours is taken for a mistake of ours. */
export function asZkmlError(error: unknown): ZkmlError {
  if (error instanceof ZkmlError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  return new ZkmlError(typeof code === "string" && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : "defect", message, { cause: error });
}

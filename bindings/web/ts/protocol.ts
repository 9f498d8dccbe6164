// What page and worker say to each other.

import type { ErrorCode } from "./errors.js";
import type { About, ArtifactFiles, Proven } from "./types.js";

/** Where the module with threads and the JavaScript that loads it are. */
export type Threaded = { script: string; wasm: string };

/** What a worker is asked to do. Each worker does one thing at a time, and loads before anything else. */
export type Task =
  | { do: "load"; files: ArtifactFiles; wasm: string | undefined; threaded: Threaded | undefined }
  /** To the prover's worker, once others have joined: how many threads there are, its own included. */
  | { do: "gather"; threads: number }
  /** To any other worker: be a thread of a module. */
  | { do: "join"; threaded: Threaded; module: WebAssembly.Module; memory: WebAssembly.Memory }
  | { do: "run"; sample: string }
  | { do: "prove"; sample: string; options: string };

/** What comes of it. */
export type Results = { load: About; run: Record<string, number[]>; prove: Proven };

/** What a worker answers: any number of stages, then an end. */
export type Answer =
  /** The prover's worker has a module with threads, and asks for others to join. */
  | { is: "hiring"; module: WebAssembly.Module; memory: WebAssembly.Memory }
  /** A worker that was to join does. */
  | { is: "joined" }
  | { is: "stage"; stage: string }
  | { is: "done"; result: unknown }
  | { is: "failed"; code: ErrorCode; message: string };

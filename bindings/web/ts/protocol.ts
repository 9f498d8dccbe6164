// What page and worker say to each other.

import type { ErrorCode } from "./errors.js";
import type { About, ArtifactFiles, Proven } from "./types.js";

/** What a worker is asked to do. Each worker does one thing at a time, and loads before anything else. */
export type Task =
  | { do: "load"; files: ArtifactFiles; wasm: string | undefined }
  | { do: "run"; sample: string }
  | { do: "prove"; sample: string; options: string };

/** What comes of it. */
export type Results = { load: About; run: Record<string, number[]>; prove: Proven };

/** What a worker answers: any number of stages, then an end. */
export type Answer =
  | { is: "stage"; stage: string }
  | { is: "done"; result: unknown }
  | { is: "failed"; code: ErrorCode; message: string };

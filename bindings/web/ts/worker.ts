// The worker: loads the module, derives the keys of one model, and proves. Nothing here opens a connection, besides the one that
// loads the module itself.

import * as single from "./prove/zkml.js";
import { type ErrorCode, ZkmlError, asZkmlError } from "./errors.js";
import type { Answer, Task, Threaded } from "./protocol.js";

/** The module with threads has the same calls, and two more. */
type WithThreads = typeof single & { gather(threads: number): void; join(): void };

/** A worker's global scope as it is used here: its types are not those of a page. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage: (answer: Answer) => void;
};

let calls: typeof single = single;
let memory: WebAssembly.Memory | undefined;
let prover: single.Prover | undefined;
/** Goes on with loading, once others have joined. */
let gathered: ((threads: number) => void) | undefined;

const listener = (stage: string) => scope.postMessage({ is: "stage", stage });

scope.onmessage = async ({ data: task }) => {
  if (task.do === "gather") return gathered?.(task.threads);
  try {
    scope.postMessage({ is: "done", result: await done(task) });
  } catch (error) {
    scope.postMessage({ is: "failed", ...failure(error) });
  }
};

async function done(task: Exclude<Task, { do: "gather" }>): Promise<unknown> {
  if (task.do === "join") return joined(task);
  if (task.do === "load") {
    const threads = await loaded(task.wasm, task.threaded);
    const { files } = task;
    prover = new calls.Prover(
      files["graph.bin"], files["plan.json"], files["interface.json"], files["program.json"], files["proving.key"],
      files["weights.bin"], listener,
    );
    return { ...JSON.parse(prover.about()), threads };
  }
  if (prover === undefined) throw new ZkmlError("defect", "the worker was asked before a model was loaded");
  if (task.do === "run") return JSON.parse(prover.run(task.sample));
  const started = performance.now();
  const proven = JSON.parse(prover.prove(task.sample, task.options, listener));
  return { ...proven, milliseconds: performance.now() - started, memory: memory?.buffer.byteLength };
}

/** Loads a module, with threads if they can be had, and says how many it has. */
async function loaded(wasm: string | undefined, threaded: Threaded | undefined): Promise<number> {
  if (threaded !== undefined) {
    // Without threads the same is proven, only slower: nothing of this is worth a refusal.
    const threads = await many(threaded).catch(() => undefined);
    if (threads !== undefined) return threads;
  }
  try {
    ({ memory } = await (wasm === undefined ? single.default() : single.default({ module_or_path: wasm })));
    return 1;
  } catch (error) {
    throw new ZkmlError("worker", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

async function many(threaded: Threaded): Promise<number> {
  const found = await script(threaded);
  const module = await WebAssembly.compileStreaming(fetch(threaded.wasm));
  ({ memory } = await found.default({ module_or_path: module }));
  const threads = new Promise<number>((resolve) => (gathered = resolve));
  scope.postMessage({ is: "hiring", module, memory });
  found.gather(await threads);
  calls = found;
  return threads;
}

/** Is a thread of a module from then on: this returns when something went wrong. */
async function joined({ threaded, module, memory: shared }: Extract<Task, { do: "join" }>): Promise<void> {
  const found = await script(threaded);
  // The generated types know of no memory that is given.
  ({ memory } = await found.default({ module_or_path: module, memory: shared } as Parameters<typeof found.default>[0]));
  calls = found;
  scope.postMessage({ is: "joined" });
  found.join();
}

/** Bundlers are to leave it: whoever bundles says where it is. */
const script = (threaded: Threaded): Promise<WithThreads> => import(/* @vite-ignore */ /* webpackIgnore: true */ threaded.script);

/** Four GiB are all that a module can address. */
const NEARLY_ALL = 0xf000_0000;

function failure(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof WebAssembly.RuntimeError) {
    const place = calls.panicked();
    const bytes = memory?.buffer.byteLength ?? 0;
    // An allocation that fails ends the module without a panic.
    if (place === undefined || bytes > NEARLY_ALL) {
      return { code: "memory", message: `the browser gave no more memory; the module had ${Math.round(bytes / 2 ** 20)} MB` };
    }
    return { code: "defect", message: `the module stopped at ${place}; please report it` };
  }
  const { code, message } = asZkmlError(error);
  return { code, message };
}

// The worker: loads the module, derives the keys of one model, and proves. Nothing here opens a connection, besides the one that
// loads the module itself.

import init, { Prover, panicked } from "./prove/zkml.js";
import { type ErrorCode, ZkmlError, asZkmlError } from "./errors.js";
import { addresses } from "./prove/table.js";
import type { Answer, Task } from "./protocol.js";
import { restore } from "./table.js";

/** The part of a worker's global scope that is used: its types are not those of a page. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage: (answer: Answer) => void;
};

let memory: WebAssembly.Memory | undefined;
let prover: Prover | undefined;

const listener = (stage: string) => scope.postMessage({ is: "stage", stage });

scope.onmessage = async ({ data: task }) => {
  try {
    scope.postMessage({ is: "done", result: await done(task) });
  } catch (error) {
    scope.postMessage({ is: "failed", ...failure(error) });
  }
};

async function done(task: Task): Promise<unknown> {
  if (task.do === "load") {
    memory = (await module(task.wasm)).memory;
    const { files } = task;
    prover = new Prover(
      files["graph.bin"], files["plan.json"], files["interface.json"], files["program.json"], files["proving.key"],
      files["weights.bin"], listener,
    );
    return JSON.parse(prover.about());
  }
  if (prover === undefined) throw new ZkmlError("defect", "the worker was asked before a model was loaded");
  if (task.do === "run") return JSON.parse(prover.run(task.sample));
  const started = performance.now();
  const proven = JSON.parse(prover.prove(task.sample, task.options, listener));
  return { ...proven, milliseconds: performance.now() - started, memory: memory?.buffer.byteLength };
}

async function module(wasm: string | undefined) {
  try {
    const module = await (wasm === undefined ? init() : init({ module_or_path: wasm }));
    restore(module.memory, addresses);
    return module;
  } catch (error) {
    throw new ZkmlError("worker", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

/** Four GiB are all that a module can address. */
const NEARLY_ALL = 0xf000_0000;

function failure(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof WebAssembly.RuntimeError) {
    const place = panicked();
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

// @zkml-chain/web: proofs made where the input is typed.
//
//   import { load } from "@zkml-chain/web";
//   const prover = await load(files);
//   const { proof, statement, salts } = await prover.prove({ applicant: [1, 0, 0, …] });
//
// All work is done in a worker. Neither input nor salt leaves it, besides to whoever asked.

import { ZkmlError } from "./errors.js";
import { inputToJson } from "./input.js";
import type { Answer, Results, Task, Threaded } from "./protocol.js";
import { ARTIFACT_FILES, type About, type ArtifactFiles, type Hex, type Input, type ProveOptions, type Proven, STAGES, type Work } from "./types.js";

export { ERROR_CODES, type ErrorCode, ZkmlError } from "./errors.js";
export * from "./types.js";

/** Where the worker and its module are, for who does not take those beside this file. */
export type Places = {
  /** Makes a worker that runs `worker.js`. */
  worker?: () => Worker;
  /** Address of `prove/zkml_bg.wasm`. */
  wasm?: string;
  /** Addresses of `threads/zkml.js` and `threads/zkml_bg.wasm`. */
  threaded?: Threaded;
  /**
   * Most threads that prove: as many as the machine has without, but eight at most. There is one where the page is not cross-origin
   * isolated, and where the module with threads cannot be loaded; `about.threads` says how many there are.
   */
  threads?: number;
};

/** More threads than these gain little, and each takes memory. */
const MOST_THREADS = 8;

/**
 * Derives the keys of a model in a worker. The files need not be trusted: what does not follow from the model and a checked setup is
 * refused. Which model it is, `about.vkDigest` says: compare it with the one that you know.
 */
export async function load(files: ArtifactFiles, options: Work & Places = {}): Promise<Prover> {
  const { threads = 1 } = options;
  if (!Number.isSafeInteger(threads) || threads < 1) throw new ZkmlError("option", `${threads} threads: a whole number from 1 on is expected`);
  for (const name of ARTIFACT_FILES) {
    if (!(files?.[name] instanceof Uint8Array)) {
      throw new ZkmlError("artifact", `${name} is not there: bring the files of one artifact folder (${ARTIFACT_FILES.join(", ")})`);
    }
  }
  const desk = new Desk(files, options);
  try {
    return new Prover(desk, await desk.load(options));
  } catch (error) {
    desk.close();
    throw error;
  }
}

/** Proves runs of one model. */
export class Prover {
  constructor(
    private readonly desk: Desk,
    /** What the model takes and gives. */
    readonly about: About,
  ) {}

  /**
   * Proves what the model says about an input. The proof has been accepted by a verifier when it is given out. One proof is made at a
   * time; after a cancelled one the keys are derived again, before the next.
   */
  async prove(input: Input, { context, salts, ...work }: ProveOptions = {}): Promise<Proven> {
    const options = JSON.stringify({ ...(context !== undefined && { context }), ...(salts && { salts: written(salts) }) });
    return this.desk.ask<"prove">({ do: "prove", sample: inputToJson(input), options }, work);
  }

  /** What the model says about an input, as the proof would say it. Nothing is proven. */
  async run(input: Input, work: Work = {}): Promise<Record<string, number[]>> {
    return this.desk.ask<"run">({ do: "run", sample: inputToJson(input) }, work);
  }

  /** Ends the worker. Work in progress is rejected with the code `closed`. */
  close(): void {
    this.desk.close();
  }
}

function written(salts: Readonly<Record<string, Hex | bigint>>): Record<string, string> {
  const word = (salt: Hex | bigint) => (typeof salt === "bigint" ? `0x${salt.toString(16).padStart(64, "0")}` : salt);
  return Object.fromEntries(Object.entries(salts).map(([name, salt]) => [name, word(salt)]));
}

/** A worker that is asked one thing at a time, and replaced, with those that help it, when something was cancelled or went wrong. */
class Desk {
  private worker: Worker | undefined;
  private helpers: Worker[] = [];
  private end: ((error: ZkmlError) => void) | undefined;
  private closed = false;

  constructor(
    private readonly files: ArtifactFiles,
    private readonly places: Places,
  ) {}

  load(work: Work): Promise<About> {
    return this.alone(work, () => this.loaded(work));
  }

  ask<D extends "run" | "prove">(task: Extract<Task, { do: D }>, work: Work): Promise<Results[D]> {
    return this.alone(work, async () => {
      if (this.worker === undefined) await this.loaded({ ...(work.signal && { signal: work.signal }) });
      return this.told<D>(task, work);
    });
  }

  close(): void {
    this.closed = true;
    this.stop(new ZkmlError("closed", "the prover was closed"));
  }

  private loaded(work: Work): Promise<About> {
    const { wasm, threaded = ownThreaded() } = this.places;
    return this.told<"load">({ do: "load", files: this.files, wasm, threaded: this.wanted() > 1 ? threaded : undefined }, work);
  }

  /** Threads to have, if they can be had. */
  private wanted(): number {
    if (!globalThis.crossOriginIsolated) return 1;
    return Math.min(this.places.threads ?? MOST_THREADS, navigator.hardwareConcurrency ?? 1);
  }

  /** Starts the workers that help one, and tells it how many do. */
  private async hire(worker: Worker, { module, memory }: Extract<Answer, { is: "hiring" }>): Promise<void> {
    const threaded = this.places.threaded ?? ownThreaded();
    const hired = Array.from({ length: this.wanted() - 1 }, () => {
      const helper = (this.places.worker ?? ownWorker)();
      this.helpers.push(helper);
      return new Promise<number>((resolve) => {
        let joined = false;
        // One that cannot join is done without. One that fails later has left its work undone.
        const left = (error: ZkmlError) => (joined ? this.failed(error) : resolve(0));
        helper.onmessage = ({ data }: MessageEvent<Answer>) => {
          if (data.is === "joined") {
            joined = true;
            resolve(1);
          }
          if (data.is === "failed") left(new ZkmlError(data.code, data.message));
        };
        helper.onerror = (event) => {
          event.preventDefault();
          left(new ZkmlError("worker", `a thread ended: ${event.message}`));
        };
        helper.postMessage({ do: "join", threaded, module, memory } satisfies Task);
      });
    });
    const joined = await Promise.all(hired);
    worker.postMessage({ do: "gather", threads: joined.reduce((sum, one) => sum + one, 1) } satisfies Task);
  }

  /** Ends what is being done, with the worker: a module that was stopped half-way is not used again. */
  private stop(why: ZkmlError): void {
    for (const worker of [this.worker, ...this.helpers]) worker?.terminate();
    this.worker = undefined;
    this.helpers = [];
    this.end?.(why);
  }

  private busy = false;

  private async alone<T>({ signal }: Work, act: () => Promise<T>): Promise<T> {
    if (this.closed) throw new ZkmlError("closed", "the prover was closed");
    if (this.busy) throw new ZkmlError("busy", "another proof is being made: wait for it, or cancel it");
    if (signal?.aborted) throw new ZkmlError("cancelled", "cancelled before it began");
    const cancel = () => this.stop(new ZkmlError("cancelled", "cancelled"));
    this.busy = true;
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await act();
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.busy = false;
    }
  }

  private told<D extends keyof Results>(task: Task, { onProgress, signal }: Work): Promise<Results[D]> {
    if (this.closed) throw new ZkmlError("closed", "the prover was closed");
    if (signal?.aborted) throw new ZkmlError("cancelled", "cancelled");
    const worker = (this.worker ??= (this.places.worker ?? ownWorker)());
    const stages: readonly string[] = task.do === "load" ? STAGES.load : STAGES.prove;
    const heard = new Promise<Results[D]>((resolve, reject) => {
      this.end = reject;
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if (data.is === "done") return resolve(data.result as Results[D]);
        if (data.is === "hiring") return void this.hire(worker, data);
        if (data.is === "failed") return this.failed(new ZkmlError(data.code, data.message));
        if (data.is !== "stage") return;
        const done = stages.indexOf(data.stage);
        if (done >= 0) onProgress?.({ stage: data.stage, done, total: stages.length });
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.stop(new ZkmlError("worker", `the worker cannot be started: ${event.message || "its script was not found"}`));
      };
      worker.postMessage(task);
    });
    return heard.finally(() => (this.end = undefined));
  }

  private failed(error: ZkmlError): void {
    // A module that stopped is not asked again; one that refused is as it was.
    if (["memory", "defect", "worker"].includes(error.code)) this.stop(error);
    else this.end?.(error);
  }
}

function ownWorker(): Worker {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "zkml-chain prover" });
}

function ownThreaded(): Threaded {
  return { script: new URL("./threads/zkml.js", import.meta.url).href, wasm: new URL("./threads/zkml_bg.wasm", import.meta.url).href };
}

// The playground: choose a model, type an input, see the proof, send it to a local chain.

import { type Input, type Progress, type Prover, type Proven, ZkmlError, load } from "@zkml-chain/web";
import { type Verifier, loadVerifier } from "@zkml-chain/web/verify";
import type { EIP1193Provider } from "viem";
import { node, send } from "./chain.js";
import { FieldError, fill, mark, showFields, typed } from "./fields.js";
import { type Offer, chosen, offered } from "./files.js";
import { at, facts, make, say, save, short } from "./page.js";
import { tell } from "./story.js";
import { type Named, wallets } from "./wallets.js";

/** What is on the page now. */
const now: { offer?: Offer; prover?: Prover; proven?: Proven; program?: string; work?: AbortController; choice: number } = { choice: 0 };

/** Whether the module with threads was built; the bundler puts it in. */
declare const THREADED: boolean;

const beside = (file: string) => new URL(file, document.baseURI).href;
const places = {
  worker: () => new Worker("worker.js", { type: "module" }),
  wasm: beside("prove.wasm"),
  ...(THREADED ? { threaded: { script: beside("threads.js"), wasm: beside("threads.wasm") } } : { threads: 1 }),
};
let verifier: Promise<Verifier> | undefined;

const STAGES: Record<string, string> = {
  layout: "Laying the model out", setup: "Checking the setup", keys: "Deriving the keys",
  run: "Running the model", prove: "Preparing", commit: "Committing to the run", lookups: "Ranges and tables", sumchecks: "Sumchecks",
  open: "Opening", verify: "Verifying",
};

/** Does work that can be cancelled, with what the page shows of it. */
async function working<T>(act: (work: { signal: AbortSignal; onProgress: (p: Progress) => void }) => Promise<T>): Promise<T> {
  const work = (now.work = new AbortController());
  buttons();
  at("work").hidden = false;
  const onProgress = ({ stage, done, total }: Progress) => {
    at("stage").textContent = STAGES[stage] ?? stage;
    at<HTMLProgressElement>("progress").value = done / total;
  };
  try {
    return await act({ signal: work.signal, onProgress });
  } finally {
    if (now.work === work) delete now.work;
    at("work").hidden = true;
    at<HTMLProgressElement>("progress").value = 0;
    buttons();
  }
}

function buttons(): void {
  const ready = now.prover !== undefined && now.work === undefined;
  at<HTMLButtonElement>("prove").disabled = !ready;
  at<HTMLButtonElement>("cancel").disabled = now.work === undefined;
  at<HTMLButtonElement>("send").disabled = !ready;
  for (const wallet of at("wallets").querySelectorAll("button")) wallet.disabled = !ready;
  at("chain").hidden = now.proven === undefined || now.offer?.contracts === undefined;
}

const words = (error: unknown) => (error as { shortMessage?: string }).shortMessage ?? (error as Error).message ?? String(error);

/** Takes a model, and forgets the one before. */
async function choose(find: () => Promise<Offer>): Promise<void> {
  const choice = ++now.choice;
  now.work?.abort();
  now.prover?.close();
  for (const gone of ["offer", "prover", "proven", "program"] as const) delete now[gone];
  for (const id of ["result", "chain", "about", "dev", "examples"]) at(id).hidden = true;
  at("fields").replaceChildren();
  for (const id of ["prove-status", "chain-status"]) say(id, "", "");
  say("model-status", "", "reading the model");
  at("input-hint").textContent = "Choose a model first.";
  try {
    const offer = await find();
    if (choice !== now.choice) return;
    const started = performance.now();
    const prover = await working((work) => load(offer.files, { ...places, ...work }));
    if (choice !== now.choice) return prover.close();
    Object.assign(now, { offer, prover, program: new TextDecoder().decode(offer.files["program.json"]) });
    show(offer, prover, performance.now() - started);
  } catch (error) {
    if (choice === now.choice) say("model-status", "bad", `This model is refused: ${words(error)}`);
  } finally {
    buttons();
  }
}

function show({ entry, features, files }: Offer, { about }: Prover, milliseconds: number): void {
  const bytes = Object.values(files).reduce((all, file) => all + (file?.length ?? 0), 0);
  say("model-status", "good", `Keys derived here in ${Math.round(milliseconds)} ms, from ${Math.round(bytes / 1000)} kB.`);
  facts("about", [
    ["Model", about.model],
    ["Hash", make("code", {}, about.modelHash)],
    ["Key", make("code", {}, about.vkDigest)],
    ["Threads", about.threads === 1 && !crossOriginIsolated ? "1, since this page is not cross-origin isolated" : String(about.threads)],
    ["Inputs", about.inputs.map(({ name, committed }) => `${name}, ${committed ? "hidden" : "seen by everybody"}`).join("; ")],
    ["Outputs", about.outputs.map(({ name, committed }) => `${name}, ${committed ? "hidden" : "seen by everybody"}`).join("; ")],
  ]);
  at("dev").hidden = !about.unsafeDevSetup;
  at("input-hint").textContent = entry?.hint ?? "The ranges are those that the model was calibrated for.";
  showFields(about, features);
  const examples = Object.entries(entry?.examples ?? {});
  at("examples").replaceChildren(...examples.map(([name, values]) => make("button", { type: "button", onclick: () => fill(values) }, name)));
  at("examples").hidden = examples.length === 0;
  if (examples[0]) fill(examples[0][1]);
}

/** The input that is typed, or nothing once the page has said why not. */
function read(): Input | undefined {
  try {
    return typed();
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    say("prove-status", "bad", error.message);
    error.field.setAttribute("aria-invalid", "true");
    error.field.focus();
    return undefined;
  }
}

/** Which element the prover refuses, as its message says it. */
const ELEMENT = /`(.+?)`.*?(?:element|value|index) (\d+)/;

function refuse(error: unknown): void {
  const cancelled = error instanceof ZkmlError && ["cancelled", "closed"].includes(error.code);
  say("prove-status", cancelled ? "" : "bad", cancelled ? "Cancelled: nothing was kept." : `No proof: ${words(error)}`);
  const [, port, index] = (error instanceof ZkmlError && error.code === "input" && words(error).match(ELEMENT)) || [];
  if (port !== undefined && index !== undefined) mark(port, Number(index));
}

async function prove(): Promise<void> {
  const { prover } = now;
  if (prover === undefined || now.work !== undefined) return;
  const input = read();
  if (input === undefined) return;
  say("prove-status", "", "");
  try {
    const proven = await working((work) => prover.prove(input, work));
    if (prover !== now.prover) return;
    await present(proven);
    say("prove-status", "good", "Proven.");
    at("h-result").focus({ preventScroll: true });
    at("result").scrollIntoView({ block: "start" });
  } catch (error) {
    refuse(error);
  }
}

/** Asks the second verifier, in its own module, and shows what is proven. */
async function present(proven: Proven): Promise<void> {
  verifier ??= loadVerifier("verify.wasm");
  const { verify } = await verifier.catch((error: unknown) => {
    verifier = undefined;
    throw error;
  });
  const started = performance.now();
  verify(now.program ?? "", proven.proof);
  now.proven = proven;
  tell(proven, now.offer?.entry, performance.now() - started);
  at("result").hidden = false;
  buttons();
}

/** Hands a proof over. A wallet that is on another chain is asked to come to the one at `home`. */
async function hand(provider: () => EIP1193Provider, home?: string): Promise<void> {
  const { prover, offer, proven } = now;
  if (prover === undefined || proven === undefined || offer?.contracts === undefined || now.work !== undefined) return;
  const input = read();
  if (input === undefined) return;
  facts("receipt", []);
  const contracts = offer.contracts;
  const told = (text: string) => say("chain-status", "", text);
  try {
    const sent = await working((work) => send(provider(), prover, input, contracts, proven.forContracts.registration, told, { ...work, home }));
    await present(sent.proven);
    const { milliseconds } = sent.proven;
    say("chain-status", "good", `The contract took the proof, which was made for it in ${Math.round(milliseconds)} ms.`);
    const outputs = Object.entries(sent.outputs as Record<string, unknown>);
    const decimal = (value: unknown) => (typeof value === "bigint" ? short(Number(value) / 1e18) : Array.isArray(value) ? `${value.length} values` : String(value));
    facts("receipt", [
      ["Contract", make("code", {}, sent.consumer)],
      ["Transaction", make("code", {}, sent.hash)],
      ["Block", String(sent.block)],
      ["Gas", sent.gas.toLocaleString("en")],
      ...outputs.map(([name, value]) => [name, decimal(value)] as const),
    ]);
  } catch (error) {
    say("chain-status", "bad", `Not sent: ${words(error)}`);
  }
}

function listen(): void {
  at("unstarted").hidden = true;
  let tried: string | undefined;
  for (const radio of document.querySelectorAll<HTMLInputElement>("input[name=model]")) {
    radio.checked = false;
    // Chosen again after it could not be had, it is tried again.
    radio.addEventListener("click", () => {
      const failed = tried === radio.value && now.prover === undefined && now.work === undefined;
      if (failed && radio.value !== "folder") void choose(() => offered(radio.value));
    });
    radio.addEventListener("change", () => {
      tried = radio.value;
      at("drop").hidden = radio.value !== "folder";
      if (radio.value !== "folder") void choose(() => offered(radio.value));
    });
  }
  const folder = at<HTMLInputElement>("folder");
  folder.addEventListener("change", () => void choose(() => chosen([...(folder.files ?? [])])));
  const drop = at("drop");
  drop.addEventListener("dragover", (event) => (event.preventDefault(), drop.classList.add("over")));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const items = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
    void choose(async () => chosen((await Promise.all(items.map(within))).flat()));
  });
  at("form").addEventListener("submit", (event) => (event.preventDefault(), void prove()));
  at("cancel").addEventListener("click", () => now.work?.abort());
  at("chain-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void hand(() => node(at<HTMLInputElement>("rpc").value));
  });
  wallets((all) => {
    const offer = ({ name, provider }: Named) =>
      make("button", { type: "button", onclick: () => void hand(() => provider, at<HTMLInputElement>("rpc").value) }, `With ${name}`);
    at("wallets").replaceChildren(...all.map(offer));
    at("wallets").hidden = all.length === 0;
    buttons();
  });
  at("save-proof").addEventListener("click", () => now.proven && save("proof.json", `${JSON.stringify(now.proven.proof, null, 2)}\n`));
  at("save-salts").addEventListener("click", () => now.proven && save("salts.private.json", `${JSON.stringify(now.proven.salts, null, 2)}\n`));
}

/** The files of something that was dropped, those of folders below it included. */
async function within(entry: FileSystemEntry | null): Promise<File[]> {
  if (entry === null) return [];
  if (entry.isFile) return [await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: File[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...(await Promise.all(some.map(within))).flat());
  }
}

listen();

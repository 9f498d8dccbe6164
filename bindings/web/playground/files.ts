// Files of models: from beside the page, or from a folder that somebody chose.

import { ARTIFACT_FILES, type ArtifactFiles, ZkmlError } from "@zkml-chain/web";
import type { Contracts } from "./chain.js";

/** Larger files are none of an artifact folder that a page proves. */
const LARGEST = 256 * 2 ** 20;

export type Feature = { name: string; meaning: string; min: number; max: number };

/** A model's words in `models.json`. */
export type Entry = {
  title: string;
  contract: string;
  hint: string;
  says: { output: string; when?: { is: number; sentence: string }[]; else?: string; percent?: string };
  examples: Record<string, Record<string, number[]>>;
};

/** A model with all that the page knows of it. */
export type Offer = { files: ArtifactFiles; entry?: Entry; features?: Feature[]; contracts?: Contracts };

async function fetched(path: string): Promise<Response> {
  const answer = await fetch(path).catch((error: Error) => {
    throw new ZkmlError("artifact", `${path} cannot be fetched: ${error.message}`);
  });
  if (!answer.ok) throw new ZkmlError("artifact", `${path} cannot be fetched: the server says ${answer.status}`);
  return answer;
}

let entries: Promise<Record<string, Entry>> | undefined;

/** A model that lies beside the page. */
export async function offered(name: string): Promise<Offer> {
  entries ??= fetched("models.json").then((answer) => answer.json());
  const all = await entries.catch((error: unknown) => {
    entries = undefined;
    throw error;
  });
  const place = `models/${name}`;
  const bytes = async (file: string) => [file, new Uint8Array(await (await fetched(`${place}/${file}`)).arrayBuffer())] as const;
  const [files, contracts, features] = await Promise.all([
    Promise.all(ARTIFACT_FILES.map(bytes)),
    fetched(`${place}/contracts.json`).then((answer) => answer.json()),
    name === "credit" ? fetched(`${place}/features.json`).then((answer) => answer.json()) : undefined,
  ]);
  const offer: Offer = { files: Object.fromEntries(files) as unknown as ArtifactFiles, contracts };
  const entry = all[name];
  if (entry !== undefined) offer.entry = entry;
  if (features !== undefined) offer.features = features.features;
  return offer;
}

/** The artifact folder among files that somebody chose or dropped. Nothing is sent anywhere. */
export async function chosen(list: readonly File[]): Promise<Offer> {
  const files: Record<string, Uint8Array> = {};
  const contracts: Record<string, File> = {};
  for (const file of list) {
    if (([...ARTIFACT_FILES, "weights.bin"] as string[]).includes(file.name)) {
      if (file.name in files) throw new ZkmlError("artifact", `${file.name} is there twice: choose one artifact folder`);
      if (file.size > LARGEST) throw new ZkmlError("artifact", `${file.name} has ${file.size} bytes, ${LARGEST} are the most`);
      files[file.name] = new Uint8Array(await file.arrayBuffer());
    } else if (file.name.endsWith(".json") && file.size < 2 ** 20) {
      contracts[file.name.slice(0, -".json".length)] = file;
    }
  }
  const missing = ARTIFACT_FILES.filter((name) => !(name in files));
  if (missing.length > 0) {
    throw new ZkmlError("artifact", `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not there: choose a folder that \`zkml-chain setup\` has filled`);
  }
  const offer: Offer = { files: files as unknown as ArtifactFiles };
  const own = await contractsOf(contracts);
  if (own !== undefined) offer.contracts = own;
  return offer;
}

/** The contracts of a folder that `zkml-chain gen-verifier` has filled; none when some are not there. */
async function contractsOf(files: Record<string, File>): Promise<Contracts | undefined> {
  const consumer = Object.keys(files).find((name) => name.endsWith("AnyInputConsumer"));
  const name = consumer?.slice(0, -"AnyInputConsumer".length);
  const roles = { model: `${name}Verifier`, registry: "ZKMLRegistry", router: "ZKMLRouter", verifier: "ZKMLVerifier", consumer: `${name}AnyInputConsumer` };
  const read = async ([role, contract]: [string, string]) => {
    const file = files[contract];
    return file && ([role, JSON.parse(await file.text())] as const);
  };
  // What is no contract of ours cannot be sent to; the model is proven all the same.
  const found = await Promise.all(Object.entries(roles).map(read)).catch(() => [undefined]);
  const all = found.flatMap((entry) => (entry === undefined ? [] : [entry]));
  return all.length === Object.keys(roles).length ? (Object.fromEntries(all) as unknown as Contracts) : undefined;
}

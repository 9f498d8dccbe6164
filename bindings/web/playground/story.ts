// A statement in words.

import type { Field, Proven } from "@zkml-chain/web";
import type { Entry } from "./files.js";
import { at, facts, make, megabytes, short } from "./page.js";

/** Values of which no more are shown. */
const MOST = 16;

const list = (values: readonly (number | null)[]) =>
  values.slice(0, MOST).map((value) => (value === null ? "?" : short(value))).join(", ") + (values.length > MOST ? ", …" : "");

const ROLES = { input: "the input", model: "the weights", output: "the output" };

/** The sentence of a model, or one that fits all. */
export function sentence(fields: readonly Field[], says: Entry["says"] | undefined): string {
  const outputs = fields.filter(({ role }) => role === "output");
  const value = outputs.find(({ name }) => name === says?.output)?.values[0];
  if (says !== undefined && typeof value === "number") {
    if (says.percent !== undefined) return says.percent.replace("{}", `${(100 * value).toFixed(2)} %`);
    return says.when?.find(({ is }) => is === value)?.sentence ?? says.else ?? "";
  }
  const shown = outputs.map(({ name, commitment, values }) => (commitment ? `${name}, which is hidden` : `${name} = ${list(values)}`));
  return `The model gives ${shown.join("; ")}.`;
}

/** Shows a proof. */
export function tell({ proof, statement, milliseconds, memory, revealed }: Proven, entry: Entry | undefined, verifying: number): void {
  at("sentence").textContent = sentence(statement.fields, entry?.says);
  facts("figures", [
    ["Made in", `${Math.round(milliseconds)} ms, with ${megabytes(memory)} of memory`],
    ["Size", `${(proof.proof.length - 2) / 2} bytes`],
    ["Verified", `yes, by an independent verifier, in ${Math.round(verifying)} ms`],
    ["Proof system", statement.proofSystem],
    ["Bound to", /^0x0+$/.test(statement.context) ? "nothing: whoever has the proof can show it to anybody" : make("code", {}, statement.context)],
  ]);
  const open = statement.fields.filter(({ commitment }) => commitment === undefined);
  const closed = statement.fields.filter(({ commitment }) => commitment !== undefined);
  at("shown").replaceChildren(
    make("li", {}, "the model: ", make("code", {}, statement.modelHash)),
    make("li", {}, "its key: ", make("code", {}, statement.vkDigest)),
    ...open.map(({ role, name, values }) => make("li", {}, `${ROLES[role]} `, make("code", {}, name), ` = ${list(values)}`)),
    ...closed.map(({ role, name, commitment }) => make("li", {}, `a commitment to ${ROLES[role]} `, make("code", {}, name), ": ", make("code", {}, commitment ?? ""))),
  );
  const behind = closed.map(({ role, name }) => {
    const own = role === "output" && revealed[name] !== undefined ? ` (you see ${list(revealed[name])})` : "";
    return make("li", {}, `${ROLES[role]} `, make("code", {}, name), own, " and the salt of its commitment");
  });
  const all = [...behind, make("li", {}, "every value inside the model while it ran")];
  at("hidden").replaceChildren(...all);
}

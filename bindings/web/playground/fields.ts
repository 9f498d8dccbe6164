// The form of a model's inputs.

import type { About, Input, Numbers, Port } from "@zkml-chain/web";
import type { Feature } from "./files.js";
import { at, make, short } from "./page.js";

/** Inputs with more elements are typed as JSON. */
const MOST = 64;

const count = ({ shape }: Port) => shape.reduce((all, n) => all * n, 1);

/** Shows a field for each element of the inputs, or a text for each input that has too many. */
export function showFields(about: About, features: Feature[] | undefined): void {
  const fields = about.inputs.flatMap((port) => {
    const n = count(port);
    if (n > MOST) return [text(port, n)];
    return Array.from({ length: n }, (_, i) => number(port, i, features?.[i]));
  });
  at("fields").replaceChildren(...fields);
}

function number(port: Port, i: number, feature: Feature | undefined): HTMLElement {
  const id = `in-${port.name}-${i}`;
  const label = feature ? feature.meaning : count(port) === 1 ? port.name : `${port.name} ${i + 1}`;
  const { min, max } = feature ?? { min: port.lo, max: port.hi };
  const range = make("span", { className: "range", id: `${id}-range` }, `${short(min)} to ${short(max)}`);
  const input = make("input", { id, type: "text", inputMode: "decimal", autocomplete: "off" });
  input.dataset.port = port.name;
  input.setAttribute("aria-describedby", range.id);
  return make("div", { className: "field" }, make("label", { htmlFor: id }, label), make("div", {}, input, range));
}

function text(port: Port, n: number): HTMLElement {
  const id = `in-${port.name}`;
  const input = make("textarea", { id, spellcheck: false });
  input.dataset.port = port.name;
  const label = make("label", { htmlFor: id }, `${port.name}: ${n} numbers of the shape ${port.shape.join(" × ")}, as JSON`);
  return make("div", { className: "field wide" }, label, input);
}

const inputs = () => [...at("fields").querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("[data-port]")];

/** Fills the form in. */
export function fill(values: Record<string, number[]>): void {
  const at: Record<string, number> = {};
  for (const field of inputs()) {
    const port = field.dataset.port as string;
    field.removeAttribute("aria-invalid");
    if (field instanceof HTMLTextAreaElement) field.value = JSON.stringify(values[port] ?? []);
    else field.value = String(values[port]?.[(at[port] = (at[port] ?? -1) + 1)] ?? "");
  }
}

/** What is wrong with the form: the field that it is about, and the words. */
export class FieldError extends Error {
  constructor(
    readonly field: HTMLElement,
    message: string,
  ) {
    super(message);
  }
}

/** The input that the form holds. Ranges are for the prover to check: it knows the model's. */
export function typed(): Input {
  const input: Record<string, Numbers> = Object.create(null);
  for (const field of inputs()) {
    field.removeAttribute("aria-invalid");
    const port = field.dataset.port as string;
    if (field instanceof HTMLTextAreaElement) input[port] = parsed(field);
    else ((input[port] ??= []) as Numbers[]).push(one(field));
  }
  return { ...input };
}

/** Numbers as people write them: Number() would take hexadecimal ones as well. */
const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
/** A comma before three digits is a decimal one for some people, and none for others. */
const THOUSANDS = /^[-+−]?[1-9]\d{0,2}(,\d{3})+$/;

function one(field: HTMLInputElement): number {
  const name = field.labels?.[0]?.textContent ?? "a field";
  const text = field.value.trim();
  if (text === "") throw new FieldError(field, `“${name}” is empty`);
  if (THOUSANDS.test(text)) throw new FieldError(field, `“${name}” can be read in two ways: write ${text.replaceAll(",", "")}, or a point for the comma`);
  const plain = text.replace("−", "-").replace(",", ".");
  const value = DECIMAL.test(plain) ? Number(plain) : NaN;
  if (!Number.isFinite(value)) throw new FieldError(field, `“${name}” is no number: ${text.slice(0, 40)}`);
  return value;
}

function parsed(field: HTMLTextAreaElement): Numbers {
  try {
    return JSON.parse(field.value);
  } catch (error) {
    throw new FieldError(field, `“${field.dataset.port}” is no JSON: ${(error as Error).message}`);
  }
}

/** Marks the field of an element. */
export function mark(port: string, index: number): void {
  const field = inputs().filter((input) => input.dataset.port === port)[index];
  field?.setAttribute("aria-invalid", "true");
  field?.focus();
}

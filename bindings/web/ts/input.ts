import { ZkmlError } from "./errors.js";
import type { Input } from "./types.js";

/**
 * An input as the JSON that the module reads. JSON has no NaN and no infinity: they become text, which the module refuses by the name
 * of the input and the place of the element, as it does with all that is no number.
 */
export function inputToJson(input: Input): string {
  if (typeof input !== "object" || input === null || Array.isArray(input) || ArrayBuffer.isView(input)) {
    throw new ZkmlError("input", 'an input is an object with numbers by name: { "applicant": [1, 0, …] }');
  }
  try {
    return JSON.stringify({ inputs: input }, plain);
  } catch (error) {
    if (error instanceof ZkmlError) throw error;
    // In a circle, too deep, or longer than any text can be.
    throw new ZkmlError("input", `the input cannot be written as JSON: ${(error as Error).message}`, { cause: error });
  }
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new ZkmlError("input", `${value} has more digits than a number carries exactly`);
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as unknown as ArrayLike<number | bigint>);
  if (value === undefined || typeof value === "function" || typeof value === "symbol") {
    throw new ZkmlError("input", `\`${key}\` is no number: ${String(value)}`);
  }
  return value;
}

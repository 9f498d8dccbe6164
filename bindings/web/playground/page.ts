// Small helpers of the page.

/** The element with an id. */
export function at<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as E;
}

/** A new element. Text is set as text: names of models and inputs come from files of others. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  given: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), given);
  element.append(...children);
  return element;
}

/** A line about how something went, which screen readers say aloud. */
export function say(id: string, kind: "" | "good" | "bad", text: string): void {
  const line = at(id);
  line.className = `status ${kind}`;
  line.textContent = text;
}

/** Terms and what they are, in a list. */
export function facts(id: string, entries: readonly (readonly [string, Node | string])[]): void {
  const list = at(id);
  list.replaceChildren(...entries.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
  list.hidden = entries.length === 0;
}

/** A text to save as a file. */
export function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Whole megabytes, of 2^20 bytes. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;

/** At most six digits. */
export const short = (value: number): string => String(Number(value.toPrecision(6)));

// A blank page with the package, the files of a model and a prover: what an application has, without a bundler.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

const here = fileURLToPath(new URL("../", import.meta.url));
const models = fileURLToPath(new URL("../../../target/web/playground/models/", import.meta.url));

/** The module with threads was built: `make web` says why where it was not. */
export const THREADED = existsSync(join(here, "dist/threads"));

/** In the page are then `zkml`, the `files` of the credit model, a `prover` for it, and `caught`. */
export async function openPackage({ headers = {}, flags = [] } = {}) {
  const given = (path) => {
    if (path === "/blank.html") return "<!doctype html><title>blank</title>";
    return path.startsWith("/models/") ? readFileSync(join(models, path.slice("/models/".length))) : undefined;
  };
  const [browser, server] = await Promise.all([launch(flags), serve(here, given, headers)]);
  const page = await browser.newPage();
  await page.goto(`${server.url}blank.html`);
  await page.evaluate(async () => {
    const zkml = await import("/dist/index.js");
    const bytes = async (model, name) => new Uint8Array(await (await fetch(`/models/${model}/${name}`)).arrayBuffer());
    const filesOf = async (model) => Object.fromEntries(await Promise.all(zkml.ARTIFACT_FILES.map(async (name) => [name, await bytes(model, name)])));
    // Of an error, what can be looked at outside of the page.
    const caught = (promise) => promise.then((value) => ({ value }), ({ name, code, message }) => ({ name, code, message }));
    const files = await filesOf("credit");
    Object.assign(globalThis, { zkml, files, filesOf, caught, prover: await zkml.load(files).catch(() => undefined) });
  });
  const close = async () => {
    server.close();
    await browser.close();
  };
  return { browser, page, server, close };
}

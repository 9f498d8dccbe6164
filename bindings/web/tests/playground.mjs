// The playground in a headless Chromium, and what a user does with it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

export const root = fileURLToPath(new URL("../../../", import.meta.url));
export const place = join(root, "target/web/playground");

/** A browser, and a server of the playground; `changed` gives other bytes for some paths. */
export async function openSite({ changed, headers = {}, flags = [] } = {}) {
  const [browser, server] = await Promise.all([launch(flags), serve(place, changed, headers)]);
  const close = async () => {
    server.close();
    await browser.close();
  };
  /** A fresh page, with all that it asked for and complained of; `prepare` gets the page before it opens. */
  const open = async (t, { width = 1000, scheme = "light", prepare = async () => {} } = {}) => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, acceptDownloads: true });
    t.after(() => context.close());
    const asked = [];
    context.on("request", (request) => asked.push({ url: request.url(), method: request.method(), body: request.postData() ?? "" }));
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", ({ message }) => complaints.push(message));
    await prepare(page);
    await page.goto(server.url);
    return { page, context, asked, complaints };
  };
  return { browser, server, open, close };
}

/** How something went, once the page says so. */
export async function settled(page, id) {
  await page.waitForSelector(`#${id}.good, #${id}.bad`, { timeout: 30_000 });
  const line = page.locator(`#${id}`);
  return { good: (await line.getAttribute("class")).includes("good"), text: await line.textContent() };
}

/** Forgets how the last time went. */
export const forget = (page, id) => page.evaluate((id) => (document.getElementById(id).className = "status"), id);

export async function choose(page, model) {
  await page.check(`input[value=${model}]`);
  return settled(page, "model-status");
}

export async function prove(page) {
  await page.click("#prove");
  return settled(page, "prove-status");
}

/** The text that a button saves. */
export async function saved(page, id) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(id)]);
  return readFileSync(await download.path(), "utf8");
}

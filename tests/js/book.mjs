// Builds the book, and sees that every link in it leads somewhere: `node tests/js/book.mjs`.
//
// MDBOOK names the program; `make book` installs it below target/tools.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const built = join(root, "target/book");
const mdbook = process.env.MDBOOK ?? "mdbook";
const run = spawnSync(mdbook, ["build", join(root, "docs/book")], { encoding: "utf8" });
if (run.status !== 0) {
  console.error(run.error?.message ?? run.stdout + run.stderr);
  process.exit(1);
}

const faults = [];
// What mdBook cannot include it says, and goes on.
if (/WARN|ERROR/.test(run.stderr + run.stdout)) faults.push(run.stderr + run.stdout);

const pages = readdirSync(built).filter((name) => name.endsWith(".html") && !["404.html", "print.html", "toc.html"].includes(name));
const text = new Map(pages.map((name) => [join(built, name), readFileSync(join(built, name), "utf8")]));
let links = 0;
for (const [page, html] of text) {
  const name = relative(built, page);
  if (html.includes("{{#")) faults.push(`${name}: an include was left as it is`);
  for (const [, href] of html.matchAll(/<a\s[^>]*href="([^"]*)"/g)) {
    if (/^(https?:|mailto:)/.test(href)) continue;
    links += 1;
    const [file, anchor] = href.split("#");
    const target = file === "" ? page : resolve(dirname(page), decodeURI(file));
    if (!existsSync(target)) faults.push(`${name}: ${href} leads nowhere`);
    else if (anchor && text.has(target) && !text.get(target).includes(`id="${decodeURIComponent(anchor)}"`)) {
      faults.push(`${name}: ${href} has no such heading`);
    }
  }
}
for (const fault of faults) console.error(fault);
console.log(`${pages.length} pages, ${links} links, ${faults.length} faults`);
process.exit(faults.length > 0 || links === 0 ? 1 : 0);

// Draws docs/picture.svg, the README's picture, from the run in docs/picture.json: `node tests/js/picture.mjs`.
//
// The JSON is what `zkml-chain run --json` printed in a project of `zkml-chain init`. `--check` compares, and writes nothing.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = (path) => fileURLToPath(new URL(`../../docs/${path}`, import.meta.url));
const run = JSON.parse(readFileSync(file("picture.json"), "utf8"));

const thousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const name = run.model.charAt(0).toUpperCase() + run.model.slice(1);
const [output] = run.outputs;
const error = run.largest_error.toExponential(1);

const [width, height] = [960, 296];
const [boxWidth, boxHeight, top, gap, left] = [156, 104, 96, 38, 14];

// Four steps, from file to contract, and the application that acts on the answer.
const boxes = [
  { title: `${run.model}.onnx`, lines: ["the model, in floats", `${thousands(run.onnx_bytes)} bytes`] },
  { title: "integer graph", lines: [`largest error ${error}`, `proven by ${run.backend}`] },
  { title: "proof", lines: ["of one run", `${thousands(run.proof_bytes)} bytes`], strong: true },
  { title: `${name}Verifier.sol`, lines: [`${thousands(run.gas)} gas a proof`, `${thousands(run.code_bytes)} bytes of code`] },
  { title: "your contract", lines: [output.name, `= ${output.values[0].toFixed(5)}`] },
];
const arrows = ["compile", "prove", "verify", "accept"];

const x = (index) => left + index * (boxWidth + gap);
const middle = (index) => x(index) + boxWidth / 2;
const text = (cx, y, content, kind) => `<text x="${cx}" y="${y}" class="${kind}">${escape(content)}</text>`;
const arrow = (x1, y1, x2, y2) => `<path class="arrow" d="M${x1} ${y1}L${x2} ${y2}" marker-end="url(#head)"/>`;

const parts = [];
boxes.forEach(({ title, lines, strong }, i) => {
  parts.push(`<rect class="box${strong ? " strong" : ""}" x="${x(i)}" y="${top}" width="${boxWidth}" height="${boxHeight}" rx="10"/>`);
  parts.push(text(middle(i), top + 32, title, "title"));
  lines.forEach((line, j) => parts.push(text(middle(i), top + 60 + 22 * j, line, "line")));
});
arrows.forEach((label, i) => {
  const y = top + boxHeight / 2;
  parts.push(arrow(x(i) + boxWidth + 3, y, x(i + 1) - 4, y));
  parts.push(text((x(i) + boxWidth + x(i + 1)) / 2, top - 10, label, "label"));
});
// What stays with whoever proves, and what the contract refuses.
parts.push(`<rect class="private" x="${x(2) - 22}" y="14" width="${boxWidth + 44}" height="40" rx="10"/>`);
parts.push(text(middle(2), 39, "input and salt stay with you", "line"));
parts.push(arrow(middle(2), 56, middle(2), top - 5));
parts.push(arrow(middle(3), top + boxHeight + 3, middle(3), 236));
parts.push(text(middle(3), 258, `${run.refused} changed proofs and statements: refused`, "refused"));
parts.push(text(middle(1), top + boxHeight + 24, `scales from ${thousands(run.samples)} samples`, "label"));

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">From ${escape(run.model)}.onnx to a contract that acts on its answer: ${escape(thousands(run.proof_bytes))} bytes of proof, ${escape(thousands(run.gas))} gas</title>
<style>
  .ground { fill: #ffffff; stroke: #d0d7de }
  .box { fill: #f6f8fa; stroke: #8c959f; stroke-width: 1.2 }
  .strong { fill: #ddf4ff; stroke: #0969da }
  .private { fill: none; stroke: #8c959f; stroke-width: 1.2; stroke-dasharray: 5 4 }
  .arrow { stroke: #57606a; stroke-width: 1.6; fill: none }
  .head { fill: #57606a }
  text { font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; text-anchor: middle; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .line { font-size: 13px }
  .label { font-size: 12px; fill: #57606a }
  .refused { font-size: 13px; fill: #b42318 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #30363d }
    .box { fill: #161b22; stroke: #6e7681 }
    .strong { fill: #0c2d4d; stroke: #58a6ff }
    .private { stroke: #6e7681 }
    .arrow { stroke: #9198a1 }
    .head { fill: #9198a1 }
    text { fill: #e6edf3 }
    .label { fill: #9198a1 }
    .refused { fill: #ff8a80 }
  }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="12"/>
${parts.join("\n")}
</svg>
`;

if (!process.argv.includes("--check")) {
  writeFileSync(file("picture.svg"), svg);
} else if (readFileSync(file("picture.svg"), "utf8") !== svg) {
  console.error("docs/picture.svg is not what docs/picture.json gives: run node tests/js/picture.mjs");
  process.exit(1);
}

// Mutants of contracts/src: each check removed, each comparison moved, each statement left out, one at a time, and the contracts'
// tests have to notice.
//
//   node tests/js/library-mutants.mjs [--only ZKMLRouter] [--again | --new] [--write]
//
// --only    those of files whose path has one of these in it, with commas between them
// --again   those alone that the table has as survivors
// --new     those alone that the table has not
// --write   writes tests/attacks/library-mutants.json: tried mutants that it has are replaced, explanations of survivors are kept
//
// All mutants are in one build, which takes a minute: each is asked for by the address of the block's producer, which no contract
// and no test looks at. For that, functions that look at nothing look at the block. So a mutant costs a run of the tests, and no
// compilation. A test that does not pass in that build without a mutant ends the run: it would say nothing about any.
// Ends with status 1 if a survivor has no explanation.

import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const solc = createRequire(import.meta.url)("solc");
const root = fileURLToPath(new URL("../../", import.meta.url));
const place = path.join(root, "target/library-mutants");
const table = path.join(root, "tests/attacks/library-mutants.json");
const { values: options } = parseArgs({
  options: { only: { type: "string" }, again: { type: "boolean" }, new: { type: "boolean" }, write: { type: "boolean" } },
});

const ABOUT =
  "Checks of contracts/src that were removed, comparisons and operators that were exchanged, statements and modifiers that were left " +
  "out, one at a time, against the contracts' own tests. `noticed_by` has the first suite that failed.";
const REFRESH = "make library-mutants";
/** Their names are not ours, or they are for tests alone. */
const LEFT_OUT = /^contracts\/src\/(mocks|interfaces|adapters\/interfaces)\//;
/** What each operator becomes. */
const OPERATORS = {
  "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+", "*": "/",
};
/** What a modifier of a base contract does. */
const MODIFIERS = { onlyOwner: "_checkOwner()", whenNotPaused: "_requireNotPaused()", whenPaused: "_requirePaused()" };

const walk = (folder) =>
  fs.readdirSync(path.join(root, folder), { recursive: true }).map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
const sources = walk("contracts/src").filter((file) => file.endsWith(".sol"));

/** The syntax trees of all sources, by file. */
function parsed() {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources.map((file) => [file, { content: fs.readFileSync(path.join(root, file), "utf8") }])),
    settings: { stopAfter: "parsing", outputSelection: { "*": { "": ["ast"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  return Object.fromEntries(sources.map((file) => [file, output.sources[file].ast]));
}

/** Mutants of a file: where they are, what is put there for mutant number `n`, and what is said of them. */
function mutantsOf(file, ast) {
  const bytes = fs.readFileSync(path.join(root, file));
  const found = [];
  const span = (node) => node.src.split(":").slice(0, 2).map(Number);
  const text = ([start, length]) => bytes.subarray(start, start + length).toString();
  const add = (node, name, what, wrap) => {
    const [start, length] = span(node);
    // The semicolon of a statement is not a part of it.
    const end = start + length + (node.nodeType.endsWith("Statement") && bytes[start + length] === 0x3b ? 1 : 0);
    found.push({ start, end, name, what: what.replace(/\s+/g, " "), wrap });
  };
  // A pointer to storage or calldata that nothing was assigned to does not compile.
  let pointers = new Set();
  const isPointer = (expression) =>
    expression?.nodeType === "Assignment" && [expression.leftHandSide, ...(expression.leftHandSide.components ?? [])].some((to) => pointers.has(to?.name));
  const isRevert = (node) =>
    node?.nodeType === "RevertStatement" || (node?.nodeType === "Block" && node.statements.at(-1)?.nodeType === "RevertStatement");
  const visit = (node, name) => {
    if (Array.isArray(node)) return node.forEach((each) => visit(each, name));
    if (node === null || typeof node !== "object") return;
    // Constants are computed by the compiler, and assembly is not Solidity.
    if (["InlineAssembly", "PragmaDirective", "ImportDirective", "StructDefinition", "EventDefinition"].includes(node.nodeType)) return;
    if (node.nodeType === "VariableDeclaration") return;
    if (node.nodeType === "FunctionDefinition") {
      const here = `${name}.${node.name || node.kind}`;
      modifiers(node, here);
      const returned = node.returnParameters.parameters.filter((p) => ["storage", "calldata"].includes(p.storageLocation));
      pointers = new Set(returned.map((p) => p.name));
      return visit(node.body, here);
    }
    if (node.nodeType === "ContractDefinition") return visit(node.nodes, node.name);
    const source = node.src === undefined ? "" : text(span(node));
    if (node.nodeType === "IfStatement" && isRevert(node.trueBody)) {
      add(node.condition, name, `never: ${text(span(node.condition))}`, (n, inner) => `(_mutant(${n}) ? false : (${inner}))`);
    }
    if (node.nodeType === "BinaryOperation" && OPERATORS[node.operator]) operator(node, name, source);
    const plain = node.nodeType === "ExpressionStatement" && ["Assignment", "FunctionCall", "UnaryOperation"].includes(node.expression?.nodeType);
    if ((plain && !isPointer(node.expression)) || node.nodeType === "EmitStatement") {
      // In braces, so that an `else` behind it stays with the `if` before it.
      add(node, name, `without: ${source}`, (n, inner) => `{ if (!_mutant(${n})) { ${inner.replace(/;?\s*$/, "")}; } }`);
    }
    // A loop without its step has no end.
    for (const [key, value] of Object.entries(node)) if (key !== "loopExpression") visit(value, name);
  };
  const operator = (node, name, source) => {
    const [left, right] = [span(node.leftExpression), span(node.rightExpression)];
    const [start] = span(node);
    const other = OPERATORS[node.operator];
    add(node, name, `${other} for ${node.operator} in: ${source}`, (n, inner, render) => {
      // What is before, between and after stays: parentheses and comments.
      const [a, b] = [render(start, left[0] + left[1]), render(right[0], span(node)[0] + span(node)[1])];
      return `(_mutant(${n}) ? (${a} ${other} ${b}) : (${inner}))`;
    });
  };
  const modifiers = (node, name) => {
    for (const modifier of node.modifiers ?? []) {
      const body = MODIFIERS[modifier.modifierName.name];
      if (body === undefined || node.body === null) continue;
      // The check moves into the body, where it can be left out.
      const [start] = span(node.body);
      const [from, length] = span(modifier);
      found.push({ start: from, end: from + length, wrap: () => "" });
      found.push({
        start, end: start + 1, name, what: `without: ${modifier.modifierName.name}`,
        wrap: (n) => `{ if (!_mutant(${n})) ${body};`,
      });
    }
  };
  visit(ast.nodes, file);
  return { bytes, found };
}

/** The file with all of its mutants; `number` counts them over all files. */
function mutated(file, ast, number, taken) {
  const { bytes, found } = mutantsOf(file, ast);
  const counts = new Map();
  for (const each of found) {
    if (each.name === undefined) continue;
    const id = `${file.replace("contracts/src/", "")}: ${each.name.replace(/^.*\.sol\./, "")}: ${each.what}`;
    const before = counts.get(id) ?? 0;
    counts.set(id, before + 1);
    each.id = before === 0 ? id : `${id} (${before + 1})`;
    each.number = number + taken.length;
    taken.push({ id: each.id, number: each.number, file });
  }
  // Longer ones first, so that those inside of them are rendered within.
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const render = (from, to, skip) => {
    let out = "";
    let at = from;
    for (const each of found) {
      if (each.start < at || each.end > to || each.start < from || skip?.has(each)) continue;
      out += bytes.subarray(at, each.start).toString();
      const within = new Set([...(skip ?? []), each]);
      const inner = render(each.start, each.end, within);
      out += each.wrap(each.number, inner, (a, b) => render(a, b, within));
      at = each.end;
    }
    return out + bytes.subarray(at, to).toString();
  };
  return render(0, bytes.length);
}

const SWITCH = `
/// @dev True if this mutant is asked for.
function _mutant(uint160 number) view returns (bool asked) {
    return block.coinbase == address(number);
}
`;

/** Writes the project with all mutants in it; returns them. */
function build() {
  fs.rmSync(path.join(place, "contracts"), { recursive: true, force: true });
  for (const folder of ["contracts/test", "contracts/src", "tests/fixtures", "deploy/deployments"]) {
    const from = path.join(root, folder);
    if (fs.existsSync(from)) fs.cpSync(from, path.join(place, folder), { recursive: true });
  }
  fs.cpSync(path.join(root, "contracts/solc.mjs"), path.join(place, "contracts/solc.mjs"));
  const links = path.join(place, "node_modules");
  fs.rmSync(links, { recursive: true, force: true });
  fs.symlinkSync(path.join(root, "node_modules"), links);
  let config = fs.readFileSync(path.join(root, "foundry.toml"), "utf8");
  config = config.replaceAll("target/forge", "out").replace('deny = "warnings"', "").replace('script = "deploy/script"', "");
  fs.writeFileSync(path.join(place, "foundry.toml"), config);
  // Gas is what it is.
  for (const suite of ["Gas.t.sol", "AcceptanceGas.t.sol"]) fs.rmSync(path.join(place, "contracts/test", suite));
  const trees = parsed();
  const all = [];
  for (const file of sources.filter((each) => !LEFT_OUT.test(each))) {
    const mutants = [];
    const text = mutated(file, trees[file], 1_000_001 + all.length, mutants);
    const up = "../".repeat(file.split("/").length - 3) || "./";
    const imports = mutants.length > 0 ? text.replace(/^(pragma solidity .*\n)/m, `$1\nimport {_mutant} from "${up}Mutant.sol";\n`) : text;
    fs.writeFileSync(path.join(place, file), imports);
    all.push(...mutants);
  }
  fs.writeFileSync(
    path.join(place, "contracts/src/Mutant.sol"),
    `// SPDX-License-Identifier: MIT OR Apache-2.0\npragma solidity ^0.8.20;\n${SWITCH}`,
  );
  for (const file of [...walk("contracts/src"), ...walk("contracts/test")].filter((each) => each.endsWith(".sol"))) {
    const to = path.join(place, file);
    if (!fs.existsSync(to) || file.endsWith("Vm.sol")) continue;
    const text = fs.readFileSync(to, "utf8").replace(/(?<=[\s)])pure(?=[\s;{(])/g, "view");
    // A test that reads the text of a source gets it as it was.
    const read = text.replace(/"(contracts\/src\/[^"]+\.sol)"/g, (_, path_) => {
      fs.copyFileSync(path.join(root, path_), path.join(place, `${path_}.txt`));
      return `"${path_}.txt"`;
    });
    fs.writeFileSync(to, read);
  }
  return all;
}

/** Runs the tests; the suites that failed, or nothing if forge did not get that far. */
async function forge(more) {
  const forge = process.env.FORGE ?? "node_modules/.bin/forge";
  const file = forge.includes("/") ? path.join(root, forge) : forge;
  const child = spawn(file, ["test", "--json", "--root", place, ...more], { cwd: place, stdio: ["ignore", "pipe", "pipe"] });
  let [out, error] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (error += chunk));
  await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const start = out.lastIndexOf("\n{") + 1;
  try {
    return Object.entries(JSON.parse(out.slice(out[0] === "{" ? 0 : start)));
  } catch {
    throw new Error(`forge says no results:\n${out.slice(-4000)}\n${error.slice(-4000)}`);
  }
}

const failed = (suite) => Object.values(suite.test_results).some((test) => test.status === "Failure");
const nameOf = (suite) => suite.replace(/^contracts\/test\//, "");

const all = build();
console.log(`${all.length} mutants; compiling`);
const honest = await forge([]);
const broken = honest.filter(([, suite]) => failed(suite)).map(([suite]) => nameOf(suite));
if (broken.length > 0) throw new Error(`without a mutant, ${broken.join(", ")} should pass: the build is not the contracts`);
console.log(`${honest.length} suites`);

const before = fs.existsSync(table) ? JSON.parse(fs.readFileSync(table, "utf8")).mutants : [];
const known = new Map(before.map((row) => [row.id, row]));
const wanted = all.filter(({ id, file }) => {
  if (options.only && !options.only.split(",").some((part) => file.includes(part))) return false;
  if (options.new) return !known.has(id);
  return !options.again || (known.has(id) && !known.get(id).noticed_by);
});
const suites = honest.map(([suite]) => nameOf(suite).split(":")[0]);
/** First the suites that are named after the file, which answer in a second; then all but those of random calls. */
const stages = (file) => {
  const stem = path.basename(file, ".sol").replace(/^I?ZKML|^E(?=RC)/, "");
  const own = suites.filter((suite) => suite.includes(stem));
  const of = own.length > 0 ? [["--match-path", `contracts/test/{${[...new Set(own)].join(",")}}`]] : [];
  return [...of, ["--no-match-path", "contracts/test/invariants/*"]];
};
const rows = new Map();
function write() {
  const mutants = all.map(({ id }) => rows.get(id) ?? known.get(id)).filter((row) => row !== undefined);
  fs.writeFileSync(table, `${JSON.stringify({ about: ABOUT, refresh: REFRESH, mutants }, null, 2)}\n`);
}
for (const [index, { id, number, file }] of wanted.entries()) {
  const address = `0x${number.toString(16).padStart(40, "0")}`;
  let failing = [];
  for (const stage of stages(file)) {
    const results = await forge(["--block-coinbase", address, "--fail-fast", "--fuzz-runs", "16", ...stage]);
    failing = results.filter(([, suite]) => failed(suite)).map(([suite]) => nameOf(suite));
    if (failing.length > 0) break;
  }
  const row = { id };
  if (failing.length > 0) row.noticed_by = failing.sort().slice(0, 1);
  else if (known.get(id)?.equivalent) row.equivalent = known.get(id).equivalent;
  rows.set(id, row);
  // Each as it is found, so that a run that ends early was not for nothing.
  if (options.write) write();
  console.log(`${index + 1}/${wanted.length} ${failing[0] ?? "SURVIVES"}  ${id}`);
}

const unexplained = [...rows.values()].filter((row) => !row.noticed_by && !row.equivalent);
console.log(`${rows.size} tried, ${unexplained.length} survive without an explanation`);
process.exitCode = unexplained.length > 0 ? 1 : 0;

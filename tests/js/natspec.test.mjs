// Every contract of contracts/src, and every script of deploy/script, says what it is for, part by part: `node --test tests/js/natspec.test.mjs`.
//
// The compiler parses the sources and ties each comment to what it documents; names of parameters that do not exist it
// refuses itself. What is left to check is that nothing is missing.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const solc = createRequire(import.meta.url)("solc");
const root = new URL("../../", import.meta.url);

/** The tags of a comment: `notice`, `dev`, `title`, `inheritdoc`, and the names under `param` and `return`. */
function tags(documentation) {
  const text = typeof documentation === "string" ? documentation : (documentation?.text ?? "");
  const found = { param: [], return: 0 };
  // A comment without a tag is a notice.
  for (const part of `${text.trimStart().startsWith("@") ? "" : "@notice "}${text}`.split(/(?:^|\s)@(?=[a-z])/)) {
    const [, tag, rest] = part.match(/^([a-z:-]+)\s*([^]*)$/) ?? [];
    if (!rest?.trim()) continue;
    if (tag === "param") found.param.push(rest.split(/\s/)[0]);
    else if (tag === "return") found.return++;
    else found[tag] = rest.trim();
  }
  return found;
}

const names = (list) => (list?.parameters ?? []).map((p) => p.name).filter(Boolean);

/** What is missing at one declaration, in words. */
function missing(node) {
  const has = tags(node.documentation);
  // One tag takes over all that the inherited comment says.
  if (has.inheritdoc) return [];
  const inside = ["internal", "private"].includes(node.visibility) || node.nodeType === "StructDefinition";
  // What nobody calls from outside may be explained in a sentence; `@notice` promises all of it.
  if (inside && !has.notice) return has.dev ? [] : ["@notice or @dev"];
  const lacks = has.notice ? [] : ["@notice"];
  for (const name of parametersOf(node)) if (!has.param.includes(name)) lacks.push(`@param ${name}`);
  const returned = node.nodeType === "FunctionDefinition" ? node.returnParameters.parameters.length : 0;
  if (has.return < returned) lacks.push(`@return (${has.return} of ${returned})`);
  return lacks;
}

function parametersOf(node) {
  if (node.nodeType === "StructDefinition") return node.members.map((m) => m.name);
  if (node.nodeType === "VariableDeclaration" || node.nodeType === "EnumDefinition") return [];
  return names(node.parameters);
}

const kinds = [
  "FunctionDefinition",
  "ModifierDefinition",
  "EventDefinition",
  "ErrorDefinition",
  "StructDefinition",
  "EnumDefinition",
  "VariableDeclaration",
];

/** Whether it has to be documented. Functions that nobody calls from outside may go without. */
function counts(node) {
  const inner = node.nodeType === "FunctionDefinition" && ["internal", "private"].includes(node.visibility);
  return kinds.includes(node.nodeType) && (!inner || Boolean(node.documentation));
}

/** All that is undocumented in a source unit, as `path:Contract.name: what`. */
function gaps(path, ast) {
  const found = [];
  const look = (node, where) => {
    for (const what of missing(node)) found.push(`${path}:${where}: ${what}`);
  };
  for (const unit of ast.nodes) {
    if (counts(unit)) look(unit, unit.name);
    if (unit.nodeType !== "ContractDefinition") continue;
    const has = tags(unit.documentation);
    if (!has.title) found.push(`${path}:${unit.name}: @title`);
    for (const node of unit.nodes.filter(counts)) {
      look(node, `${unit.name}.${node.name || node.kind}`);
    }
  }
  return found;
}

const from = (path) => ({ contents: readFileSync(fileURLToPath(new URL(path, root)), "utf8") });

/** Where imports are, as foundry.toml has it. */
function find(path) {
  const inside = "@zkml-chain/contracts/";
  return from(path.startsWith(inside) ? `contracts/${path.slice(inside.length)}` : `node_modules/${path}`);
}

/** Analyses Solidity without generating code. */
function analyse(sources) {
  const settings = { outputSelection: { "*": { "": ["ast"] } } };
  const input = { language: "Solidity", sources, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  assert.deepEqual((output.errors ?? []).filter((e) => e.severity === "error"), []);
  return Object.keys(sources).map((path) => [path, output.sources[path].ast]);
}

const analyseOne = (body) =>
  analyse({ "a.sol": { content: `// SPDX-License-Identifier: MIT\npragma solidity ^0.8.20;\n${body}` } });
const gapsOf = (body) => analyseOne(body).flatMap(([path, ast]) => gaps(path, ast));

/** The Solidity files of a folder. */
function filesOf(folder) {
  const files = readdirSync(fileURLToPath(new URL(folder, root)), { recursive: true }).filter((f) => f.endsWith(".sol"));
  return Object.fromEntries(files.sort().map((f) => [folder + f, { content: from(folder + f).contents }]));
}

test("nothing in contracts/src is undocumented", () => {
  const sources = filesOf("contracts/src/");
  assert.ok(Object.keys(sources).length > 15, Object.keys(sources).join());
  assert.deepEqual(analyse(sources).flatMap(([path, ast]) => gaps(path, ast)), []);
});

test("nothing in deploy/script is undocumented", () => {
  const sources = filesOf("deploy/script/");
  assert.ok(Object.keys(sources).length > 3, Object.keys(sources).join());
  // Cheat codes are documented by forge.
  const own = analyse(sources).filter(([path]) => path !== "deploy/script/Vm.sol");
  assert.deepEqual(own.flatMap(([path, ast]) => gaps(path, ast)), []);
});

test("what is missing is found", () => {
  const doc = "/// @title A\n/// @notice A.\n";
  assert.deepEqual(gapsOf("contract A {}"), ["a.sol:A: @title"]);
  const cases = {
    "function f(uint256 a) external returns (uint256) {}": ["@notice", "@param a", "@return (0 of 1)"],
    "/// @notice F.\n/// @return b B.\nfunction f(uint256 a) public returns (uint256 b, uint256 c) {}": ["@param a", "@return (1 of 2)"],
    "/// @notice F.\n/// @param a A.\n/// @return b B.\nfunction f(uint256 a) public returns (uint256 b, uint256 c) {}": ["@return (1 of 2)"],
    "/// @dev F.\nfunction f() external {}": ["@notice"],
    "/// @notice F.\nfunction f(uint256 a) internal {}": ["@param a"],
    "event E(uint256 a);": ["@notice", "@param a"],
    "/// @notice E.\nerror E(uint256 a);": ["@param a"],
    "/// @notice S.\nstruct S { uint256 a; }": ["@param a"],
    "enum E { A }": ["@notice"],
    "uint256 public a;": ["@notice"],
    "uint256 internal constant A = 1;": ["@notice or @dev"],
    "constructor(uint256 a) {}": ["@notice", "@param a"],
    "/// @notice M.\nmodifier m(uint256 a) { _; }": ["@param a"],
  };
  for (const [body, expected] of Object.entries(cases)) {
    const found = gapsOf(`${doc}contract A {\n${body}\n}`).map((gap) => gap.replace(/^a\.sol:A\.\w+: /, ""));
    assert.deepEqual(found, expected, body);
  }
});

test("what is documented is let be", () => {
  const bodies = [
    "/// @notice F.\n/// @param a A.\n/// @return b B.\nfunction f(uint256 a) external returns (uint256 b) {}",
    "/// @inheritdoc B\nfunction g(uint256 a) external returns (uint256 b) {}",
    "/// F.\nfunction f() external {}",
    "/// @dev F.\nfunction f(uint256 a) private returns (uint256 b) {}",
    "/// @notice Unnamed.\nfunction f(uint256) external {}",
    "/// @notice S.\n/// @param a A.\nstruct S { uint256 a; }",
  ];
  const said = "/// @notice G.\n/// @param a A.\n/// @return b B.\nfunction g(uint256 a) external returns (uint256 b);";
  const inherited = `/// @title B\ninterface B {\n${said}\n}\n`;
  for (const body of bodies) {
    assert.deepEqual(gapsOf(`${inherited}/// @title A\n/// @notice A.\nabstract contract A is B {\n${body}\n}`), [], body);
  }
});

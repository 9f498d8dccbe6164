// Reads a job from stdin, see solc.rs; answers with the compiler's standard JSON, and with what was imported.
const { join } = require('node:path');
const { readFileSync } = require('node:fs');
// The compiler is WebAssembly that runs for seconds only: optimising it takes longer than it saves.
require('node:v8').setFlagsFromString('--liftoff-only');
const chunks = [];
process.stdin.on('data', c => chunks.push(c));
process.stdin.on('end', () => {
  const job = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const solc = require(job.solc);
  const answer = { version: solc.version(), imported: {}, packages: {}, missing: [] };
  const file = (...names) => readFileSync(join(job.modules, ...names), 'utf8');
  const packaged = (name) => {
    const owner = job.packages.find(p => name.startsWith(p + '/'));
    if (!owner || name.split('/').includes('..')) return undefined;
    try {
      answer.packages[owner] ??= JSON.parse(file(owner, 'package.json')).version;
      return file(name);
    } catch {
      answer.missing.push([owner, name]);
    }
  };
  const find = (name) => {
    const contents = Object.hasOwn(job.library, name) ? job.library[name] : packaged(name);
    if (contents === undefined) return { error: 'there is no such file' };
    answer.imported[name] = contents;
    return { contents };
  };
  answer.output = JSON.parse(solc.compile(JSON.stringify(job.input), { import: find }));
  process.stdout.write(JSON.stringify(answer));
});

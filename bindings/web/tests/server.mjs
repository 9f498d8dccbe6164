// A static server on this machine, as anybody has one, and what it was asked for.

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };

/** What a server says of its pages so that they may have threads. */
export const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Serves a folder; `changed` gives other bytes for some paths. */
export async function serve(folder, changed = () => undefined, headers = {}) {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://127.0.0.1").pathname);
    const file = join(folder, path === "/" ? "index.html" : path);
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    const other = changed(path);
    if (other !== undefined) return response.writeHead(200, { ...headers, "content-type": type }).end(other);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return response.writeHead(404).end();
    response.writeHead(200, { ...headers, "content-type": type });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

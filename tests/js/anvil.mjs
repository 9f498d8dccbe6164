// A node on this machine, for tests.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Starts a node on a free port and gives its address; `end` is told how to stop it. */
export function anvil(end, more = []) {
  const program = process.env.ANVIL ?? join(root, "node_modules/.bin/anvil");
  const node = spawn(program, ["--host", "127.0.0.1", "--port", "0", ...more], { stdio: ["ignore", "pipe", "inherit"] });
  end(() => node.kill());
  let said = "";
  return new Promise((resolve, reject) => {
    node.on("error", reject).on("close", () => reject(new Error(`anvil ended: ${said}`)));
    node.stdout.on("data", (chunk) => {
      said += chunk;
      const [, address] = said.match(/Listening on (\S+)/) ?? [];
      if (address) resolve(`http://${address}`);
    });
  });
}

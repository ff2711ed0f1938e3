/** Starts the real server process on a fresh data directory and a free port. */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const START_MS = 20_000;
const STOP_MS = 25_000;
const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(process.env.CLOUDMEET_SERVER ?? join(here, "../../../target/debug/cloudmeet-api-server"));

/** @returns {Promise<{ port: number, data: string, log: () => string, stop: () => Promise<number | null> }>} */
export async function startServer() {
  // Whoever gives a port has started a server there, and will end it.
  const given = process.env.CLOUDMEET_PORT;
  if (given) return { port: Number(given), data: "", log: () => "", stop: async () => 0 };
  const data = await mkdtemp(join(tmpdir(), "cloudmeet-browser-"));
  const child = spawn(program, [], {
    // Nothing of the caller's environment decides how the server runs.
    env: { PATH: process.env.PATH, HOST: "127.0.0.1", PORT: "0", DATA_DIR: data },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  const exited = new Promise((done) => child.once("close", (code) => done(code)));
  const address = await new Promise((found, failed) => {
    const late = setTimeout(() => failed(new Error(`no "listening" after ${START_MS} ms\n${log}`)), START_MS);
    child.once("error", (error) => failed(new Error(`${program} does not start: ${error.message}`)));
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}\n${log}`)));
    child.stderr.on("data", (chunk) => {
      log += chunk;
      // Colours, if any, are not part of the line.
      const plain = log.replace(/\u001b\[[0-9;]*m/g, "");
      const line = /listening.*?address=(?:http:\/\/)?"?(127\.0\.0\.1):(\d+)/.exec(plain);
      if (!line) return;
      clearTimeout(late);
      found(Number(line[2]));
    });
  });
  const health = await fetch(`http://127.0.0.1:${address}/health`, { signal: AbortSignal.timeout(5_000) });
  if (!health.ok || (await health.json()).status !== "healthy") throw new Error(`/health says ${health.status}`);

  return {
    port: address,
    data,
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      const code = await exited;
      clearTimeout(forced);
      await rm(data, { recursive: true, force: true });
      return code;
    },
  };
}

/** What is done on the databases, beside a server that runs, as people in the browser see it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { launch } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";
import { REFUSED, account, button, enter, heading, signIn, signedIn, tidyUp } from "./support/steps.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(process.env.CLOUDMEET_CLI ?? join(here, "../../target/debug/cloudmeet"));

/** How long a running server may take to obey. */
const OBEYS_MS = 5_000;

let server, browser, origin, chief, ada, room;

/** Calls `cloudmeet --direct` on the server's own data directory. */
async function direct(...words) {
  const env = { PATH: process.env.PATH, HOME: server.data, DATA_DIR: server.data };
  const { stdout } = await promisify(execFile)(program, ["--direct", "--yes", ...words], { env, timeout: 20_000 });
  return stdout;
}

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await launch();
  // The first account administers.
  chief = await account(origin, { name: "The Chief", email: "chief@example.org" });
  ada = await account(origin, { name: "Ada Lovelace", email: "ada@example.org" });
  room = await chief.api("POST", "/rooms", { name: "Workshop" });
});

tidyUp(() => ({ server, browser, people: [] }));

test("who is deactivated is thrown out of a meeting within 5 s", async () => {
  const one = await signedIn(browser, origin, ada);
  const { page } = one;
  await enter(page, room);
  await direct("users", "deactivate", "ada@example.org");
  await page.waitForURL("**/?next=*", { timeout: OBEYS_MS });
  await signIn(page, ada.email);
  await page.getByText("This account is deactivated.").waitFor();
  one.quiet(REFUSED(401, 403));
  await direct("users", "activate", "ada@example.org");
  await one.context.close();
});

test("what is said on the databases is seen in the chat, and a room that is closed ends", async () => {
  const one = await signedIn(browser, origin, ada);
  const { page } = one;
  await enter(page, room);
  await direct("--as", "chief@example.org", "rooms", "join", String(room.id));
  await direct("--as", "chief@example.org", "chat", "send", String(room.id), "back in five minutes");
  await button(page, "Chat").click();
  await page.getByText("back in five minutes").waitFor({ timeout: OBEYS_MS });
  await direct("rooms", "delete", String(room.id));
  await heading(page, "Workshop was deleted").waitFor({ timeout: OBEYS_MS });
  one.quiet(REFUSED(409));
  await one.context.close();
  assert.match(await direct("rooms", "list", "--all"), /Workshop.*closed/);
});

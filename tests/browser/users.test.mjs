/** What an administrator does to an account, as its holder sees it. */

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { inspect, launch, open, visitor } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";
import { PASSWORD, REFUSED, account, bar, box, button, enter, heading, signIn, signedIn, tidyUp } from "./support/steps.mjs";

let server, browser, origin, chief, ada, room;

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await launch();
  // The first account administers.
  chief = await account(origin, { name: "The Chief", email: "chief@example.org" });
  const who = await account(origin, { name: "Ada Lovelace", email: "ada@example.org" });
  ada = { ...who, ...(await signedIn(browser, origin, who)) };
  room = await chief.api("POST", "/rooms", { name: "Workshop" });
});

tidyUp(() => ({ server, browser, people: [ada] }));

test("a new password is set by a link, once", async () => {
  const { url } = await chief.api("POST", `/users/${ada.id}/reset-link`, {});
  const one = await visitor(browser, origin);
  const { page } = one;
  await open(page, url);
  await heading(page, "Set a new password").waitFor();
  await inspect(page, "users-reset");
  await box(page, "New password").fill("short");
  await button(page, "Set password").click();
  await page.locator("#password-error").waitFor();
  one.quiet(REFUSED(422));
  await box(page, "New password").fill("a new one, quite good");
  await button(page, "Set password").click();
  await page.getByRole("status").getByText("Your new password is set.").waitFor();
  assert.equal(new URL(page.url()).hash, "");
  await signIn(page, ada.email, "a new one, quite good");
  await page.waitForURL("**/rooms.html");
  one.quiet();
  // Her other browser is signed out by it.
  await ada.page.waitForURL("**/?next=*");

  await open(page, "/");
  await page.goto("about:blank");
  await open(page, url);
  await box(page, "New password").fill("another one, quite good");
  await button(page, "Set password").click();
  await page.getByRole("alert").getByText("no longer valid").waitFor();
  one.quiet(REFUSED(403));
  await one.context.close();
});

test("who is deactivated is thrown out of a meeting, and told so on signing in", async () => {
  await chief.api("PATCH", `/users/${ada.id}`, { password: PASSWORD });
  const one = await signedIn(browser, origin, ada);
  const { page } = one;
  await enter(page, room);
  await chief.api("PATCH", `/users/${ada.id}`, { is_active: false });
  await page.waitForURL("**/?next=*");
  await signIn(page, ada.email);
  await page.getByText("This account is deactivated.").waitFor();
  one.quiet(REFUSED(401, 403));
  await one.context.close();
});

test("who becomes an administrator is so without signing in again, and stays in the meeting", async () => {
  await chief.api("PATCH", `/users/${ada.id}`, { is_active: true });
  const one = await signedIn(browser, origin, ada);
  const { page } = one;
  await enter(page, room);
  await chief.api("PATCH", `/users/${ada.id}`, { is_admin: true });
  await page.getByRole("status", { name: "Connection" }).waitFor();
  await page.getByRole("status", { name: "Connection" }).waitFor({ state: "detached" });
  await bar(page).waitFor();
  await button(page, "More").click();
  await page.getByRole("menuitem", { name: "Room settings" }).waitFor();
  one.quiet();
  await one.context.close();
});

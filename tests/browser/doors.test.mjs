/** The doors of rooms: passwords, link codes, opening and closing times, and as many places as there are. */

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { inspect, launch, open, visitor } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";
import { REFUSED, announced, bar, box, button, choose, company, enter, heading, join, rooms, signIn, signedIn, tidyUp } from "./support/steps.mjs";

let server, browser, origin, ada, ben, cy;

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await launch();
  [ada, ben, cy] = await company(browser, origin, [
    ["Ada Lovelace", "ada@example.org"],
    ["Ben Okri", "ben@example.org"],
    ["Cy Twombly", "cy@example.org"],
  ]);
});

tidyUp(() => ({ server, browser, people: [ada, ben, cy] }));

const inMs = (ms) => new Date(Date.now() + ms).toISOString();

test("a password room asks for its password, says beside the field when it is wrong, and lets in who knows it", async () => {
  const room = await ada.api("POST", "/rooms", { name: "Vault", visibility: "password", password: "open sesame" });
  const { page } = ben;
  await open(page, `/r/${room.id}`);
  await page.getByText("Who is inside is shown to its members.").waitFor();
  await button(page, "Join").click();
  await page.getByRole("alert").getByText("Write the room’s password.").waitFor();
  await box(page, "Room password").fill("a guess that is wrong");
  await button(page, "Join").click();
  await page.getByRole("alert").getByText("That is not the room’s password.").waitFor();
  assert.equal(await box(page, "Room password").getAttribute("aria-invalid"), "true");
  assert.equal(await box(page, "Room password").getAttribute("aria-describedby"), "door-password-error");
  await inspect(page, "doors-wrong-password");
  await button(page, "Show password").click();
  assert.equal(await box(page, "Room password").getAttribute("type"), "text");
  await box(page, "Room password").fill("open sesame");
  await box(page, "Room password").press("Enter");
  await bar(page).waitFor();
  ben.quiet(REFUSED(403));

  // Who is a member is not asked again.
  await page.reload();
  await button(page, "Join").waitFor();
  assert.equal(await box(page, "Room password").isVisible(), false);
  await button(page, "Join").click();
  await bar(page).waitFor();
  ben.quiet();
});

test("too many passwords: the page counts the seconds, and hears again after them", async (t) => {
  const room = await ada.api("POST", "/rooms", { name: "Second vault", visibility: "password", password: "open sesame" });
  const { page } = cy;
  const limited = JSON.stringify({ type: "about:blank", title: "", status: 429, detail: "slow", code: "rate_limited" });
  let seconds = 50;
  await page.route("**/join", (route) =>
    route.fulfill({ status: 429, headers: { "Retry-After": String(seconds) }, contentType: "application/problem+json", body: limited }),
  );
  t.after(() => page.unroute("**/join"));
  const guess = async () => {
    await open(page, `/r/${room.id}`);
    await box(page, "Room password").fill("a guess");
    await button(page, "Join").click();
    await page.getByRole("alert").getByText("Too many attempts").waitFor();
  };
  // Long enough to be looked at.
  await guess();
  await page.getByText(/^Try again in \d\d seconds\.$/).waitFor();
  assert.ok(await button(page, "Join").isDisabled());
  await inspect(page, "doors-too-many");
  seconds = 2;
  await guess();
  await page.getByText("Try again in 1 second.").waitFor();
  await page.getByRole("alert").waitFor({ state: "detached" });
  assert.ok(await button(page, "Join").isEnabled());
  cy.quiet(REFUSED(429));
});

test("a private room is found only by its link with the code, also by who signs in on the way", async () => {
  const { page } = ada;
  await ada.api("POST", "/rooms", { name: "Quiet room", visibility: "private" });
  await open(page, "/rooms.html");
  const row = rooms(page).getByRole("listitem").filter({ has: page.getByRole("link", { name: "Quiet room" }) });
  await row.getByText("Private").waitFor();
  await row.getByRole("button", { name: "Copy link to Quiet room" }).click();
  await row.getByText("Copied").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, /\/r\/\d+#code=[\w-]+$/);
  await inspect(page, "doors-rooms");

  await open(ben.page, new URL(link).pathname);
  await heading(ben.page, "This room does not exist").waitFor();
  ben.quiet(REFUSED(404));

  const stranger = await visitor(browser, origin);
  const sent = [];
  stranger.page.on("request", (request) => sent.push(request.url()));
  await stranger.page.goto(link);
  await stranger.page.waitForURL("**/?next=*");
  await signIn(stranger.page, ben.email);
  await heading(stranger.page, "Quiet room").waitFor();
  const code = new URL(link).hash.slice("#code=".length);
  for (const address of sent.filter((one) => !one.includes("/api/"))) assert.ok(!address.includes(code), address);
  await button(stranger.page, "Join").click();
  await bar(stranger.page).waitFor();
  stranger.quiet();
  await stranger.context.close();

  // A pasted link works too.
  await open(cy.page, "/rooms.html");
  await button(cy.page, "Join by link").click();
  await box(cy.page, "Link or code").fill(link);
  await button(cy.page, "Open").click();
  await button(cy.page, "Join").waitFor();
  await heading(cy.page, "Quiet room").waitFor();

  // A new code makes the old link useless.
  await page.goto(link);
  await button(page, "Join").click();
  await bar(page).waitFor();
  await choose(page, "More", "Room settings");
  await page.waitForFunction(() => document.querySelector("#link-code")?.value.includes("#code="));
  const before = await box(page, "Link with code").inputValue();
  await button(page, "Renew the code").click();
  await page.getByText("The old link no longer works.").waitFor();
  assert.notEqual(await box(page, "Link with code").inputValue(), before);
  await page.keyboard.press("Escape");
  await button(page, "Copy link").click();
  await button(page, "Copied").waitFor();
  const renewed = await page.evaluate(() => navigator.clipboard.readText());
  assert.notEqual(renewed, link);
  await cy.page.reload();
  await heading(cy.page, "This room does not exist").waitFor();
  cy.quiet(REFUSED(404));
  await cy.page.goto(renewed);
  await button(cy.page, "Join").click();
  await bar(cy.page).waitFor();
  ada.quiet();
  cy.quiet();
});

test("a room that is not open yet says until when, and opens by itself", async () => {
  const later = await ada.api("POST", "/rooms", { name: "Tomorrow", opens_at: inMs(86_400_000) });
  await open(ben.page, "/rooms.html");
  await rooms(ben.page).getByRole("listitem").filter({ hasText: "Tomorrow" }).getByText(/^\s*Opens /).waitFor();
  await open(ben.page, `/r/${later.id}`);
  await ben.page.getByText(/^Not open until /).waitFor();
  assert.ok(await button(ben.page, "Join").isDisabled());
  await inspect(ben.page, "doors-not-open");

  const soon = await ada.api("POST", "/rooms", { name: "In a moment", opens_at: inMs(5_000) });
  await open(ben.page, `/r/${soon.id}`);
  await ben.page.getByText(/^Not open until /).waitFor();
  await ben.page.getByText(/^Not open until /).waitFor({ state: "detached" });
  await button(ben.page, "Join").click();
  await bar(ben.page).waitFor();
  // The owner is never kept out.
  await enter(ada.page, later);
  ben.quiet();
});

test("a full room says so, and lets in once somebody has left", async () => {
  const room = await ada.api("POST", "/rooms", { name: "Two chairs", capacity: 2 });
  await enter(ada.page, room);
  await enter(ben.page, room);
  await join(cy.page, room);
  await cy.page.getByRole("alert").getByText("The room is full").waitFor();
  await inspect(cy.page, "doors-full");
  await button(ben.page, "Leave").click();
  await ada.page.waitForFunction(() => document.querySelectorAll(".tile").length === 1);
  await button(cy.page, "Try again").click();
  await bar(cy.page).waitFor();
  cy.quiet(REFUSED(403));
});

test("a meeting that ends soon says so to all, and is over at its time", async () => {
  const room = await ada.api("POST", "/rooms", { name: "Short talk" });
  await enter(ada.page, room);
  await enter(ben.page, room);
  await ada.api("PATCH", `/rooms/${room.id}`, { closes_at: inMs(9_000) });
  for (const { page } of [ada, ben]) {
    await page.getByRole("status", { name: "End of the meeting" }).getByText(/^This meeting ends at \d\d:\d\d\.$/).waitFor();
    await announced(page, /^This meeting ends at /);
  }
  await inspect(ben.page, "doors-closing");
  for (const { page } of [ada, ben]) await heading(page, "Short talk has closed").waitFor();
  await inspect(ben.page, "doors-over");
  await open(cy.page, `/r/${room.id}`);
  await heading(cy.page, "Short talk has closed").waitFor();
  // Its hosts open it again, and whoever stands before it sees that.
  assert.equal(await button(cy.page, "Room settings").count(), 0);
  await button(ada.page, "Room settings").click();
  await ada.page.getByLabel("Closes").fill("");
  await button(ada.page, "Save").click();
  for (const { page } of [ada, cy]) await button(page, "Join").waitFor();
  for (const one of [ada, ben, cy]) one.quiet();
});

test("Russian, dark, on a phone: the doors are whole", async () => {
  const vault = await ada.api("POST", "/rooms", { name: "Хранилище", visibility: "password", password: "open sesame", lobby: true });
  const later = await ada.api("POST", "/rooms", { name: "Завтра", opens_at: inMs(86_400_000) });
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" };
  const one = await signedIn(browser, origin, ben, phone);
  const { page } = one;
  await page.evaluate(() => localStorage.setItem("cloudmeet.language", "ru"));
  await open(page, "/rooms.html");
  await inspect(page, "phone-rooms-rules");
  await open(page, `/r/${later.id}`);
  await page.getByText(/^Откроется /).waitFor();
  await inspect(page, "phone-not-open");
  await open(page, `/r/${vault.id}`);
  await box(page, "Пароль комнаты").fill("мимо");
  await button(page, "Войти").click();
  await page.getByText("Это не пароль комнаты.").waitFor();
  await inspect(page, "phone-wrong-password");
  await box(page, "Пароль комнаты").fill("open sesame");
  await button(page, "Войти").click();
  await page.getByText("Вы 1-й в очереди.").waitFor();
  await inspect(page, "phone-waiting");
  one.quiet(REFUSED(403));
  await one.context.close();
});

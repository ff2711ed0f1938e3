/** The lobby and those who run a room: three people, the real server, and what each of them sees. */

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { inspect, launch, open } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";
import { REFUSED, announced, bar, box, button, choose, company, confirm, heading, join, signedIn, tidyUp, write } from "./support/steps.mjs";

let server, browser, origin, ada, ben, cy, room;

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await launch();
  [ada, ben, cy] = await company(browser, origin, [
    ["Ada Lovelace", "ada@example.org"],
    ["Ben Okri", "ben@example.org"],
    ["Cy Twombly", "cy@example.org"],
  ]);
  await ada.context.addInitScript(() => {
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      window.chimes = (window.chimes ?? 0) + 1;
      return start.apply(this, when);
    };
  });
  await open(ada.page, "/rooms.html");
});

tidyUp(() => ({ server, browser, people: [ada, ben, cy] }));

const waiting = (page) => page.getByRole("status").getByText("Waiting for someone to let you in");
const people = (page) => page.getByRole("list", { name: "People", exact: true });
const knock = (page) => page.getByRole("region", { name: "Waiting", exact: true });

/** How often a page has made a sound. */
const chimes = (page) => page.evaluate(() => window.chimes ?? 0);

test("a room with a lobby is made, and its settings are behind More settings", async () => {
  const { page } = ada;
  await button(page, "New room").first().click();
  const dialog = page.getByRole("dialog", { name: "New room" });
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Design critique");
  assert.equal(await dialog.getByRole("checkbox", { name: "Lobby" }).isVisible(), false);
  await dialog.getByText("More settings").click();
  await dialog.getByRole("checkbox", { name: "Lobby" }).check();
  assert.equal(await box(page, "Room password").isVisible(), false);
  await dialog.getByRole("radio", { name: "Password" }).check();
  await box(page, "Room password").waitFor();
  await dialog.getByRole("radio", { name: "Public" }).check();
  await dialog.getByRole("textbox", { name: "Link name" }).fill("Not Right");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.locator("#room-slug-error").waitFor();
  await dialog.getByRole("textbox", { name: "Link name" }).fill("design-critique");
  await dialog.getByText(`The link will be ${origin}/r/design-critique`).waitFor();
  await inspect(page, "rules-new-room");
  await dialog.getByRole("button", { name: "Create" }).click();
  await heading(page, "Design critique").waitFor();
  ada.quiet(REFUSED(422));
  room = (await ada.api("GET", "/rooms")).find((one) => one.name === "Design critique");
  assert.equal(room.lobby, true);
  await button(page, "Join").click();
  await bar(page).waitFor();
});

test("who is not a member waits, sees the place in line, and the host hears and sees it", async () => {
  await open(ben.page, "/r/design-critique");
  await ben.page.getByText("A host lets people in here.").waitFor();
  await button(ben.page, "Join").click();
  await waiting(ben.page).waitFor();
  await ben.page.getByText("You are 1st in line.").waitFor();
  await announced(ada.page, "Ben Okri wants to come in.");
  assert.ok(await chimes(ada.page) > 0, "the host hears it");
  await knock(ada.page).getByText("Ben Okri wants to come in").waitFor();
  assert.equal(await bar(ada.page).getByRole("button", { name: "People" }).getAttribute("aria-describedby"), "people-waiting");
  await ada.page.locator("#people-waiting", { hasText: "1 person waiting" }).waitFor({ state: "attached" });
  await join(cy.page, room);
  await cy.page.getByText("You are 2nd in line.").waitFor();
  await knock(ada.page).getByText("and 1 more").waitFor();
  await inspect(cy.page, "rules-waiting");
  await inspect(ada.page, "rules-knock");
});

test("who is turned away is told so, and the next one moves up", async () => {
  await knock(ada.page).getByRole("button", { name: "Deny", exact: true }).click();
  await heading(ben.page, "You were not let in to Design critique").waitFor();
  await inspect(ben.page, "rules-denied");
  await knock(ada.page).getByText("Cy Twombly wants to come in").waitFor();
  // The place is asked for every ten seconds.
  await cy.page.getByText("You are 1st in line.").waitFor();
  await button(cy.page, "Stop waiting").click();
  await button(cy.page, "Join").waitFor();
  await knock(ada.page).waitFor({ state: "detached" });
  ben.quiet();
});

test("who is admitted goes straight in; several are admitted at once, from the list of people", async () => {
  await button(ben.page, "Ask again").click();
  await waiting(ben.page).waitFor();
  await knock(ada.page).getByRole("button", { name: "Admit", exact: true }).click();
  await bar(ben.page).waitFor();
  await announced(ben.page, "You were let in.");
  await choose(ben.page, "More", "Leave for good");
  await inspect(ben.page, "rules-leave-for-good");
  await confirm(ben.page, "Leave Design critique for good?", "Leave for good");
  await heading(ben.page, "You left Design critique for good").waitFor();

  await button(ben.page, "Rejoin").click();
  await waiting(ben.page).waitFor();
  await button(cy.page, "Join").click();
  await waiting(cy.page).waitFor();
  await button(ada.page, "People").click();
  await ada.page.getByRole("heading", { name: "Waiting to come in · 2" }).waitFor();
  await button(ada.page, "Admit Ben Okri").waitFor();
  await button(ada.page, "Deny Cy Twombly").waitFor();
  await inspect(ada.page, "rules-people-waiting");
  await button(ada.page, "Admit all").click();
  for (const { page } of [ben, cy]) await bar(page).waitFor();
  await ada.page.waitForFunction(() => document.querySelectorAll(".tile").length === 3);
  for (const one of [ada, ben, cy]) one.quiet();
});

test("a person without rights has no menus, and a moderator has those of a host", async () => {
  await button(ben.page, "People").click();
  await people(ben.page).getByText("Cy Twombly").waitFor();
  assert.equal(await ben.page.getByRole("button", { name: /^More for/ }).count(), 0);
  await choose(ada.page, "More for Ben Okri", "Make moderator");
  await people(ada.page).getByRole("listitem").filter({ hasText: "Ben Okri" }).getByText("Moderator").waitFor();
  await announced(ben.page, "You are a moderator now.");
  await button(ben.page, "More for Cy Twombly").click();
  const items = ben.page.getByRole("menuitem");
  assert.deepEqual(await items.allTextContents(), ["Mute", "Make moderator", "Remove", "Ban"]);
  await inspect(ben.page, "rules-person-menu");
  // The owner is nobody's object.
  assert.equal(await button(ben.page, "More for Ada Lovelace").count(), 0);
  await ben.page.getByRole("menuitem", { name: "Mute" }).click();
  await people(ben.page).getByRole("listitem").filter({ hasText: "Cy Twombly" }).getByText("Muted by a host").waitFor({ state: "attached" });
  await people(ada.page).getByRole("listitem").filter({ hasText: "Cy Twombly" }).getByText("Muted by a host").waitFor({ state: "attached" });
  ben.quiet();
});

test("a moderator deletes what others wrote", async () => {
  await write(cy.page, "Something out of place");
  await button(ben.page, "Chat").click();
  const line = (page) => page.locator(".message", { hasText: "Something out of place" });
  await line(ben.page).hover();
  await line(ben.page).getByRole("button", { name: "Delete" }).click();
  await ben.page.getByRole("group", { name: "Delete message" }).getByRole("button", { name: "Delete" }).click();
  await cy.page.getByRole("log").getByText("Message deleted").waitFor();
  await button(ben.page, "People").click();
});

test("who is removed is told so, and may ask to come again", async () => {
  await choose(ben.page, "More for Cy Twombly", "Remove");
  await inspect(ben.page, "rules-remove");
  await confirm(ben.page, "Remove Cy Twombly?", "Remove");
  await heading(cy.page, "You were removed from Design critique").waitFor();
  await inspect(cy.page, "rules-removed");
  await people(ada.page).getByText("Cy Twombly").waitFor({ state: "detached" });
  await button(cy.page, "Rejoin").click();
  await waiting(cy.page).waitFor();
  await button(ben.page, "Admit Cy Twombly").click();
  await bar(cy.page).waitFor();
  cy.quiet();
});

test("a ban survives a rejoin from another browser, until it is lifted in the settings", async () => {
  await choose(ada.page, "More for Cy Twombly", "Ban");
  await confirm(ada.page, "Ban Cy Twombly?", "Ban");
  await heading(cy.page, "You were banned from Design critique").waitFor();
  assert.equal(await button(cy.page, "Rejoin").count(), 0);
  await inspect(cy.page, "rules-banned");

  const other = await signedIn(browser, origin, cy);
  await join(other.page, room);
  await heading(other.page, "You were banned from Design critique").waitFor();
  other.quiet(REFUSED(403));

  await choose(ada.page, "More", "Room settings");
  await ada.page.getByRole("tab", { name: "Banned people" }).click();
  await inspect(ada.page, "rules-banned-people");
  await button(ada.page, "Lift ban: Cy Twombly").click();
  await ada.page.getByText("Nobody is banned.").waitFor();
  await button(ada.page, "Close").click();
  await join(other.page, room);
  await waiting(other.page).waitFor();
  await button(ada.page, "Deny Cy Twombly").click();
  await heading(other.page, "You were not let in to Design critique").waitFor();
  await other.context.close();
});

test("the room is handed on, and what each may do goes with it", async () => {
  await choose(ada.page, "More for Ben Okri", "Make owner");
  await inspect(ada.page, "rules-hand-on");
  await confirm(ada.page, "Make Ben Okri the owner?", "Make owner");
  await announced(ben.page, "You own this room now.");
  await people(ada.page).getByRole("listitem").filter({ hasText: "Ben Okri" }).getByText("Host").waitFor();
  await people(ada.page).getByRole("listitem").filter({ hasText: "Ada Lovelace" }).getByText("Moderator, you").waitFor();
  const choices = async (page) => {
    await button(page, "More").click();
    const texts = await page.getByRole("menuitem").allTextContents();
    await page.keyboard.press("Escape");
    return texts;
  };
  assert.deepEqual(await choices(ada.page), ["Room settings", "Search in chat", "Keyboard shortcuts", "Leave for good", "End for all"]);
  await ben.page.waitForFunction(() => document.querySelector('[aria-label="More for Ada Lovelace"]') !== null);
  assert.ok((await choices(ben.page)).includes("Export chat"));
});

test("the meeting is ended for all, and anybody may begin it again", async () => {
  await button(ben.page, "More").click();
  await inspect(ben.page, "rules-more");
  await ben.page.getByRole("menuitem", { name: "End for all" }).click();
  await inspect(ben.page, "rules-end");
  await confirm(ben.page, "End the meeting for all?", "End for all");
  for (const { page } of [ada, ben]) await heading(page, "The host ended the call").waitFor();
  await inspect(ada.page, "rules-ended");
  await button(ada.page, "Rejoin").click();
  await bar(ada.page).waitFor();
  for (const one of [ada, ben, cy]) one.quiet();
});

test("Russian, dark, on a phone: the lobby and the people's menus are whole", async () => {
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" };
  const host = await signedIn(browser, origin, ben, phone);
  const { page } = host;
  await page.evaluate(() => localStorage.setItem("cloudmeet.language", "ru"));
  await open(page, `/r/${room.id}`);
  await button(page, "Войти").click();
  await page.getByRole("toolbar", { name: "Управление звонком" }).waitFor();
  await cy.page.evaluate(() => localStorage.setItem("cloudmeet.language", "ru"));
  await open(cy.page, `/r/${room.id}`);
  await button(cy.page, "Войти").click();
  await cy.page.getByText("Вы 1-й в очереди.").waitFor();
  await page.getByText("просит впустить").waitFor();
  await inspect(page, "phone-knock");
  await button(page, "Участники").click();
  await inspect(page, "phone-people-waiting");
  await button(page, "Впустить: Cy Twombly").click();
  await button(page, "Действия: Cy Twombly").click();
  await inspect(page, "phone-person-menu");
  await page.getByRole("menuitem", { name: "Удалить из комнаты" }).click();
  await inspect(page, "phone-remove");
  await confirm(page, "Удалить из комнаты: Cy Twombly?", "Удалить из комнаты");
  await heading(cy.page, "Вас удалили из комнаты «Design critique»").waitFor();
  host.quiet();
  await host.context.close();
});

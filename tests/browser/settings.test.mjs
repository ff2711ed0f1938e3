/** A room's settings, the search in its chat, and taking the chat along. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";

import { inspect, launch, open } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";
import { REFUSED, administrator, bar, box, button, choose, company, confirm, enter, heading, signedIn, tidyUp, write } from "./support/steps.mjs";

let server, browser, origin, ada, ben, room;

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await launch();
  [ada, ben] = await company(browser, origin, [
    ["Ada Lovelace", "ada@example.org"],
    ["Ben Okri", "ben@example.org"],
  ]);
  await ada.api("POST", "/rooms", { name: "Taken", slug: "taken" });
  room = await ada.api("POST", "/rooms", { name: "Workshop" });
  // More than one page of history, so that what is looked for is not there yet.
  await ada.api("POST", `/rooms/${room.id}/join`);
  await ada.api("POST", `/rooms/${room.id}/messages`, { content: "Where did we put the golden needle?" });
  for (let at = 1; at <= 60; at += 1) await ada.api("POST", `/rooms/${room.id}/messages`, { content: `Hay ${at}` });
  for (const { page } of [ada, ben]) await enter(page, room);
});

tidyUp(() => ({ server, browser, people: [ada, ben] }));

test("the settings are changed, with each mistake beside its field, and the others see it", async () => {
  const { page } = ada;
  await choose(page, "More", "Room settings");
  const dialog = page.getByRole("dialog", { name: "Room settings" });
  await inspect(page, "settings-room");
  await dialog.getByRole("textbox", { name: "Link name" }).fill("taken");
  await button(page, "Save").click();
  await dialog.locator("#room-slug-error").waitFor();
  ada.quiet(REFUSED(409));
  await dialog.getByRole("textbox", { name: "Link name" }).fill("workshop");
  await dialog.getByRole("radio", { name: "Password" }).check();
  await button(page, "Save").click();
  await dialog.getByText("Write the room’s password.").waitFor();
  await box(page, "Room password").fill("open sesame");
  await dialog.getByRole("spinbutton", { name: "Places" }).fill("12");
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Workshop, renamed");
  await button(page, "Save").click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("status").getByText("Settings saved").waitFor();
  await heading(ben.page, "Workshop, renamed").waitFor();
  const now = await ada.api("GET", `/rooms/${room.id}`);
  assert.deepEqual([now.slug, now.capacity, now.visibility, now.lobby], ["workshop", 12, "password", false]);
  ada.quiet();
});

test("an ordinary member finds no settings", async () => {
  await button(ben.page, "More").click();
  assert.deepEqual(await ben.page.getByRole("menuitem").allTextContents(), ["Search in chat", "Keyboard shortcuts", "Leave for good"]);
  await ben.page.keyboard.press("Escape");
});

test("members are listed in the settings, whether they are inside or not, and what was done is recorded", async () => {
  const { page } = ada;
  await choose(page, "More", "Room settings");
  await page.getByRole("tab", { name: "Members" }).click();
  const members = page.getByRole("list", { name: "Members" });
  await members.getByText("Ben Okri").waitFor();
  await button(page, "More for Ben Okri").click();
  await page.getByRole("menuitem", { name: "Make moderator" }).click();
  await members.getByRole("listitem").filter({ hasText: "Ben Okri" }).getByText("Moderator").waitFor();
  await inspect(page, "settings-members");
  await page.getByRole("tab", { name: "Activity" }).click();
  const record = page.getByRole("list", { name: "Activity" });
  await record.getByText("Made a moderator").waitFor();
  await record.getByText("Changed the settings").first().waitFor();
  await inspect(page, "settings-activity");
  // Arrows move between the parts.
  await page.getByRole("tab", { name: "Activity" }).focus();
  await page.keyboard.press("Home");
  await box(page, "Name").waitFor();
  await page.keyboard.press("Escape");
  ada.quiet();
});

test("a managed room's settings are read only, and say who manages it", async () => {
  const administer = await administrator(origin);
  const { key } = await administer("POST", "/api-keys", { name: "An operator", scopes: ["rooms:manage"] });
  const keep = (method, query, body) =>
    fetch(`${origin}/api/managed-rooms/cluster-1/a-resource${query}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
    });
  const spec = { name: "Workshop, renamed", owner: "ada@example.org", adopt: String(room.id) };
  assert.equal((await keep("PUT", "", JSON.stringify(spec))).status, 200);
  await ada.page.goto(`/room.html?id=${room.id}`);
  await button(ada.page, "Join").click();
  await bar(ada.page).waitFor();
  await choose(ada.page, "More", "Room settings");
  await ada.page.getByText("Managed by cluster-1").waitFor();
  assert.ok(await ada.page.getByRole("textbox", { name: "Name", exact: true }).isDisabled());
  assert.equal(await button(ada.page, "Save").count(), 0);
  assert.equal(await button(ada.page, "Delete room").count(), 0);
  await inspect(ada.page, "settings-managed");
  await ada.page.keyboard.press("Escape");
  // Whoever runs it still sees who belongs to it, but names nobody.
  const now = await ada.api("GET", `/rooms/${room.id}`);
  assert.ok(!now.allowed.includes("promote") && now.allowed.includes("kick"));
  assert.equal((await keep("DELETE", "?release=true")).status, 204);
  await open(ada.page, `/room.html?id=${room.id}`);
  await button(ada.page, "Join").click();
  await bar(ada.page).waitFor();
});

test("a search in the chat finds old messages, and leads to them", async () => {
  const { page } = ben;
  assert.equal(await page.getByRole("log").getByText("golden needle").count(), 0);
  await choose(page, "More", "Search in chat");
  const search = page.getByRole("searchbox", { name: "Search in chat" });
  await search.fill("n");
  await page.getByText("Write at least two characters.").waitFor();
  await search.fill("no such thing");
  await page.getByText("Nothing found.").waitFor();
  await search.fill("GOLDEN");
  const found = page.getByRole("list", { name: "Found messages" });
  await found.getByText("Where did we put the golden needle?").waitFor();
  await page.getByText("1 message found").waitFor();
  await found.getByText("Ada Lovelace").waitFor();
  await inspect(page, "settings-search");
  await found.getByRole("button").press("Enter");
  const line = page.locator(".message", { hasText: "golden needle" });
  await line.waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent?.includes("golden needle"));
  assert.ok(await line.isVisible());
  await inspect(page, "settings-found");

  // Closing leads back to the live chat.
  await page.getByRole("button", { name: "Search in chat" }).click();
  await search.fill("hay 6");
  await found.getByText("Hay 60").waitFor();
  await search.press("Escape");
  await write(page, "Found it");
  await page.getByRole("log").getByText("Found it", { exact: true }).waitFor();
  ben.quiet();
});

test("the chat is taken along in the form that one chooses", async () => {
  const { page } = ada;
  for (const [format, ending] of [["Plain text", "txt"], ["JSON", "json"], ["Web page", "html"]]) {
    await choose(page, "More", "Export chat");
    const dialog = page.getByRole("dialog", { name: "Export chat" });
    await dialog.getByRole("radio", { name: format }).check();
    if (ending === "txt") await inspect(page, "settings-export");
    const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Download" }).click()]);
    await dialog.waitFor({ state: "detached" });
    assert.equal(download.suggestedFilename(), `Workshop renamed.${ending}`);
    const text = await readFile(await download.path(), "utf8");
    assert.ok(text.includes("golden needle") && text.includes("Found it"), ending);
    if (ending === "json") assert.equal(JSON.parse(text).messages[0].content, "Where did we put the golden needle?");
  }
  ada.quiet();
});

test("C and P open chat and people, and are letters while one writes", async () => {
  const { page } = ben;
  await box(page, "Message").fill("");
  await box(page, "Message").pressSequentially("cp");
  assert.equal(await box(page, "Message").inputValue(), "cp");
  await box(page, "Message").fill("");
  await button(page, "Close chat").click();
  await page.keyboard.press("p");
  await heading(page, "People").waitFor();
  await page.keyboard.press("c");
  await heading(page, "Chat").waitFor();
  ben.quiet();
});

test("? lists the keys, and they can be switched off", async () => {
  const { page } = ben;
  // The message box has the focus, and there it is a sign like any other.
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await keys.getByText("Open or close the chat").waitFor();
  await inspect(page, "settings-keys");
  await keys.getByRole("checkbox", { name: "Use these keys" }).uncheck();
  await button(page, "Close").click();
  await page.keyboard.press("p");
  await page.keyboard.press("?");
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(await heading(page, "People").count(), 0);
  await page.reload();
  await button(page, "Join").click();
  await bar(page).waitFor();
  await page.keyboard.press("p");
  await choose(page, "More", "Keyboard shortcuts");
  assert.equal(await heading(page, "People").count(), 0);
  await keys.getByRole("checkbox", { name: "Use these keys" }).check();
  await button(page, "Close").click();
  await page.keyboard.press("p");
  await heading(page, "People").waitFor();
  await page.keyboard.press("c");
  await heading(page, "Chat").waitFor();
  ben.quiet();
});

test("Russian, dark, on a phone: settings and search are whole", async () => {
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" };
  const one = await signedIn(browser, origin, ada, phone);
  const { page } = one;
  await page.evaluate(() => localStorage.setItem("cloudmeet.language", "ru"));
  await open(page, "/rooms.html");
  await button(page, "Новая комната").first().click();
  await page.getByText("Ещё настройки").click();
  await inspect(page, "phone-new-room");
  await button(page, "Отмена").click();
  await button(page, "Войти по ссылке").click();
  await inspect(page, "phone-join-by-link");
  await open(page, `/r/${room.id}`);
  await button(page, "Войти").click();
  await page.getByRole("toolbar", { name: "Управление звонком" }).waitFor();
  await button(page, "Ещё").click();
  await inspect(page, "phone-more");
  await page.getByRole("menuitem", { name: "Настройки комнаты" }).click();
  await inspect(page, "phone-settings");
  await page.getByRole("tab", { name: "Журнал" }).click();
  await page.getByRole("list", { name: "Журнал" }).getByText("Изменение настроек").first().waitFor();
  await inspect(page, "phone-activity");
  for (const [tab, name] of [["Участники", "phone-members"], ["Заблокированные", "phone-banned-people"]]) {
    await page.getByRole("tab", { name: tab }).click();
    await page.getByRole("tabpanel").waitFor();
    await inspect(page, name);
  }
  await button(page, "Закрыть").click();
  await choose(page, "Ещё", "Горячие клавиши");
  await inspect(page, "phone-keys");
  await button(page, "Закрыть").click();
  await choose(page, "Ещё", "Выгрузить чат");
  await inspect(page, "phone-export");
  await button(page, "Отмена").click();
  await choose(page, "Ещё", "Покинуть комнату совсем");
  await inspect(page, "phone-leave-for-good");
  await button(page, "Отмена").click();
  await choose(page, "Ещё", "Поиск в чате");
  await page.getByRole("searchbox").fill("needle");
  await page.getByText("Найдено 1 сообщение").waitFor();
  await inspect(page, "phone-search");
  one.quiet();
  await one.context.close();
});

test("a room is deleted from its settings, after being asked", async () => {
  await heading(ada.page, "Opened elsewhere").waitFor();
  await button(ada.page, "Join here").click();
  await bar(ada.page).waitFor();
  await choose(ada.page, "More", "Room settings");
  await button(ada.page, "Delete room").click();
  await inspect(ada.page, "settings-delete");
  await confirm(ada.page, "Delete Workshop, renamed?", "Delete room");
  for (const { page } of [ada, ben]) await heading(page, "Workshop, renamed was deleted").waitFor();
  ada.quiet();
  ben.quiet();
});

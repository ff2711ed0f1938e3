/** Two people meet: the real server, two browsers, and a network that fails. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { inspect, launch, open, ready, screenshot, visitor } from "./support/browser.mjs";
import { startProxy } from "./support/proxy.mjs";
import { startServer } from "./support/server.mjs";
import { NETWORK, PASSWORD, REFUSED, announced, box, button, createAccount, rooms, signIn, write } from "./support/steps.mjs";

let server, proxy, browser, ada, ben;

before(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
  browser = await launch();
  // Ada's network can be cut; Ben reaches the server directly.
  ada = await visitor(browser, `http://127.0.0.1:${proxy.port}`);
  ben = await visitor(browser, `http://127.0.0.1:${server.port}`);
});

after(async () => {
  await browser?.close();
  await proxy?.stop();
  assert.equal(await server?.stop(), 0, "the server ends with 0");
});

afterEach(async ({ name, error, passed }) => {
  if (passed !== false && !error) return;
  for (const context of browser?.contexts() ?? []) {
    for (const [at, page] of context.pages().entries()) {
      const file = `failed ${name} ${browser.contexts().indexOf(context)}-${at}`.replace(/[^\w-]+/g, "_");
      await screenshot(page, file).catch(() => {});
    }
  }
});

/** Waits until the chat shows exactly these texts, in this order, all of them stored. */
async function chatIs(page, texts) {
  await page
    .waitForFunction((wanted) => {
      const shown = [...document.querySelectorAll('[role="log"] .message')];
      return (
        JSON.stringify(shown.map((line) => line.querySelector(".text")?.textContent)) === JSON.stringify(wanted) &&
        shown.every((line) => !line.hasAttribute("data-state"))
      );
    }, texts)
    .catch(async (error) => {
      assert.deepEqual(await page.locator('[role="log"] .message .text').allTextContents(), texts);
      throw error;
    });
}

test("an account is made, with each mistake said beside its field", async () => {
  const { page } = ada;
  await open(page, "/");
  await inspect(page, "signin");
  await createAccount(ada, { name: "A", email: "ada" });
  await page.locator("#email-error").waitFor();
  assert.equal(await box(page, "E-mail").getAttribute("aria-invalid"), "true");
  assert.equal(await box(page, "Your name").getAttribute("aria-describedby"), "name-error");
  assert.equal(await page.locator("#password-error").count(), 0);
  await inspect(page, "create-errors");
  ada.quiet(REFUSED(422));

  await box(page, "Your name").fill("Ada Lovelace");
  await box(page, "E-mail").fill("ada@example.org");
  await button(page, "Create account").click();
  await page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  await ready(page);
  await inspect(page, "rooms-empty");
  ada.quiet();
});

test("a wrong password is refused beside the field, and a foreign next page is not followed", async () => {
  const { page, context } = await visitor(browser, ben.origin);
  await open(page, "/?next=//example.org/");
  await signIn(page, "ada@example.org", "not the one");
  await page.getByRole("alert").getByText("E-mail or password is not right.").waitFor();
  assert.equal(await box(page, "Password").getAttribute("aria-invalid"), "true");
  await inspect(page, "signin-wrong");
  await signIn(page, "ada@example.org");
  await page.waitForURL("**/rooms.html");
  await context.close();
});

test("too many attempts: the page counts the seconds and hears again after them", async () => {
  const { page, context, quiet } = await visitor(browser, ben.origin);
  await open(page, "/");
  const limited = JSON.stringify({ type: "about:blank", title: "", status: 429, detail: "slow", code: "rate_limited" });
  await page.route("**/api/auth/login", (route) =>
    route.fulfill({ status: 429, headers: { "Retry-After": "2" }, contentType: "application/problem+json", body: limited }),
  );
  await signIn(page, "ada@example.org", "guess");
  await page.getByRole("alert").getByText("Try again in 2 seconds.").waitFor();
  assert.ok(await button(page, "Sign in").isDisabled());
  await page.getByText("Try again in 1 second.").waitFor();
  await inspect(page, "signin-too-many");
  await page.getByRole("alert").waitFor({ state: "detached" });
  assert.ok(await button(page, "Sign in").isEnabled());
  quiet(REFUSED(429));
  await context.close();
});

test("a setup link asks for the administrator, and a wrong code is said for the form as a whole", async () => {
  const { page, context, quiet } = await visitor(browser, ben.origin);
  await open(page, "/?setup=WRONG-CODE");
  await page.getByRole("heading", { name: "Set up CloudMeet" }).waitFor();
  await page.getByText("You will be the administrator").waitFor();
  await inspect(page, "signin-setup");
  await box(page, "Your name").fill("Nobody");
  await box(page, "E-mail").fill("nobody@example.org");
  await box(page, "Password").fill(PASSWORD);
  await button(page, "Create account").click();
  await page.getByRole("alert").getByText("That did not work").waitFor();
  quiet(REFUSED(403));
  await context.close();
});

test("a room is made and its link is copied", async () => {
  const { page } = ada;
  await button(page, "New room").click();
  const dialog = page.getByRole("dialog", { name: "New room" });
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("Give the room a name.").waitFor();
  await inspect(page, "rooms-new");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Weekly planning");
  await dialog.getByRole("textbox", { name: "About" }).fill("Mondays at ten.");
  await dialog.getByRole("button", { name: "Create" }).click();

  await page.getByRole("heading", { name: "Weekly planning" }).waitFor();
  await button(page, "Join").waitFor();
  await ready(page);
  await page.getByText("Nobody is inside yet.").waitFor();
  await inspect(page, "prejoin");

  await open(page, "/rooms.html");
  const row = rooms(page).getByRole("listitem").filter({ has: page.getByRole("link", { name: "Weekly planning" }) });
  await row.getByRole("button", { name: "Copy link to Weekly planning" }).click();
  await row.getByText("Copied").waitFor();
  ada.link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(ada.link, new RegExp(`^${ada.origin}/r/[^/]+$`));
  await inspect(page, "rooms");
  await page.getByRole("link", { name: "Weekly planning" }).click();
  await button(page, "Join").click();
  await page.getByRole("toolbar", { name: "Call controls" }).waitFor();
  ada.quiet();
});

test("somebody who is sent the link signs up, comes back to it, sees who is inside, and joins", async () => {
  const { page } = ben;
  await open(page, new URL(ada.link).pathname);
  await page.waitForURL("**/?next=*");
  await createAccount(ben, { name: "Ben Okri", email: "ben@example.org" });
  await page.getByRole("heading", { name: "Weekly planning" }).waitFor();
  await page.getByText("Inside: Ada Lovelace.").waitFor();
  await button(page, "Join").click();
  await announced(ada.page, "Ben Okri joined.");
  for (const { page } of [ada, ben]) {
    await button(page, "People").click();
    const people = page.getByRole("list", { name: "People" });
    await people.getByText("Ada Lovelace").waitFor();
    await people.getByText("Ben Okri").waitFor();
    assert.equal(await people.getByRole("listitem").count(), 2);
    assert.equal(await page.locator(".tile").count(), 2);
  }
  await inspect(ben.page, "room-people");
  for (const { page } of [ada, ben]) await button(page, "Chat").click();
});

test("they talk both ways, in order, each line once", async () => {
  const lines = [];
  for (let at = 1; at <= 5; at += 1) {
    await write(ada.page, `Ada ${at}`);
    lines.push(`Ada ${at}`);
    await ben.page.getByRole("log").getByText(`Ada ${at}`, { exact: true }).waitFor();
    await write(ben.page, `Ben ${at}`);
    lines.push(`Ben ${at}`);
    await ada.page.getByRole("log").getByText(`Ben ${at}`, { exact: true }).waitFor();
  }
  // Without waiting for one another, too.
  for (let at = 6; at <= 9; at += 1) {
    await write(ada.page, `Ada ${at}`);
    lines.push(`Ada ${at}`);
  }
  await chatIs(ada.page, lines);
  await chatIs(ben.page, lines);
  await announced(ben.page, "Ada Lovelace: Ada 9");
  ada.lines = lines;
  await inspect(ada.page, "room-chat");
});

test("markup stays text, a link opens safely, and Shift with Enter makes a new line", async () => {
  const { page } = ada;
  await box(page, "Message").fill('<img src=x onerror="document.title=1"> https://example.org/a.');
  await box(page, "Message").press("Shift+Enter");
  await box(page, "Message").pressSequentially("second line");
  await box(page, "Message").press("Enter");
  const link = ben.page.getByRole("log").getByRole("link", { name: "example.org/a" });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), "https://example.org/a");
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.equal(await link.getAttribute("target"), "_blank");
  ada.lines.push('<img src=x onerror="document.title=1"> example.org/a.\nsecond line');
  await chatIs(ben.page, ada.lines);
});

test("a line is edited and another deleted, and the other sees both", async () => {
  const line = (page, text) => page.locator(".message", { hasText: text });
  await line(ada.page, "Ada 9").hover();
  await line(ada.page, "Ada 9").getByRole("button", { name: "Edit" }).click();
  await box(ada.page, "Message").fill("Ada 9, better");
  await box(ada.page, "Message").press("Enter");
  await line(ben.page, "Ada 9, better").getByText("(edited)").waitFor();
  await line(ben.page, "Ben 5").hover();
  await line(ben.page, "Ben 5").getByRole("button", { name: "Reply" }).click();
  await write(ben.page, "An answer");
  await line(ada.page, "An answer").getByText("You: Ben 5").or(line(ada.page, "An answer").getByText("Ben Okri: Ben 5")).waitFor();
  await line(ada.page, "Ada 8").hover();
  await line(ada.page, "Ada 8").getByRole("button", { name: "Delete" }).click();
  await ada.page.getByRole("group", { name: "Delete message" }).getByRole("button", { name: "Delete" }).click();
  await ben.page.getByRole("log").getByText("Message deleted").waitFor();
  assert.equal(await line(ben.page, "Ada 8").count(), 0);
  await inspect(ben.page, "room-edited");
  ada.quiet();
  ben.quiet();
});

test("after a lost connection nothing is missing, and what was written meanwhile is sent once", async () => {
  const { page } = ada;
  const banner = page.getByRole("status", { name: "Connection" });
  proxy.cut();
  await banner.waitFor();
  assert.ok(await button(page, "Leave").isEnabled());
  await write(page, "Written without a connection");
  await page.getByText("Waiting for the connection").waitFor();
  await box(page, "Message").fill("A draft");
  for (let at = 1; at <= 3; at += 1) await write(ben.page, `While away ${at}`);
  await ben.page.getByText("While away 3", { exact: true }).waitFor();
  await inspect(page, "room-reconnecting");

  proxy.heal();
  // The countdown may be at any second: ask at once, unless it asks by itself.
  await banner.getByRole("button", { name: "Retry now" }).click({ timeout: 2_000 }).catch(() => {});
  await banner.waitFor({ state: "detached" });
  const tail = ["While away 1", "While away 2", "While away 3", "Written without a connection"];
  for (const { page } of [ada, ben]) {
    await page.waitForFunction((wanted) => {
      const shown = [...document.querySelectorAll('[role="log"] .message:not([data-state]) .text')];
      return JSON.stringify(shown.slice(-wanted.length).map((line) => line.textContent)) === JSON.stringify(wanted);
    }, tail);
    assert.equal(await page.getByText("Written without a connection", { exact: true }).count(), 1);
  }
  assert.equal(await box(page, "Message").inputValue(), "A draft");
  await button(ben.page, "People").click();
  assert.equal(await ben.page.getByRole("list", { name: "People" }).getByRole("listitem").count(), 2);
  await button(ben.page, "Chat").click();
  // The line still works in both directions.
  await box(page, "Message").fill("");
  await write(page, "Back again");
  await ben.page.getByText("Back again", { exact: true }).waitFor();
  ada.quiet(NETWORK);
  ben.quiet();
});

test("a line that was stored, but whose answer got lost with the connection, is not stored twice", async () => {
  const { page } = ada;
  proxy.lose_answers();
  await write(page, "Heard, but not confirmed");
  await ben.page.getByText("Heard, but not confirmed", { exact: true }).waitFor();
  await page.getByText("Sending…").waitFor();
  proxy.cut();
  const banner = page.getByRole("status", { name: "Connection" });
  await banner.waitFor();
  proxy.heal();
  await banner.getByRole("button", { name: "Retry now" }).click({ timeout: 2_000 }).catch(() => {});
  await banner.waitFor({ state: "detached" });
  // What comes after shows that the other was settled: messages go out one after the other.
  await write(page, "And on");
  for (const { page } of [ada, ben]) {
    await page.waitForFunction(() => {
      const shown = [...document.querySelectorAll('[role="log"] .message')].slice(-2);
      const texts = shown.map((line) => line.querySelector(".text")?.textContent);
      return texts.join() === "Heard, but not confirmed,And on" && shown.every((line) => !line.dataset.state);
    });
    assert.equal(await page.getByText("Heard, but not confirmed", { exact: true }).count(), 1);
  }
  ada.quiet(NETWORK);
});

test("while one reads above, new lines are counted and do not move the view; older ones come on scrolling", async () => {
  const { page } = ada;
  const log = page.getByRole("log");
  for (let at = 1; at <= 45; at += 1) {
    await write(ben.page, `Filler ${at}`);
  }
  await page.getByText("Filler 45", { exact: true }).waitFor();
  // A fresh page holds the newest fifty only.
  await page.reload();
  await button(page, "Join").click();
  await page.getByText("Filler 45", { exact: true }).waitFor();
  assert.equal(await page.getByText("Ada 1", { exact: true }).count(), 0);
  await log.evaluate((element) => element.scrollTo(0, -element.scrollHeight));
  await page.getByText("Ada 1", { exact: true }).waitFor();
  const top = await page.getByText("Filler 20", { exact: true }).evaluate((line) => {
    line.scrollIntoView({ block: "center" });
    return line.getBoundingClientRect().top;
  });
  await write(ben.page, "News 1");
  await write(ben.page, "News 2");
  await button(page, "2 new").waitFor();
  await page.waitForFunction(() => document.title.startsWith("(2) "));
  const now = await page.getByText("Filler 20", { exact: true }).evaluate((line) => line.getBoundingClientRect().top);
  // Each line may leave half a pixel: the browser scrolls by whole ones.
  assert.ok(Math.abs(now - top) <= 2, `the view moved by ${now - top} px`);
  await inspect(page, "room-new-pill");
  await button(page, "2 new").click();
  await page.waitForFunction(() => !document.title.startsWith("("));
  assert.ok(await page.getByText("News 2", { exact: true }).isVisible());
  ada.quiet();
});

test("the rooms page follows what happens in a room without reloading", async () => {
  const third = await visitor(browser, ben.origin);
  const { page } = third;
  await open(page, "/");
  await signIn(page, "ada@example.org");
  await rooms(page).getByText("2 inside").waitFor();
  await button(page, "New room").click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("Second room");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "Second room" }).waitFor();
  await page.getByRole("link", { name: "All rooms" }).click();
  const order = (names) =>
    page.waitForFunction(
      (wanted) => [...document.querySelectorAll(".room-link")].map((link) => link.textContent).join() === wanted,
      names.join(),
    );
  await order(["Second room", "Weekly planning"]);
  await write(ben.page, "For those outside");
  await order(["Weekly planning", "Second room"]);

  await page.getByRole("searchbox", { name: "Search rooms" }).fill("second");
  await page.waitForFunction(() => document.querySelectorAll(".room-row").length === 1);
  await page.getByRole("searchbox", { name: "Search rooms" }).fill("");
  await page.waitForFunction(() => document.querySelectorAll(".room-row").length === 2);

  const guest = await ben.context.newPage();
  await open(guest, new URL((await page.getByRole("link", { name: "Second room" }).getAttribute("href")) ?? "", ben.origin).href);
  await button(guest, "Join").click();
  await guest.getByRole("toolbar").waitFor();
  await rooms(page).getByRole("listitem").filter({ hasText: "Second room" }).hover();
  await button(page, "Delete Second room").click();
  await page.getByRole("group", { name: "Delete Second room" }).getByRole("button", { name: "Delete" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".room-row").length === 1);
  await guest.getByRole("heading", { name: "Second room was deleted" }).waitFor();
  await inspect(guest, "ended-closed");
  await guest.close();

  await button(page, "Join by link").click();
  await box(page, "Link or code").fill("nonsense link");
  await button(page, "Open").click();
  await page.getByText("This is no link to a room.").waitFor();
  await box(page, "Link or code").fill(ada.link.replace(ada.origin, ben.origin));
  await button(page, "Open").click();
  await button(page, "Join").waitFor();
  third.quiet();

  // The same person inside twice: the newer window takes over.
  await button(page, "Join").click();
  await page.getByRole("toolbar", { name: "Call controls" }).waitFor();
  await ada.page.getByRole("heading", { name: "Opened elsewhere" }).waitFor();
  await inspect(ada.page, "ended-elsewhere");
  await button(ada.page, "Join here").click();
  await ada.page.getByRole("toolbar", { name: "Call controls" }).waitFor();
  await page.getByRole("heading", { name: "Opened elsewhere" }).waitFor();
  await third.context.close();
});

test("a server that does not answer is said, and tried again", async () => {
  const other = await visitor(browser, ben.origin);
  const { page } = other;
  await open(page, "/");
  await signIn(page, "ben@example.org");
  await rooms(page).waitFor();
  await page.route("**/api/**", (route) => route.abort());
  await page.reload();
  await page.getByRole("alert").getByText("The server does not answer").waitFor();
  await inspect(page, "rooms-unreachable");
  await page.unroute("**/api/**");
  await button(page, "Retry").click();
  await rooms(page).getByText("Weekly planning").waitFor();
  other.quiet(NETWORK);
  await other.context.close();
});

test("a session that ends leads back to the room, and the draft is still there", async () => {
  const { page, context } = ben;
  await box(page, "Message").fill("Half a thought");
  await context.clearCookies();
  await page.reload();
  await page.getByText("You were signed out").waitFor();
  await inspect(page, "signin-ended");
  await signIn(page, "ben@example.org");
  await button(page, "Join").click();
  await box(page, "Message").waitFor();
  assert.equal(await box(page, "Message").inputValue(), "Half a thought");
  ben.quiet(REFUSED(401));
});

test("a reload comes back to the page before joining, and leaving stays a member", async () => {
  const { page } = ben;
  await page.reload();
  await ready(page);
  await button(page, "Join").waitFor();
  assert.equal(await page.getByRole("toolbar").count(), 0);
  await button(page, "Join").click();
  await page.getByText("For those outside", { exact: true }).waitFor();
  await button(page, "Leave").click();
  await page.getByRole("heading", { name: "You left Weekly planning" }).waitFor();
  await inspect(page, "ended-left");
  await ada.page.waitForFunction(() => document.querySelectorAll(".tile").length === 1);
  await write(ada.page, "Said after Ben left");
  await button(page, "Rejoin").click();
  await page.getByText("Said after Ben left", { exact: true }).waitFor();
  await button(page, "Leave").click();
  await page.getByRole("link", { name: "All rooms" }).first().click();
  await rooms(page).getByText("Member", { exact: true }).first().waitFor();
  await button(page, "Sign out").click();
  await box(page, "E-mail").waitFor();
  await page.goto("/rooms.html");
  await page.waitForURL("**/?next=*");
  ben.quiet();
});

test("a room that is not there is said, also for an address that is no room's", async () => {
  for (const path of ["/r/999999", "/room.html?id=x"]) {
    await open(ada.page, path);
    await ada.page.getByRole("heading", { name: "This room does not exist" }).waitFor();
  }
  await inspect(ada.page, "ended-missing");
  ada.quiet(REFUSED(404));
});

test("Russian, dark, on a phone: each screen is whole", async () => {
  const phone = await visitor(browser, ben.origin, {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    colorScheme: "dark",
  });
  const { page } = phone;
  await open(page, "/");
  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitemradio", { name: "Русский" }).click();
  await page.getByRole("heading", { name: "Вход" }).waitFor();
  assert.equal(await page.getAttribute("html", "lang"), "ru");
  await inspect(page, "phone-signin");
  await box(page, "Почта").fill("ben@example.org");
  await box(page, "Пароль").fill(PASSWORD);
  await button(page, "Войти").click();
  await page.getByRole("list", { name: "Комнаты", exact: true }).waitFor();
  await inspect(page, "phone-rooms");
  await button(page, "Светлая тема").click();
  assert.equal(await page.getAttribute("html", "data-theme"), "light");
  await button(page, "Тёмная тема").click();
  await page.getByRole("link", { name: "Weekly planning" }).click();
  await button(page, "Войти").waitFor();
  await inspect(page, "phone-prejoin");
  await button(page, "Войти").click();
  await page.getByRole("toolbar", { name: "Управление звонком" }).waitFor();
  await inspect(page, "phone-stage");
  await button(page, "Чат").click();
  await page.getByText("Said after Ben left", { exact: true }).waitFor();
  await inspect(page, "phone-chat");
  await box(page, "Сообщение").fill("С телефона");
  await button(page, "Отправить").click();
  await page.locator('.message:not([data-state]) .text', { hasText: "С телефона" }).waitFor();
  await button(page, "Закрыть чат").click();
  await button(page, "Участники").click();
  await inspect(page, "phone-people");
  assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  phone.quiet();

  // The keyboard of a phone takes the lower half of the window; the page is told to shrink with it.
  await button(page, "Закрыть список участников").click();
  await button(page, "Чат").click();
  await box(page, "Сообщение").focus();
  await page.setViewportSize({ width: 390, height: 400 });
  const { bottom, window_height } = await box(page, "Сообщение").evaluate((input) => ({
    bottom: input.getBoundingClientRect().bottom,
    window_height: innerHeight,
  }));
  assert.ok(bottom <= window_height, `the input ends at ${bottom} of ${window_height} px`);
  assert.match(await page.locator('meta[name="viewport"]').getAttribute("content"), /interactive-widget=resizes-content/);
  await phone.context.close();
});

test("who wants no motion sees none", async () => {
  const calm = await visitor(browser, ben.origin, { reducedMotion: "reduce" });
  await open(calm.page, "/");
  await signIn(calm.page, "ben@example.org");
  await rooms(calm.page).waitFor();
  await button(calm.page, "New room").click();
  await calm.page.getByRole("dialog", { name: "New room" }).waitFor();
  const lasting = await calm.page.evaluate(() => document.getAnimations().map((one) => one.effect?.getTiming().duration));
  assert.deepEqual(lasting.filter((duration) => duration !== 0), []);
  await calm.context.close();
});

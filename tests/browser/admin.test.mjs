/** The pages for administrators: everything that they do, in a browser, against the real server. */

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { inspect, launch, open, ready, visitor } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";
import { NETWORK, PASSWORD, REFUSED, account, box, button, choose, confirm, heading, signIn, signedIn, tidyUp } from "./support/steps.mjs";

let server, browser, origin, chief, bob, rooms;

before(async () => {
  server = await startServer();
  origin = `http://127.0.0.1:${server.port}`;
  browser = await launch();
  // The first account administers.
  const who = await account(origin, { name: "The Chief", email: "chief@example.org" });
  chief = { ...who, ...(await signedIn(browser, origin, who)) };
  bob = await account(origin, { name: "Bob Ross", email: "bob@example.org" });
  for (const [display_name, email] of [
    ["Amara Osei", "amara@example.org"],
    ["Dmitri Volkov", "dmitri@example.org"],
    ["Nadia Okafor", "nadia.okafor-williamson@research.example.org"],
  ]) await chief.api("POST", "/users", { display_name, email, password: PASSWORD });
  rooms = [
    await bob.api("POST", "/rooms", { name: "Weekly planning", description: "What we do next" }),
    await bob.api("POST", "/rooms", { name: "Board", visibility: "private" }),
    await bob.api("POST", "/rooms", { name: "Old plans", lobby: true }),
  ];
});

tidyUp(() => ({ server, browser, people: [chief] }));

const row = (page, name) => page.getByRole("row").filter({ hasText: name });
const parts = (page) => page.getByRole("navigation", { name: "Parts of the administration" });
const part = (page, name) => parts(page).getByRole("link", { name, exact: true });
const said = (page, words) => page.getByRole("status").getByText(words, { exact: true }).waitFor();
const dialog = (page, name) => page.getByRole("dialog", { name, exact: true });
const act = (page, name, item) => choose(page, `Actions for ${name}`, item);
const focused = (page, name) => page.waitForFunction((wanted) => document.activeElement?.getAttribute("aria-label") === wanted, name);

test("who is no administrator finds no way there, and behind it a page that says so and no data", async () => {
  const one = await signedIn(browser, origin, bob);
  const { page } = one;
  await page.getByRole("list", { name: "Rooms" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Administration" }).count(), 0);
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  for (const path of ["/admin", "/admin/rooms", "/admin/system"]) {
    await open(page, path);
    await heading(page, "This page is for administrators").waitFor();
    assert.equal(await page.getByRole("table").count() + (await parts(page).count()), 0);
  }
  assert.deepEqual([...new Set(asked.filter((path) => path.startsWith("/api/")))].sort(), ["/api/auth/me", "/api/auth/refresh"]);
  await inspect(page, "admin-closed");
  await page.getByRole("link", { name: "Go to rooms" }).click();
  await heading(page, "Rooms").waitFor();
  one.quiet();
  await one.context.close();
});

test("a stranger signs in first, and comes back to the part that was asked for", async () => {
  const one = await visitor(browser, origin);
  await one.page.goto("/admin/rooms");
  await one.page.waitForURL("**/?next=*");
  await signIn(one.page, chief.email);
  await one.page.waitForURL("**/admin/rooms");
  await ready(one.page);
  await row(one.page, "Board").waitFor();
  one.quiet();
  await one.context.close();
});

test("the bar leads an administrator there; the parts have addresses, and back and forward lead through them", async () => {
  const { page } = chief;
  await page.getByRole("link", { name: "Administration" }).click();
  await ready(page);
  await row(page, "Amara Osei").waitFor();
  await inspect(page, "admin-users");
  for (const [name, path] of [["Rooms", "rooms"], ["API keys", "keys"], ["Activity", "activity"], ["System", "system"]]) {
    await part(page, name).click();
    await heading(page, name).waitFor();
    assert.equal(new URL(page.url()).pathname, `/admin/${path}`);
    assert.equal(await part(page, name).getAttribute("aria-current"), "page");
    assert.equal(await page.title(), `${name} · CloudMeet`);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  }
  await page.goBack();
  await heading(page, "Activity").waitFor();
  await page.goBack();
  await heading(page, "API keys").waitFor();
  await page.goForward();
  await heading(page, "Activity").waitFor();
  await open(page, "/admin/nothing");
  await heading(page, "Users").waitFor();
  chief.quiet();
});

test("a user is added, with each mistake beside its field", async () => {
  const { page } = chief;
  await open(page, "/admin/users");
  await button(page, "Add user").click();
  const adding = dialog(page, "Add user");
  await adding.getByRole("button", { name: "Add", exact: true }).click();
  await adding.getByText("Write the person’s name.").waitFor();
  await adding.getByText("Write the person’s e-mail.").waitFor();
  await box(page, "Name").fill("Lena Fischer");
  await box(page, "E-mail").fill("BOB@example.org");
  await adding.getByRole("button", { name: "Add", exact: true }).click();
  await adding.locator("#user-email-error").waitFor();
  await box(page, "E-mail").fill("lena@example.org");
  await adding.getByLabel("Password (optional)").fill("short");
  await inspect(page, "admin-add-user");
  await adding.getByRole("button", { name: "Add", exact: true }).click();
  await adding.locator("#user-password-error").waitFor();
  chief.quiet(REFUSED(409, 422));
  await adding.getByLabel("Password (optional)").fill(PASSWORD);
  await adding.getByRole("checkbox", { name: "Administrator" }).check();
  await adding.getByRole("button", { name: "Add", exact: true }).click();
  await adding.waitFor({ state: "detached" });
  await said(page, "Lena Fischer was added");
  await row(page, "lena@example.org").getByText("Administrator").waitFor();
  const [lena] = await chief.api("GET", "/users?query=lena");
  assert.deepEqual([lena.is_admin, lena.is_active, lena.display_name], [true, true, "Lena Fischer"]);
  // Without a password: nobody can sign in yet.
  await button(page, "Add user").click();
  await box(page, "Name").fill("Tomás Rivera");
  await box(page, "E-mail").fill("tomas@example.org");
  await dialog(page, "Add user").getByRole("button", { name: "Add", exact: true }).click();
  await said(page, "Tomás Rivera was added");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Add user");
  chief.quiet();
});

test("a user is shown, renamed and given a password, and the focus comes back each time", async () => {
  const { page } = chief;
  await act(page, "Tomás Rivera", "Details");
  await dialog(page, "Tomás Rivera").getByText("tomas@example.org").waitFor();
  await inspect(page, "admin-user-details");
  await button(page, "Close").click();
  await focused(page, "Actions for Tomás Rivera");

  await button(page, "Actions for Tomás Rivera").click();
  await inspect(page, "admin-user-menu");
  await page.getByRole("menuitem", { name: "Rename" }).click();
  const renaming = dialog(page, "Rename Tomás Rivera");
  assert.equal(await box(page, "Name").inputValue(), "Tomás Rivera");
  await box(page, "Name").fill("T");
  await renaming.getByRole("button", { name: "Save" }).click();
  await renaming.locator("#user-name-error").waitFor();
  chief.quiet(REFUSED(422));
  await inspect(page, "admin-rename");
  await box(page, "Name").fill("Tomás R. Rivera");
  await renaming.getByRole("button", { name: "Save" }).click();
  await said(page, "Tomás R. Rivera was renamed");
  // Its row was drawn anew meanwhile.
  await focused(page, "Actions for Tomás R. Rivera");

  await act(page, "Tomás R. Rivera", "Set password");
  const setting = dialog(page, "Set a password for Tomás R. Rivera");
  await setting.getByRole("button", { name: "Set password" }).click();
  await setting.locator("#user-password-error").waitFor();
  await setting.getByLabel("Password", { exact: true }).fill("tomas and a half");
  await inspect(page, "admin-set-password");
  await setting.getByRole("button", { name: "Set password" }).click();
  await said(page, "Tomás R. Rivera has a new password");
  const one = await visitor(browser, origin);
  await open(one.page, "/");
  await signIn(one.page, "tomas@example.org", "tomas and a half");
  await one.page.waitForURL("**/rooms.html");
  await one.context.close();
  chief.quiet();
});

test("deactivating asks first, and is undone by activating", async () => {
  const { page } = chief;
  await act(page, "Tomás R. Rivera", "Deactivate");
  await inspect(page, "admin-deactivate");
  await button(page, "Cancel").click();
  assert.equal((await chief.api("GET", "/users?query=tomas"))[0].is_active, true);
  await act(page, "Tomás R. Rivera", "Deactivate");
  await confirm(page, "Deactivate Tomás R. Rivera?", "Deactivate");
  await said(page, "Tomás R. Rivera was deactivated");
  await row(page, "Tomás R. Rivera").getByText("Deactivated").waitFor();
  await button(page, "Actions for Tomás R. Rivera").click();
  const items = await page.getByRole("menuitem").allTextContents();
  assert.deepEqual(items, ["Details", "Rename", "Set password", "Make administrator", "Activate", "Delete account"]);
  await page.getByRole("menuitem", { name: "Activate" }).click();
  await said(page, "Tomás R. Rivera can sign in again");
  await row(page, "Tomás R. Rivera").getByText("Active", { exact: true }).waitFor();
  chief.quiet();
});

test("the role is given and taken, and the last administrator stays, which is said in place", async () => {
  const { page } = chief;
  await act(page, "Tomás R. Rivera", "Make administrator");
  await inspect(page, "admin-grant");
  await confirm(page, "Make Tomás R. Rivera an administrator?", "Make administrator");
  await said(page, "Tomás R. Rivera is an administrator now");
  for (const name of ["Tomás R. Rivera", "Lena Fischer"]) {
    await act(page, name, "Remove administrator role");
    await confirm(page, `Remove the administrator role of ${name}?`, "Remove role");
    await said(page, `${name} is no administrator any more`);
  }
  await act(page, "The Chief", "Remove administrator role");
  const revoking = dialog(page, "Remove the administrator role of The Chief?");
  await revoking.getByText("This is your own account.").waitFor();
  await revoking.getByRole("button", { name: "Remove role" }).click();
  await revoking.getByRole("alert").waitFor();
  await inspect(page, "admin-last-administrator");
  await button(page, "Cancel").click();
  await row(page, "chief@example.org").getByText("Administrator").waitFor();
  chief.quiet(REFUSED(409));
});

test("a link for a new password is shown once, to copy", async () => {
  const { page } = chief;
  await act(page, "Dmitri Volkov", "Link for a new password");
  await inspect(page, "admin-make-link");
  await confirm(page, "Make a link for Dmitri Volkov?", "Make link");
  const shown = dialog(page, "Link for a new password");
  await shown.getByText("Shown only now").waitFor();
  const link = await shown.getByRole("textbox", { name: "Link" }).inputValue();
  assert.ok(link.startsWith(`${origin}/#reset=`), link);
  await shown.getByRole("button", { name: "Copy", exact: true }).click();
  await shown.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
  await inspect(page, "admin-link");
  await button(page, "Done").click();
  await focused(page, "Actions for Dmitri Volkov");
  assert.equal(await page.getByText("#reset=").count(), 0);
  const one = await visitor(browser, origin);
  await open(one.page, link);
  await heading(one.page, "Set a new password").waitFor();
  await one.context.close();
  chief.quiet();
});

test("an account is deleted after a question that says what goes and what stays", async () => {
  const { page } = chief;
  await act(page, "Dmitri Volkov", "Delete account");
  const asking = dialog(page, "Delete the account of Dmitri Volkov?");
  await asking.getByText("What they wrote stays, as “Deleted user”.").waitFor();
  await inspect(page, "admin-delete-user");
  // Enter alone does nothing that cannot be undone.
  await page.keyboard.press("Enter");
  await asking.waitFor({ state: "detached" });
  assert.equal((await chief.api("GET", "/users?query=dmitri")).length, 1);
  await act(page, "Dmitri Volkov", "Delete account");
  await confirm(page, "Delete the account of Dmitri Volkov?", "Delete account");
  await said(page, "The account of Dmitri Volkov was deleted");
  await row(page, "Dmitri Volkov").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  assert.deepEqual(await chief.api("GET", "/users?query=dmitri"), []);
  chief.quiet();
});

test("users are searched, come by pages, and markup in a name stays text", async () => {
  const { page } = chief;
  for (let at = 1; at <= 50; at += 1) {
    await chief.api("POST", "/users", { display_name: `Guest <b>${at}</b>`, email: `guest${at}@example.org`, password: PASSWORD });
  }
  await open(page, "/admin");
  await said(page, "50 shown");
  await button(page, "Show more").click();
  await row(page, "guest50@example.org").waitFor();
  await page.getByRole("row").getByText("Guest <b>50</b>", { exact: true }).waitFor();
  assert.equal(await button(page, "Show more").isVisible(), false);
  const search = page.getByRole("searchbox", { name: "Search users" });
  await search.fill("NADIA.okafor");
  await said(page, "1 in all");
  await row(page, "Nadia Okafor").waitFor();
  await search.fill("no such person");
  await page.getByText("Nobody has “no such person” in their name or e-mail.").waitFor();
  await inspect(page, "admin-users-none");
  await search.fill("");
  await row(page, "Bob Ross").waitFor();
  chief.quiet();
});

test("a list that cannot be loaded says so, and Retry loads it; so does a page of it", async () => {
  const { page } = chief;
  await page.route("**/api/users?*", (route) => route.abort());
  await open(page, "/admin/users");
  await page.getByRole("alert").getByText("That could not be loaded").waitFor();
  await inspect(page, "admin-failed");
  await page.unroute("**/api/users?*");
  await button(page, "Retry").click();
  await row(page, "Bob Ross").waitFor();
  await page.route("**/api/users?*", (route) => route.fulfill({ status: 503, json: { detail: "Busy for a moment." } }));
  await button(page, "Show more").click();
  await page.getByRole("alert").getByText("Busy for a moment.").waitFor();
  await page.unroute("**/api/users?*");
  await button(page, "Show more").click();
  await row(page, "guest50@example.org").waitFor();
  chief.quiet(NETWORK, REFUSED(503));
});

test("all rooms are listed, private ones too, with who is inside", async () => {
  const { page } = chief;
  await bob.api("POST", `/rooms/${rooms[1].id}/join`, {});
  await part(page, "Rooms").click();
  await row(page, "Board").getByText("Private").waitFor();
  await row(page, "Board").getByText("1 inside").waitFor();
  await row(page, "Old plans").getByText("Lobby").waitFor();
  await inspect(page, "admin-rooms");
  await act(page, "Board", "Details");
  const details = dialog(page, "Board");
  await details.getByRole("list", { name: "Inside now" }).getByText("Bob Ross").waitFor();
  await inspect(page, "admin-room-details");
  await button(page, "Close").click();
  await act(page, "Weekly planning", "Details");
  await dialog(page, "Weekly planning").getByText("Bob Ross (bob@example.org)").waitFor();
  await page.keyboard.press("Escape");
  const search = page.getByRole("searchbox", { name: "Search all rooms" });
  await search.fill("do next");
  await said(page, "1 in all");
  await search.fill("nowhere");
  await page.getByText("No room has “nowhere” in its name or description.").waitFor();
  await search.fill("");
  await row(page, "Board").waitFor();
  chief.quiet();
});

test("a room’s settings are changed, its meeting is ended, and it is deleted", async () => {
  const { page } = chief;
  await bob.api("POST", `/rooms/${rooms[1].id}/join`, {});
  await open(page, "/admin/rooms");
  await act(page, "Weekly planning", "Room settings");
  await box(page, "Name").fill("Weekly planning, renamed");
  await inspect(page, "admin-room-settings");
  await page.getByRole("tab", { name: "Activity" }).click();
  await page.getByRole("list", { name: "Activity" }).getByText("Created the room").waitFor();
  await page.getByRole("tab", { name: "Room", exact: true }).click();
  await button(page, "Save").click();
  await row(page, "Weekly planning, renamed").waitFor();
  await focused(page, "Actions for Weekly planning, renamed");

  await button(page, "Actions for Board").click();
  await inspect(page, "admin-room-menu");
  await page.getByRole("menuitem", { name: "End meeting" }).click();
  await inspect(page, "admin-end-meeting");
  await confirm(page, "End the meeting in Board?", "End meeting");
  await said(page, "The meeting in Board was ended");
  await row(page, "Board").getByText("Nobody").waitFor();
  assert.deepEqual((await bob.api("GET", `/rooms/${rooms[1].id}`)).participants, []);

  await act(page, "Old plans", "Delete room");
  await confirm(page, "Delete Old plans?", "Delete room");
  await said(page, "Old plans was deleted");
  await row(page, "Old plans").waitFor({ state: "detached" });
  // From its settings, too.
  await act(page, "Weekly planning, renamed", "Room settings");
  await button(page, "Delete room").click();
  await confirm(page, "Delete Weekly planning, renamed?", "Delete room");
  await row(page, "Weekly planning, renamed").waitFor({ state: "detached" });

  await page.getByRole("combobox", { name: "Which rooms" }).selectOption("With deleted ones");
  await row(page, "Old plans").getByText("Deleted", { exact: true }).waitFor();
  await inspect(page, "admin-rooms-deleted");
  await act(page, "Old plans", "Activity");
  await dialog(page, "Old plans").getByText("Deleted the room").waitFor();
  await inspect(page, "admin-room-activity");
  await button(page, "Close").click();
  await act(page, "Board", "Open room");
  await heading(page, "Board").waitFor();
  await page.goBack();
  await ready(page);
  chief.quiet();
});

test("a key is made, shown once, listed and revoked", async () => {
  const { page } = chief;
  await open(page, "/admin/keys");
  await heading(page, "No keys yet").waitFor();
  await inspect(page, "admin-keys-empty");
  await button(page, "New key").click();
  const making = dialog(page, "New key");
  await making.getByRole("button", { name: "Create key" }).click();
  await making.getByText("Give the key a name.").waitFor();
  await box(page, "Name").fill("The operator");
  await making.getByLabel("Expires").fill("2020-01-01T10:00");
  await making.getByRole("button", { name: "Create key" }).click();
  await making.locator("#key-expires-error").waitFor();
  chief.quiet(REFUSED(422));
  await inspect(page, "admin-new-key");
  await making.getByLabel("Expires").fill("2099-01-01T10:00");
  await making.getByRole("checkbox", { name: "Manage rooms" }).uncheck();
  await making.getByRole("button", { name: "Create key" }).click();
  await making.getByRole("alert").getByText("Choose what the key may do.").waitFor();
  await making.getByRole("checkbox", { name: "Manage rooms" }).check();
  await making.getByRole("button", { name: "Create key" }).click();
  const shown = dialog(page, "Key The operator");
  const secret = await shown.getByRole("textbox", { name: "Secret" }).inputValue();
  const asked = () => fetch(`${origin}/api/system`, { headers: { Authorization: `Bearer ${secret}` } });
  assert.equal((await asked()).status, 403, "the key is known");
  await shown.getByRole("button", { name: "Copy", exact: true }).click();
  await shown.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await inspect(page, "admin-key");
  await button(page, "Done").click();
  await row(page, "The operator").getByText("1 Jan 2099, 10:00").waitFor();
  await open(page, "/admin/keys");
  await row(page, "The operator").getByText("by The Chief").waitFor();
  assert.equal(await page.locator("body").getByText(secret).count(), 0);
  await inspect(page, "admin-keys");
  await button(page, "Revoke The operator").click();
  await inspect(page, "admin-revoke");
  await confirm(page, "Revoke The operator?", "Revoke");
  await said(page, "The operator was revoked");
  await heading(page, "No keys yet").waitFor();
  assert.equal((await asked()).status, 401);
  chief.quiet();
});

test("the record says in words who did what to whom, where and whence, and what was refused", async () => {
  const { page } = chief;
  const refused = await fetch(`${origin}/api/rooms/${rooms[1].id}/join`, { method: "POST" });
  assert.equal(refused.status, 401);
  await assert.rejects(bob.api("POST", `/rooms/${(await chief.api("POST", "/rooms", { name: "The Chief’s" })).id}/end`, {}), /403/);
  await open(page, "/admin/activity");
  const line = (words) => page.getByRole("row").filter({ hasText: words });
  await line("Revoked an API key").getByText("The operator").waitFor();
  await line("Ended the meeting").first().getByText("Bob Ross").waitFor();
  await line("Refused: not allowed").getByText("The Chief’s").waitFor();
  await line("Ended the meeting").last().getByRole("link", { name: "Board" }).waitFor();
  await line("Deleted the room").first().getByText("127.0.0.1").waitFor();
  await inspect(page, "admin-activity");
  const before = await page.getByRole("row").count();
  assert.equal(before, 51, "a page and the head");
  await button(page, "Show more").click();
  await line("Deleted an account").getByText(/person \d+/).waitFor();
  await line("Made an administrator").first().getByText("Tomás R. Rivera").waitFor();
  await button(page, "Refresh").click();
  await page.waitForFunction((rows) => document.querySelectorAll("tr").length === rows, before);
  // Who was deleted has no name any more.
  chief.quiet(REFUSED(404));
});

test("the system says who is there, what runs where, and how the stores do", async () => {
  const { page } = chief;
  await bob.api("POST", `/rooms/${rooms[1].id}/join`, {});
  await open(page, "/admin/system");
  const figure = (name) => page.locator(".figures > div", { has: page.getByText(name, { exact: true }) }).locator("dd");
  assert.equal(await figure("In a call").textContent(), "1");
  const { version } = (await (await fetch(`${origin}/openapi.json`)).json()).info;
  const card = page.getByRole("region", { name: "all" });
  for (const words of ["Everything in one process", version, "Accounts in SQLite", "Rooms in SQLite", "Not used"]) {
    await card.getByText(words, { exact: true }).waitFor();
  }
  assert.equal(await card.getByText(/^Answers in [\d.]+ ms$/).count(), 2);
  await inspect(page, "admin-system");

  // What is away is said; what was known stays, and says of when it is.
  const sick = {
    census: null,
    servers: [
      { role: "conference", status: "up", version: "9.8.7", started_at: "2026-01-31T09:30:00.250Z", sockets: 12,
        stores: [{ holds: "rooms", engine: "postgres", status: "away", latency_ms: null }], redis: { status: "away", latency_ms: null } },
      { role: "auth", status: "away", version: null, started_at: null, sockets: null, stores: [], redis: null },
    ],
  };
  await page.route("**/api/system", (route) => route.fulfill({ json: sick }));
  await button(page, "Refresh").click();
  await page.getByRole("region", { name: "auth" }).getByText("Does not answer").waitFor();
  await page.getByRole("region", { name: "conference" }).getByText("Does not answer; everything works, a second or two later").waitFor();
  assert.match((await figure("People online").textContent()) ?? "", /not known/);
  await inspect(page, "admin-system-away");
  await page.unroute("**/api/system");
  await page.route("**/api/system", (route) => route.abort());
  await button(page, "Refresh").click();
  await page.getByText("These figures are of").waitFor();
  await open(page, "/admin/system");
  await page.getByRole("alert").getByText("That could not be loaded").waitFor();
  await page.unroute("**/api/system");
  await button(page, "Retry").click();
  await card.waitFor();
  chief.quiet(NETWORK);
});

test("who ceases to be an administrator sees nothing from then on", async () => {
  const [lena] = await chief.api("GET", "/users?query=lena");
  await chief.api("PATCH", `/users/${lena.id}`, { is_admin: true });
  const one = await signedIn(browser, origin, lena);
  await open(one.page, "/admin/users");
  await row(one.page, "Bob Ross").waitFor();
  await chief.api("PATCH", `/users/${lena.id}`, { is_admin: false });
  await act(one.page, "Bob Ross", "Details");
  await heading(one.page, "This page is for administrators").waitFor();
  assert.equal(await one.page.getByText("Bob Ross").count(), 0);
  assert.equal(await one.page.getByRole("dialog").count(), 0);
  one.quiet(REFUSED(403));
  await one.context.close();
});

test("a session that ends leads back to the part, after signing in", async () => {
  const one = await signedIn(browser, origin, chief);
  const { page } = one;
  await open(page, "/admin/rooms");
  await row(page, "Board").waitFor();
  await page.route("**/api/**", (route) => route.fulfill({ status: 401, json: { code: "session_over", detail: "Over." } }));
  await part(page, "System").click();
  await page.waitForURL("**/?next=*");
  await page.unroute("**/api/**");
  await page.getByText("Administration", { exact: false }).waitFor();
  await signIn(page, chief.email);
  await page.waitForURL("**/admin/system");
  one.quiet(REFUSED(401));
  await one.context.close();
});

test("everything is done by keys", async () => {
  const { page } = chief;
  await open(page, "/admin/users");
  await row(page, "Amara Osei").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
  await part(page, "Rooms").focus();
  await page.keyboard.press("Enter");
  await heading(page, "Rooms").waitFor();
  await button(page, "Actions for Board").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Delete room");
  await page.keyboard.press("Escape");
  await focused(page, "Actions for Board");
  chief.quiet();
});

test("Russian, dark, on a phone: the administration is whole", async () => {
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" };
  const one = await signedIn(browser, origin, chief, phone);
  const { page } = one;
  await page.evaluate(() => localStorage.setItem("cloudmeet.language", "ru"));
  await open(page, "/rooms.html");
  await inspect(page, "phone-rooms-bar");
  await page.getByRole("link", { name: "Управление" }).click();
  await ready(page);
  await inspect(page, "phone-admin-users");
  await button(page, "Действия: Bob Ross").click();
  await inspect(page, "phone-admin-user-menu");
  await page.getByRole("menuitem", { name: "Удалить аккаунт" }).click();
  await inspect(page, "phone-admin-delete-user");
  await button(page, "Отмена").click();
  await button(page, "Добавить пользователя").click();
  await inspect(page, "phone-admin-add-user");
  await button(page, "Закрыть").click();
  for (const name of ["Комнаты", "Ключи API", "Журнал", "Система"]) {
    await page.getByRole("navigation", { name: "Разделы управления" }).getByRole("link", { name }).click();
    await heading(page, name).waitFor();
    await page.getByText("Загружаем…").waitFor({ state: "detached" });
    await inspect(page, `phone-admin-${name}`);
  }
  await page.getByRole("navigation", { name: "Разделы управления" }).getByRole("link", { name: "Ключи API" }).click();
  await button(page, "Новый ключ").click();
  await box(page, "Название").fill("Оператор");
  await inspect(page, "phone-admin-new-key");
  await button(page, "Создать ключ").click();
  await page.getByRole("dialog", { name: "Ключ «Оператор»" }).waitFor();
  await inspect(page, "phone-admin-key");
  await button(page, "Готово").click();
  await page.getByText("Оператор", { exact: true }).waitFor();
  await inspect(page, "phone-admin-keys");
  one.quiet(REFUSED(404));
  await one.context.close();
});

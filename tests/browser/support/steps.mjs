/** What people do on the pages, as the tests say it. */

import assert from "node:assert/strict";
import { after, afterEach } from "node:test";

import { open, ready, screenshot, visitor } from "./browser.mjs";

/** @typedef {import("playwright-core").Page} Page */

export const PASSWORD = "correct horse battery";
/** What Chromium prints when a request is refused or the network is away: the pages' own doing, and expected. */
export const REFUSED = (/** @type {number[]} */ ...statuses) =>
  new RegExp(`console: Failed to load resource: .*\\b(${statuses.join("|")})\\b`);
export const NETWORK = /console: (Failed to load resource: net::ERR_|WebSocket connection to .* failed)/;

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const box = (page, name) => page.getByRole("textbox", { name, exact: true });
export const heading = (page, name) => page.getByRole("heading", { name, exact: true });
export const rooms = (page) => page.getByRole("list", { name: "Rooms", exact: true });
export const bar = (page) => page.getByRole("toolbar", { name: "Call controls" });

export async function createAccount({ page }, { name, email }) {
  await button(page, "Create an account").click();
  await box(page, "Your name").fill(name);
  await box(page, "E-mail").fill(email);
  await box(page, "Password").fill(PASSWORD);
  await button(page, "Create account").click();
}

export async function signIn(page, email, password = PASSWORD) {
  await box(page, "E-mail").fill(email);
  await box(page, "Password").fill(password);
  await button(page, "Sign in").click();
}

export async function write(page, text) {
  await box(page, "Message").fill(text);
  await box(page, "Message").press("Enter");
}

/** Whoever comes first administers. */
const FIRST = { name: "First Come", email: "first@example.org" };

/** @param {string} origin */
function client(origin) {
  let token = "";
  /** @returns {Promise<any>} the body; refused requests fail */
  const api = async (method, path, body) => {
    const response = await fetch(`${origin}/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  const sign_in = async (/** @type {string} */ email) => {
    token = (await api("POST", "/auth/login", { email, password: PASSWORD })).access_token;
  };
  return { api, sign_in };
}

/**
 * Makes an account, and speaks with the server in its name.
 *
 * @param {string} origin
 * @param {{ name: string, email: string }} who
 */
export async function account(origin, { name, email }) {
  const { api, sign_in } = client(origin);
  const { id } = await api("POST", "/auth/register", { email, display_name: name, password: PASSWORD });
  await sign_in(email);
  return { id, name, email, api };
}

/**
 * Speaks as the administrator of a company (below).
 *
 * @param {string} origin
 */
export async function administrator(origin) {
  const { api, sign_in } = client(origin);
  await sign_in(FIRST.email);
  return api;
}

/**
 * Somebody signed in, in a browser of their own.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} origin
 * @param {{ email: string }} who
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function signedIn(browser, origin, { email }, options) {
  const one = await visitor(browser, origin, options);
  await open(one.page, "/");
  await signIn(one.page, email);
  await one.page.waitForURL("**/rooms.html");
  await ready(one.page);
  return one;
}

/**
 * Several people, each signed in. None of them is the administrator, who may do more than others.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} origin
 * @param {[name: string, email: string][]} names
 */
export async function company(browser, origin, names) {
  await account(origin, FIRST);
  const people = [];
  for (const [name, email] of names) {
    const who = await account(origin, { name, email });
    people.push({ ...who, ...(await signedIn(browser, origin, who)) });
  }
  return people;
}

/**
 * Opens a room's page and joins.
 *
 * @param {Page} page
 * @param {{ id: number }} room
 */
export async function join(page, room) {
  await open(page, `/r/${room.id}`);
  await button(page, "Join").click();
}

/**
 * Joins and is inside.
 *
 * @param {Page} page
 * @param {{ id: number }} room
 */
export async function enter(page, room) {
  await join(page, room);
  await bar(page).waitFor();
}

/**
 * Chooses something from the menu of a button.
 *
 * @param {Page} page
 * @param {string} name the button's
 * @param {string} item
 */
export async function choose(page, name, item) {
  await button(page, name).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/**
 * Does what a dialog asks about.
 *
 * @param {Page} page
 * @param {string} title the dialog's
 * @param {string} go the button's
 */
export async function confirm(page, title, go) {
  const dialog = page.getByRole("dialog", { name: title, exact: true });
  await dialog.getByRole("button", { name: go, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Waits until a screen reader has been told something. */
export const announced = (page, words) =>
  page.locator('[aria-live="polite"]').getByText(words, { exact: true }).first().waitFor({ state: "attached" });

/**
 * After each test that fails, keeps what everybody sees; after all, ends the browser and then the server.
 *
 * @param {() => { server: any, browser: any, people: any[] }} stage what there is by then
 */
export function tidyUp(stage) {
  afterEach(async ({ name, error, passed }) => {
    if (passed !== false && !error) return;
    for (const [at, { page }] of stage().people.entries()) {
      await screenshot(page, `failed ${name} ${at}`.replace(/[^\w-]+/g, "_")).catch(() => {});
    }
  });
  after(async () => {
    const { server, browser } = stage();
    await browser?.close();
    assert.equal(await server?.stop(), 0, "the server ends with 0");
  });
}

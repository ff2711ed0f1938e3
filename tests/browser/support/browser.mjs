/** Debian's Chromium by playwright-core, with an eye on everything that must not happen on a page. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const OUT = join(dirname(fileURLToPath(import.meta.url)), "../out");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PATIENCE_MS = 15_000;

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

/**
 * Somebody with a browser of his own.
 *
 * @typedef {object} Visitor
 * @property {import("playwright-core").BrowserContext} context
 * @property {import("playwright-core").Page} page
 * @property {string} origin
 * @property {(...allowed: RegExp[]) => void} quiet fails on any complaint of the browser's that is not allowed
 */

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} origin
 * @param {import("playwright-core").BrowserContextOptions} [options]
 * @returns {Promise<Visitor>}
 */
export async function visitor(browser, origin, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    colorScheme: "light",
    baseURL: origin,
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  /** @type {string[]} */
  const complaints = [];
  // A violation is printed as an error too, but not for every directive.
  await context.exposeBinding("reportViolation", (_, what) => complaints.push(`CSP: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      // @ts-expect-error exposed above
      void window.reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  const watch = (/** @type {import("playwright-core").Page} */ page) => {
    page.on("pageerror", (error) => complaints.push(`error: ${error.stack ?? error.message}`));
    page.on("console", (line) => {
      if (line.type() === "error" || line.type() === "warning") complaints.push(`console: ${line.text()}`);
    });
  };
  context.on("page", watch);
  const page = await context.newPage();
  const quiet = (/** @type {RegExp[]} */ ...allowed) => {
    const rest = complaints.filter((line) => !allowed.some((pattern) => pattern.test(line)));
    complaints.length = 0;
    assert.deepEqual(rest, []);
  };
  return { context, page, origin, quiet };
}

/**
 * Opens a page and waits until it has loaded its data.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} path
 */
export async function open(page, path) {
  await page.goto(path);
  await ready(page);
}

/** @param {import("playwright-core").Page} page */
export const ready = (page) => page.waitForSelector("html[data-ready]", { state: "attached" });

/** The window of a phone. */
const PHONE = { width: 390, height: 844 };

/**
 * Checks a screen as a whole, as it is and, from a desk, also as it is dark on a phone, in English and in Russian.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function inspect(page, name) {
  if (process.env.CLOUDMEET_LOOK === "off") return;
  await look(page, name);
  const desk = page.viewportSize();
  if (desk === null || desk.width <= PHONE.width) return;
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize(PHONE);
  await look(page, `${name}-phone`);
  if (await speak(page, "ru")) {
    await look(page, `${name}-phone-ru`);
    await speak(page, "en");
  }
  await page.setViewportSize(desk);
  await page.emulateMedia({ colorScheme: "light" });
}

/**
 * Lets the page speak another language, as its own switch does. What is open on top of it was written already, and
 * stays: those are looked at in Russian by tests of their own.
 *
 * @param {import("playwright-core").Page} page
 * @param {"en" | "ru"} language
 * @returns {Promise<boolean>} whether it does
 */
const speak = (page, language) =>
  page.evaluate(async (wanted) => {
    if (document.querySelector("dialog[open], [role=menu], form :user-invalid, [aria-invalid=true]")) return false;
    const scripts = [...document.querySelectorAll("script[type=module]")].map((one) => /** @type {HTMLScriptElement} */ (one).src);
    const page = scripts.find((src) => src.includes("/static/"));
    if (page === undefined) throw new Error("a page without a script of its own");
    const { chooseLanguage } = await import(new URL("strings.js", page).href);
    chooseLanguage(wanted);
    await new Promise(requestAnimationFrame);
    return true;
  }, language);

/**
 * Checks what is shown: WCAG 2.2 AA by axe, nothing wider than the window, and under a finger nothing too small.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function look(page, name) {
  // A colour halfway through a transition is nobody's colour.
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  await screenshot(page, name);
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    // @ts-expect-error put there above
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  });
  assert.deepEqual(found, [], `axe on ${name}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} px wider than the window`);
  assert.deepEqual(await page.evaluate(tooSmall, FINGER_PX), [], `too small for a finger on ${name}`);
}

/** The least height and width of what a finger is to hit. */
const FINGER_PX = 44;

/**
 * Finds what can be pressed and is smaller than a finger, where fingers are used. Links in a line of text may be.
 *
 * @param {number} least_px
 */
function tooSmall(least_px) {
  if (!matchMedia("(pointer: coarse)").matches) return [];
  const uppermost = document.querySelector("dialog[open]") ?? document;
  const all = uppermost.querySelectorAll("button, a[href], input, select, textarea, summary");
  return [...all].flatMap((one) => {
    // A box to tick is as large as the label around it.
    const target = one.closest("label") ?? one;
    const shown = one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (!shown || one.matches(".visually-hidden, p a, .text a")) return [];
    const { x, y, width, height } = target.getBoundingClientRect();
    if (Math.round(width) >= least_px && Math.round(height) >= least_px) return [];
    // What is smaller may take what is pressed beside it.
    const reach = least_px / 2 - 1;
    const [across, down] = [x + width / 2, y + height / 2];
    const points = [[across - reach, down], [across + reach, down], [across, down - reach], [across, down + reach]];
    const hit = points.map(([left, top]) => document.elementFromPoint(left, top));
    // What is scrolled out of the window hits nothing.
    const takes = hit.every((element) => element === null || target.contains(element));
    return takes ? [] : [`${one.outerHTML.slice(0, 120)}: ${Math.round(width)} × ${Math.round(height)}`];
  });
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function screenshot(page, name) {
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: join(OUT, `${name}.png`) });
}

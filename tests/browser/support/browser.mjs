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

/**
 * Checks a screen as a whole: WCAG 2.2 AA by axe, and nothing wider than the window.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function inspect(page, name) {
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
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function screenshot(page, name) {
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: join(OUT, `${name}.png`) });
}

/** Speaks the chosen language: looks texts up in the one table and fills them in. */

import { recall, remember } from "./choices.js";
import { TEXTS } from "./texts.js";

const KEY = "cloudmeet.language";

/** @typedef {"en" | "ru"} Language */
/** @typedef {keyof typeof TEXTS} TextKey */

export const LANGUAGES = /** @type {const} */ ([
  ["en", "English"],
  ["ru", "Русский"],
]);

/** @type {Set<() => void>} */
const listeners = new Set();

/** @type {Language} */
let current = read();

/** @returns {Language} */
function read() {
  const chosen = recall(KEY);
  if (chosen === "en" || chosen === "ru") return chosen;
  const own = globalThis.navigator?.language ?? "en";
  return own.toLowerCase().startsWith("ru") ? "ru" : "en";
}

export function language() {
  return current;
}

/** @param {Language} next */
export function chooseLanguage(next) {
  remember(KEY, next);
  apply(next);
}

/** @param {Language} next */
function apply(next) {
  if (next === current) return;
  current = next;
  document.documentElement.lang = next;
  for (const listener of listeners) listener();
}

/**
 * @param {() => void} listener
 * @returns {() => void} stops listening
 */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Says a text. `{name}` is filled in; a text with plural forms is chosen by `n`.
 *
 * @param {TextKey} key
 * @param {Record<string, string | number>} [params]
 */
export function t(key, params = {}) {
  return fill(TEXTS[key][current], current, params);
}

/**
 * @param {string | Partial<Record<Intl.LDMLPluralRule, string>>} form
 * @param {Language} lang
 * @param {Record<string, string | number>} params
 */
export function fill(form, lang, params) {
  const chosen = typeof form === "string" ? form : plural(form, lang, Number(params.n));
  return chosen.replace(/\{(\w+)\}/g, (whole, name) => String(params[name] ?? whole));
}

/**
 * @param {Partial<Record<Intl.LDMLPluralRule, string>>} forms
 * @param {Language} lang
 * @param {number} n
 */
function plural(forms, lang, n) {
  return forms[new Intl.PluralRules(lang).select(n)] ?? forms.other ?? "";
}

if (typeof document !== "undefined") {
  document.documentElement.lang = current;
  addEventListener("storage", (event) => {
    if (event.key === KEY) apply(read());
  });
}

/** Light or dark: the system's choice until the person makes one. */

import { remember } from "./choices.js";

const KEY = "cloudmeet.theme";

/** @typedef {"light" | "dark"} Theme */

const system = matchMedia("(prefers-color-scheme: dark)");

/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {Theme} what is shown now */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return system.matches ? "dark" : "light";
}

/** @param {Theme} next */
export function chooseTheme(next) {
  document.documentElement.dataset.theme = next;
  remember(KEY, next);
  tell();
}

/**
 * @param {() => void} listener
 * @returns {() => void} stops listening
 */
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

system.addEventListener("change", tell);
addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  if (event.newValue === "light" || event.newValue === "dark") document.documentElement.dataset.theme = event.newValue;
  else delete document.documentElement.dataset.theme;
  tell();
});

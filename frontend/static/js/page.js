/** What every page does: begin with a session, say that it is ready, speak to screen readers, go elsewhere. */

import * as api from "./api.js";
import { h, icon } from "./dom.js";
import { codeHash, codeOfHash } from "./links.js";
import { t } from "./strings.js";
import { mayHaveSession, onOtherTab } from "./token.js";

const RETURN_KEY = "cloudmeet.return";

/** @type {HTMLElement | null} */
let root = null;
/** @type {HTMLElement | null} */
let announcer = null;
/** @type {HTMLElement | null} */
let toasts = null;

/** Marks the page as having loaded its data. */
export function ready() {
  document.documentElement.dataset.ready = "";
}

/**
 * Shows a page's root, beside the places for announcements and toasts, which outlive it: what is said while one root
 * gives way to the next is still heard. Dialogs belong to the root that opened them.
 *
 * @param {HTMLElement} next
 */
export function mount(next) {
  if (root?.isConnected) {
    for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
    root.replaceWith(next);
  } else {
    announcer = h("div", { class: "visually-hidden", "aria-live": "polite" });
    toasts = h("div", { class: "toasts" });
    document.body.replaceChildren(next, announcer, toasts);
  }
  root = next;
}

/**
 * Says something to screen readers, once.
 *
 * @param {string} what
 */
export function announce(what) {
  const line = h("p", {}, what);
  announcer?.append(line);
  setTimeout(() => line.remove(), 5_000);
}

/**
 * Says that something was done, or was not; goes by itself.
 *
 * @param {string} what
 * @param {"done" | "error"} [kind]
 */
export function toast(what, kind = "done") {
  const line = h(
    "div",
    { class: "toast", "data-kind": kind, role: kind === "error" ? "alert" : "status" },
    icon(kind === "error" ? "warning" : "check"),
    h("span", {}, what),
  );
  toasts?.append(line);
  setTimeout(() => line.remove(), kind === "error" ? 8_000 : 4_000);
}

/**
 * Says why something did not work, for a person.
 *
 * @param {unknown} error
 */
export function reason(error) {
  if (error instanceof api.ApiError && error.detail !== "") return error.detail;
  if (error instanceof api.ApiError && error.status === 0) return t("problem.unreachable");
  return t("problem.unknown");
}

/**
 * Finds what is wrong with single fields; a link name that is taken is said beside its field too.
 *
 * @param {unknown} error
 * @returns {import("../../wire.d.ts").FieldProblem[]}
 */
export function fieldProblems(error) {
  if (!(error instanceof api.ApiError)) return [];
  return error.code === "slug_taken" ? [{ field: "slug", message: error.detail }] : error.errors;
}

/** What the page is called where it is returned to; the sign-in page names it. */
let label = "";

/** @param {string} name */
export function nameForReturn(name) {
  label = name;
}

/**
 * Goes to the sign-in page, which comes back here. A link code goes along in the fragment, which is sent nowhere.
 *
 * @param {"expired" | "stranger" | "left"} why
 */
export function goToSignIn(why) {
  const here = location.pathname + location.search;
  try {
    if (why === "expired") sessionStorage.setItem(RETURN_KEY, JSON.stringify({ label }));
    else sessionStorage.removeItem(RETURN_KEY);
  } catch {
    // The sign-in page then does not say why.
  }
  location.replace(why === "left" ? "/" : `/?next=${encodeURIComponent(here)}${codeHash(codeOfHash(location.hash))}`);
}

/** @returns {{ label: string } | null} that a session ended, and where the person was */
export function endedSession() {
  try {
    const kept = sessionStorage.getItem(RETURN_KEY);
    return kept === null ? null : JSON.parse(kept);
  } catch {
    return null;
  }
}

export function forgetEndedSession() {
  try {
    sessionStorage.removeItem(RETURN_KEY);
  } catch {
    // Nothing was kept.
  }
}

/**
 * Runs what needs a session; without one the sign-in page opens.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function inSession(work) {
  if (!mayHaveSession()) {
    goToSignIn("stranger");
    return new Promise(() => {});
  }
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof api.SessionOver)) throw error;
    goToSignIn("expired");
    return new Promise(() => {});
  }
}

/** Leaves for the sign-in page when another tab signs out. */
export function followOtherTabs() {
  onOtherTab((event) => {
    if (event === "signed_out") goToSignIn("stranger");
  });
  // A page that comes back from the history shows the past; begin anew.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

/**
 * Puts a text on the clipboard.
 *
 * @param {string} what
 * @returns {Promise<boolean>} false when the browser does not allow it
 */
export async function copy(what) {
  try {
    await navigator.clipboard.writeText(what);
    return true;
  } catch {
    // On plain http away from loopback there is no clipboard API; the old way still works there.
  }
  const area = h("textarea", { class: "visually-hidden", "aria-hidden": "true", tabindex: "-1" });
  area.value = what;
  const focused = document.activeElement;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}

/** Fields with their errors beside them, and forms that say what is wrong as a whole. */

import { attribute, h, icon, text } from "./dom.js";
import { t } from "./strings.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {HTMLInputElement} input
 * @property {(problem: string | null, alert?: boolean) => void} complain shows or takes away what is wrong with it
 * @property {(words: string) => void} hint says something else below it, where there is a hint
 */

/**
 * @param {object} options
 * @param {string} options.id
 * @param {string} options.label
 * @param {boolean} [options.optional]
 * @param {Record<string, import("./dom.js").Attribute>} [options.attributes] of the input
 * @param {string} [options.hint]
 * @param {HTMLElement} [options.extra] between input and hint
 * @returns {Field}
 */
export function field({ id, label, optional = false, attributes = {}, hint, extra }) {
  const input = h("input", { class: "input", id, ...attributes });
  const control = attributes.type === "password" ? withReveal(input) : input;
  const hintLine = hint === undefined ? null : h("p", { class: "hint", id: `${id}-hint` }, hint);
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, optional && h("span", { class: "optional" }, ` ${t("optional")}`)),
    control,
    extra,
    hintLine,
  );
  /** @type {HTMLElement | null} */
  let error = null;
  /** @type {Field["complain"]} */
  const complain = (problem, alert = false) => {
    error?.remove();
    error = null;
    if (problem !== null) {
      error = h(
        "p",
        { class: "error", id: `${id}-error`, role: alert ? "alert" : null },
        icon("warning", "icon-small"),
        h("span", {}, problem),
      );
      element.append(error);
    }
    if (hintLine) hintLine.hidden = problem !== null;
    attribute(input, "aria-invalid", problem === null ? null : "true");
    attribute(input, "aria-describedby", error ? error.id : hintLine ? hintLine.id : null);
  };
  complain(null);
  input.addEventListener("input", () => complain(null));
  const say = (/** @type {string} */ words) => {
    if (hintLine) text(hintLine, words);
  };
  return { element, input, complain, hint: say };
}

/**
 * One of several things to choose, or one to switch on, with what it means below.
 *
 * @param {object} options
 * @param {"radio" | "checkbox"} options.type
 * @param {string} options.label
 * @param {string} options.hint
 * @param {Record<string, import("./dom.js").Attribute>} [options.attributes] of the input
 */
export function choice({ type, label, hint, attributes = {} }) {
  const id = `choice-${++choices}`;
  const input = h("input", { type, id, "aria-describedby": `${id}-hint`, ...attributes });
  const element = h(
    "label",
    { class: "choice" },
    input,
    h("span", {}, h("span", { id: `${id}-label` }, label), h("span", { class: "hint", id: `${id}-hint` }, hint)),
  );
  // The name alone: the hint is its description.
  input.setAttribute("aria-labelledby", `${id}-label`);
  return { element, input };
}

let choices = 0;

/** @param {HTMLInputElement} input */
function withReveal(input) {
  const button = h("button", {
    class: "icon-button",
    type: "button",
    "aria-label": t("password.show"),
    "aria-pressed": "false",
    onclick: () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      button.replaceChildren(icon(shown ? "eye-off" : "eye"));
    },
  });
  button.append(icon("eye"));
  return h("div", { class: "input-group" }, input, button);
}

/**
 * Says something about a form as a whole.
 *
 * @param {{ kind: "error" | "attention", symbol: string, title: string, text: string }} notice
 */
export function notice({ kind, symbol, title, text: words }) {
  return h(
    "div",
    { class: "notice", "data-kind": kind, role: "alert" },
    icon(symbol),
    h("div", {}, h("strong", {}, title), h("span", { "aria-live": "off" }, words)),
  );
}

/**
 * Shows a button as at work; it keeps its words.
 *
 * @param {HTMLButtonElement} button
 * @param {string | null} words what it does meanwhile, null when done
 * @param {string} usual
 */
export function busy(button, words, usual) {
  attribute(button, "aria-busy", words === null ? null : "true");
  button.textContent = words ?? usual;
}

/**
 * Puts the server's complaints beside their fields.
 *
 * @param {import("../../wire.d.ts").FieldProblem[]} problems
 * @param {Record<string, Field>} fields
 * @returns {string[]} complaints about no field of this form
 */
export function complainAll(problems, fields) {
  /** @type {string[]} */
  const rest = [];
  for (const { field: name, message } of problems) {
    const target = fields[name];
    if (!target) {
      rest.push(message);
      continue;
    }
    target.complain(message);
  }
  const named = new Set(problems.map((problem) => problem.field));
  const first = Object.entries(fields).find(([name]) => named.has(name));
  first?.[1].input.focus();
  return rest;
}

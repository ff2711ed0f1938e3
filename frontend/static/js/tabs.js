/** Tabs: arrows move between them, and each part is made when it is first looked at. */

import { attribute, h } from "./dom.js";

let count = 0;

/**
 * @param {string} label
 * @param {{ title: string, build: () => HTMLElement }[]} parts
 * @returns {HTMLElement[]} the tabs and their parts
 */
export function tabs(label, parts) {
  const id = `tabs-${++count}`;
  const panels = parts.map((_, at) =>
    h("div", { role: "tabpanel", id: `${id}-${at}`, "aria-labelledby": `${id}-${at}-tab`, tabindex: "0", hidden: true }),
  );
  const buttons = parts.map(({ title }, at) =>
    h(
      "button",
      { type: "button", role: "tab", id: `${id}-${at}-tab`, "aria-controls": `${id}-${at}`, onclick: () => choose(at) },
      title,
    ),
  );
  const choose = (/** @type {number} */ chosen) => {
    for (const [at, panel] of panels.entries()) {
      const shown = at === chosen;
      panel.hidden = !shown;
      const button = buttons[at];
      if (button) {
        attribute(button, "aria-selected", String(shown));
        attribute(button, "tabindex", shown ? "0" : "-1");
      }
      const part = parts[at];
      if (shown && part && panel.childElementCount === 0) panel.append(part.build());
    }
  };
  const move = (/** @type {KeyboardEvent} */ event) => {
    const at = buttons.findIndex((one) => one === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = (to + buttons.length) % buttons.length;
    choose(next);
    buttons[next]?.focus();
  };
  choose(0);
  return [h("div", { class: "tabs", role: "tablist", "aria-label": label, onkeydown: move }, ...buttons), ...panels];
}

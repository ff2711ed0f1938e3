/** The keys that work inside a call: what each does, the list of them, and switching them off. */

import { recall, remember } from "./choices.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { choice } from "./form.js";
import { t } from "./strings.js";

const KEY = "cloudmeet.keys";

/** @typedef {"chat" | "people" | "list"} KeyAction */

/** By the key's place for letters, so that they work in every layout; by what it writes for the sign. */
const KEYS = /** @satisfies {{ does: KeyAction, shown: string, fits: (event: KeyboardEvent) => boolean }[]} */ ([
  { does: "chat", shown: "C", fits: (event) => event.code === "KeyC" && !event.shiftKey },
  { does: "people", shown: "P", fits: (event) => event.code === "KeyP" && !event.shiftKey },
  { does: "list", shown: "?", fits: (event) => event.key === "?" },
]);

let on = recall(KEY) !== "off";

/**
 * What a key asks for. Nothing while one writes, or has something open that is to be answered first.
 *
 * @param {KeyboardEvent} event
 * @returns {KeyAction | null}
 */
export function keyAction(event) {
  if (!on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  const { target } = event;
  if (target instanceof Element && target.closest("input, textarea, select, dialog, [role=menu]")) return null;
  if (document.querySelector("dialog[open]")) return null;
  return KEYS.find(({ fits }) => fits(event))?.does ?? null;
}

/** Lists the keys, with the switch that turns them off. */
export function keysDialog() {
  openDialog({
    title: t("keys.title"),
    body: () => {
      const { element, input } = choice({
        type: "checkbox",
        label: t("keys.on"),
        hint: t("keys.on.about"),
        attributes: {
          checked: on,
          onchange: () => {
            on = input.checked;
            remember(KEY, on ? "on" : "off");
          },
        },
      });
      const lines = KEYS.map(({ does, shown }) =>
        h("div", {}, h("dt", {}, h("kbd", {}, shown)), h("dd", {}, t(`keys.${does}`))),
      );
      return h("div", { class: "dialog-body" }, h("dl", { class: "keys" }, ...lines), element);
    },
  });
}

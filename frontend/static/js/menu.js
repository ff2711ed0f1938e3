/** A button that opens a menu: arrows move, Escape closes and gives the focus back. */

import { h, icon } from "./dom.js";

/**
 * A line of a menu: something to do, something to choose (`checked` says whether it is chosen), or a divider.
 *
 * @typedef {{ text: string, symbol?: string, lang?: string, checked?: boolean, danger?: boolean, choose: () => void }
 *   | "divider"} MenuItem
 */

/**
 * @param {HTMLButtonElement} button
 * @param {{ label: string, side: "up" | "down", items: () => MenuItem[] }} menu its items are asked for when it opens
 * @returns {HTMLElement} the button with its menu's place
 */
export function menuButton(button, { label, side, items }) {
  const anchor = h("span", { class: "menu-anchor", "data-side": side }, button);
  /** @type {HTMLElement | null} */
  let menu = null;
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");

  const close = () => {
    menu?.remove();
    menu = null;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (/** @type {Event} */ event) => {
    if (event.target instanceof Node && !anchor.contains(event.target)) close();
  };
  const choices = () => /** @type {HTMLElement[]} */ ([...(menu?.querySelectorAll("button") ?? [])]);
  const open = () => {
    menu = h("div", { class: "menu", role: "menu", "aria-label": label, onkeydown: move }, items().map(line));
    anchor.append(menu);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    const first = menu.querySelector('[aria-checked="true"]') ?? choices()[0];
    if (first instanceof HTMLElement) first.focus();
    menu.scrollIntoView({ block: "nearest" });
  };
  /** @param {MenuItem} item */
  const line = (item) => {
    if (item === "divider") return h("hr", { role: "separator" });
    const { text, symbol, lang, checked, danger, choose } = item;
    return h(
      "button",
      {
        type: "button",
        role: checked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": checked === undefined ? null : String(checked),
        "data-kind": danger ? "danger" : null,
        lang,
        tabindex: "-1",
        onclick: () => {
          close();
          button.focus();
          choose();
        },
      },
      symbol !== undefined ? icon(symbol) : checked ? icon("check") : h("span", { class: "icon" }),
      text,
    );
  };
  const move = (/** @type {KeyboardEvent} */ event) => {
    const all = choices();
    const at = all.findIndex((one) => one === document.activeElement);
    const to = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all[to]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.stopPropagation();
      close();
      button.focus();
    }
  };
  button.addEventListener("click", () => (menu ? close() : open()));
  return anchor;
}

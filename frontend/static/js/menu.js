/** A button that opens a menu: arrows move, Escape closes and gives the focus back. */

import { h, icon } from "./dom.js";

/** @typedef {{ text: string, lang?: string, checked: boolean, choose: () => void }} MenuItem */

/**
 * @param {HTMLButtonElement} button
 * @param {{ label: string, side: "up" | "down", items: MenuItem[] }} menu
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
  const open = () => {
    menu = h(
      "div",
      { class: "menu", role: "menu", "aria-label": label, onkeydown: move },
      items.map((item) =>
        h(
          "button",
          {
            type: "button",
            role: "menuitemradio",
            "aria-checked": String(item.checked),
            lang: item.lang,
            tabindex: "-1",
            onclick: () => {
              close();
              button.focus();
              item.choose();
            },
          },
          item.checked ? icon("check") : h("span", { class: "icon" }),
          item.text,
        ),
      ),
    );
    anchor.append(menu);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    const first = menu.querySelector('[aria-checked="true"]') ?? menu.firstElementChild;
    if (first instanceof HTMLElement) first.focus();
  };
  const move = (/** @type {KeyboardEvent} */ event) => {
    const choices = /** @type {HTMLElement[]} */ ([...(menu?.children ?? [])]);
    const at = choices.findIndex((one) => one === document.activeElement);
    const to = {
      ArrowDown: (at + 1) % choices.length,
      ArrowUp: (at - 1 + choices.length) % choices.length,
      Home: 0,
      End: choices.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      choices[to]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.stopPropagation();
      close();
      button.focus();
    }
  };
  button.addEventListener("click", () => (menu ? close() : open()));
  return anchor;
}

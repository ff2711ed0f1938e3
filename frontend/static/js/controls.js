/** The controls that several pages share: brand, theme, language, avatar, copied link. */

import { getRoom } from "./api.js";
import { linkCode } from "./api-rooms.js";
import { h, hidden, icon } from "./dom.js";
import { initials } from "./format.js";
import { roomLink } from "./links.js";
import { menuButton } from "./menu.js";
import { copy, inSession, toast } from "./page.js";
import { LANGUAGES, chooseLanguage, language, t } from "./strings.js";
import { chooseTheme, onTheme, theme } from "./theme.js";

/**
 * @param {{ word?: boolean, href?: string }} [options]
 */
export function brand({ word = true, href = "/rooms.html" } = {}) {
  return h(
    "a",
    { class: "brand", href },
    icon("mark", "brand-mark"),
    word && icon("wordmark", "brand-word"),
    hidden("CloudMeet"),
  );
}

/**
 * Initials on one of eight hues.
 *
 * @param {{ user_id: number, name: string, size?: "small" }} person
 */
export function avatar({ user_id, name, size }) {
  return h(
    "span",
    { class: "avatar", "data-hue": hue(user_id), "data-size": size, "aria-hidden": "true" },
    initials(name),
  );
}

/** @param {number} user_id */
export function hue(user_id) {
  return (user_id % 8) + 1;
}

/** @param {string} [className] */
export function themeButton(className = "icon-button") {
  const button = h("button", {
    class: className,
    type: "button",
    "data-focus": "theme",
    onclick: () => chooseTheme(theme() === "dark" ? "light" : "dark"),
  });
  const draw = () => {
    const dark = theme() === "dark";
    button.setAttribute("aria-label", t(dark ? "theme.light" : "theme.dark"));
    button.replaceChildren(icon(dark ? "sun" : "moon"));
  };
  const stop = onTheme(() => {
    if (button.isConnected) draw();
    else stop();
  });
  draw();
  return button;
}

/** @param {"up" | "down"} side where the menu opens */
export function languageButton(side) {
  const own = LANGUAGES.find(([code]) => code === language());
  const button = h(
    "button",
    { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", "data-focus": "language" },
    icon("globe", "icon-small"),
    hidden(`${t("language")}: `),
    h("span", { class: "word" }, own?.[1] ?? ""),
  );
  return menuButton(button, {
    label: t("language"),
    side,
    items: () =>
      LANGUAGES.map(([code, name]) => ({
        text: name,
        lang: code,
        checked: code === language(),
        choose: () => chooseLanguage(code),
      })),
  });
}

/** @typedef {Pick<import("../../wire.d.ts").Room, "id" | "slug" | "visibility">} LinkedRoom */

/**
 * Copies a room's link, with the code that a private room needs if this person may give it away.
 *
 * @param {LinkedRoom} room
 * @returns {Promise<boolean>} false when the link had to be shown instead
 */
export async function copyRoomLink(room) {
  const link = roomLink(room, location.origin, room.visibility === "private" ? await codeToGive(room.id) : null);
  if (await copy(link)) return true;
  toast(t("copy.by_hand", { link }), "error");
  return false;
}

/**
 * @param {number} room_id
 * @returns {Promise<string | null>} null when this person may not give it away
 */
async function codeToGive(room_id) {
  try {
    const { allowed } = await inSession(() => getRoom(room_id));
    return allowed.includes("read_link_code") ? (await inSession(() => linkCode(room_id))).code : null;
  } catch {
    return null;
  }
}

/**
 * A button that copies a room's link and becomes "Copied" for two seconds.
 *
 * @param {() => LinkedRoom | null} room
 * @param {"copy.link" | "copy.invite"} words
 * @param {Record<string, string>} attributes
 */
export function copyLinkButton(room, words, attributes) {
  const draw = (/** @type {boolean} */ done) => {
    button.replaceChildren(icon(done ? "check" : "link", "icon-small"), t(done ? "copy.done" : words));
  };
  const button = h("button", {
    ...attributes,
    type: "button",
    onclick: async () => {
      const now = room();
      if (now === null || !(await copyRoomLink(now))) return;
      draw(true);
      setTimeout(() => draw(false), 2_000);
    },
  });
  draw(false);
  return button;
}

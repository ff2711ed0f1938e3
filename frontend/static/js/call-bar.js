/** The bar below the call: chat, people, more, and Leave. */

import { confirmDialog } from "./dialog.js";
import { attribute, h, icon, text } from "./dom.js";
import { exportDialog } from "./export-dialog.js";
import { capped } from "./format.js";
import { keysDialog } from "./keys.js";
import { menuButton } from "./menu.js";
import { readsSettings, unread } from "./room-state.js";
import { t } from "./strings.js";

/** @typedef {import("./room.js").RoomActions} RoomActions */
/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./menu.js").MenuItem} MenuItem */

/**
 * @param {RoomActions} actions
 * @param {() => Readonly<RoomState> | null} now
 */
export function callBar(actions, now) {
  const chat = counted("chat", t("chat.title"), "chat-unread", () => actions.toggle_panel("chat"));
  const people = counted("people", t("people.title"), "people-waiting", () => actions.toggle_panel("people"));
  const more = control("more", t("more.title"), {});
  const leave = control("leave", t("call.leave"), { "data-kind": "leave", onclick: actions.leave });
  const controls = [chat.button, people.button, more, leave];
  const items = () => {
    const state = now();
    return state === null ? [] : moreItems(state, actions);
  };
  const bar = h(
    "div",
    { class: "bar", role: "toolbar", "aria-label": t("call.controls"), onkeydown: (/** @type {KeyboardEvent} */ event) => move(event) },
    chat.button,
    people.button,
    menuButton(more, { label: t("more.title"), side: "up", items }),
    h("span", { class: "bar-gap" }),
    leave,
  );
  // Arrows move inside the toolbar; Tab reaches each control too, since there are so few.
  const move = (/** @type {KeyboardEvent} */ event) => {
    const at = controls.findIndex((one) => one === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    controls[(at + step + controls.length) % controls.length]?.focus();
  };
  return {
    element: h("footer", { class: "foot on-stage" }, bar, chat.words, people.words),
    /** @param {"chat" | "people"} which */
    focus: (which) => (which === "chat" ? chat : people).button.focus(),
    /** @param {Readonly<RoomState>} state */
    draw(state) {
      attribute(chat.button, "aria-expanded", String(state.panel === "chat"));
      attribute(people.button, "aria-expanded", String(state.panel === "people"));
      const lines = unread(state);
      chat.count(lines, t("unread", { n: lines }));
      people.count(state.waiting.length, t("lobby.count", { n: state.waiting.length }));
    },
  };
}

/**
 * @param {Readonly<RoomState>} state
 * @param {RoomActions} actions
 * @returns {MenuItem[]}
 */
function moreItems({ allowed, room }, actions) {
  if (!room) return [];
  const may = (/** @type {string} */ action) => allowed.has(action);
  const { name } = room;
  /** @type {MenuItem[]} */
  const usual = [
    ...(readsSettings({ room, allowed }) || may("read_audit")
      ? [{ symbol: "settings", text: t("more.settings"), choose: actions.open_settings }]
      : []),
    ...(may("read_messages")
      ? [{ symbol: "search", text: t("more.search"), choose: () => actions.search.open() }]
      : []),
    ...(may("export") ? [{ symbol: "arrow-down", text: t("more.export"), choose: () => exportDialog(room) }] : []),
    { symbol: "keyboard", text: t("more.keys"), choose: keysDialog },
  ];
  /** @type {MenuItem[]} */
  const ends = [
    ...(may("leave")
      ? [
          {
            symbol: "logout",
            text: t("more.leave"),
            danger: true,
            choose: () =>
              confirmDialog({
                title: t("leave.sure", { name }),
                about: t("leave.about"),
                go: t("more.leave"),
                act: actions.leave_for_good,
              }),
          },
        ]
      : []),
    ...(may("end_meeting")
      ? [
          {
            symbol: "leave",
            text: t("more.end"),
            danger: true,
            choose: () =>
              confirmDialog({
                title: t("end.sure"),
                about: t("end.about"),
                go: t("more.end"),
                act: () => actions.hosting.end_meeting(),
              }),
          },
        ]
      : []),
  ];
  return usual.length > 0 && ends.length > 0 ? [...usual, "divider", ...ends] : [...usual, ...ends];
}

/**
 * A control with a number that asks to be read.
 *
 * @param {string} symbol
 * @param {string} word
 * @param {string} id
 * @param {() => void} onclick
 */
function counted(symbol, word, id, onclick) {
  const badge = h("span", { class: "count", "aria-hidden": "true" });
  const words = h("p", { class: "visually-hidden", id });
  const button = control(symbol, word, { onclick });
  /**
   * @param {number} n
   * @param {string} description
   */
  const count = (n, description) => {
    if (n > 0 && !badge.isConnected) button.querySelector(".pad")?.append(badge);
    if (n === 0) badge.remove();
    text(badge, capped(n));
    text(words, n > 0 ? description : "");
    attribute(button, "aria-describedby", n > 0 ? id : null);
  };
  return { button, words, count };
}

/**
 * @param {string} symbol
 * @param {string} word
 * @param {Record<string, import("./dom.js").Attribute>} attributes
 */
function control(symbol, word, attributes) {
  return h(
    "button",
    { class: "control", type: "button", ...attributes },
    h("span", { class: "pad" }, icon(symbol)),
    h("span", { class: "word" }, word),
  );
}

/** In the call: head, banner, stage, one panel, and the bar. */

import { connectionBanner } from "./banner.js";
import { chatPanel } from "./chat-panel.js";
import { brand, copyLinkButton } from "./controls.js";
import { attribute, h, hidden, icon, text } from "./dom.js";
import { capped } from "./format.js";
import { peoplePanel } from "./people-panel.js";
import { linkLost, unread } from "./room-state.js";
import { stage } from "./stage.js";
import { t } from "./strings.js";

/** @typedef {import("./room.js").RoomActions} RoomActions */
/** @typedef {import("./room.js").View} View */
/** @typedef {import("./room-state.js").RoomState} RoomState */

/**
 * @param {RoomActions} actions
 * @returns {View}
 */
export function callView(actions) {
  const heading = h("h1");
  const count = h("span", { "aria-hidden": "true" });
  const countWords = hidden("");
  const banner = connectionBanner({ retry: actions.retry_link, kept: true, className: "banner on-stage" });
  const faces = stage();
  const panels = { chat: chatPanel(actions), people: peoplePanel(actions, () => shown) };
  const bar = toolbar(actions);
  /** @type {Readonly<RoomState>["room"]} */
  let shown = null;

  const head = h(
    "header",
    { class: "room-head on-stage" },
    brand({ word: false }),
    heading,
    h("ul", { class: "facts" }, h("li", {}, icon("people", "icon-small"), count, countWords)),
    h("span", { class: "spacer" }),
    copyLinkButton(() => shown ?? { id: 0, slug: null }, "copy.link", {
      class: "button only-wide",
      "data-size": "small",
    }),
  );
  const element = h("div", { class: "room" }, head, faces.element, bar.element);

  /** @type {View["draw"]} */
  const draw = (state) => {
    const { room, me, roster, panel } = state;
    if (!room || !me) return;
    shown = room;
    const inside = roster.inside;
    const lost = linkLost(state);
    text(heading, room.name);
    text(count, String(inside.length));
    text(countWords, t("call.people", { n: inside.length }));
    attribute(element, "data-link", lost ? "lost" : null);
    attribute(element, "data-panel", panel);
    if (lost && !banner.element.isConnected) head.after(banner.element);
    if (!lost) banner.element.remove();
    if (lost) banner.draw(state.link);
    else banner.stop();
    faces.draw({ inside, me: me.id, name: room.name });
    const before = element.querySelector(".panel");
    const wanted = panel === null ? null : panels[panel].element;
    if (before !== wanted) {
      const inPanel = before?.contains(document.activeElement) ?? false;
      before?.remove();
      if (wanted) faces.element.after(wanted);
      if (panel !== null) panels[panel].focus();
      else if (inPanel) bar.focus(before === panels.people.element ? "people" : "chat");
    }
    if (panel !== null) panels[panel].draw(state);
    bar.draw(state);
  };
  return { element, draw };
}

/** @param {RoomActions} actions */
function toolbar(actions) {
  const badge = h("span", { class: "count", "aria-hidden": "true" });
  const words = h("p", { class: "visually-hidden", id: "chat-unread" });
  const chat = control("chat", t("chat.title"), { onclick: () => actions.toggle_panel("chat") });
  const people = control("people", t("people.title"), { onclick: () => actions.toggle_panel("people") });
  const leave = control("leave", t("call.leave"), { "data-kind": "leave", onclick: actions.leave });
  const controls = [chat, people, leave];
  const bar = h(
    "div",
    { class: "bar", role: "toolbar", "aria-label": t("call.controls"), onkeydown: (/** @type {KeyboardEvent} */ event) => move(event) },
    chat,
    people,
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
    element: h("footer", { class: "foot on-stage" }, bar, words),
    /** @param {"chat" | "people"} which */
    focus: (which) => (which === "chat" ? chat : people).focus(),
    /** @param {Readonly<RoomState>} state */
    draw(state) {
      const { panel } = state;
      attribute(chat, "aria-expanded", String(panel === "chat"));
      attribute(people, "aria-expanded", String(panel === "people"));
      const waiting = unread(state);
      if (waiting > 0 && !badge.isConnected) chat.querySelector(".pad")?.append(badge);
      if (waiting === 0) badge.remove();
      text(badge, capped(waiting));
      text(words, waiting > 0 ? t("unread", { n: waiting }) : "");
      attribute(chat, "aria-describedby", waiting > 0 ? words.id : null);
    },
  };
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

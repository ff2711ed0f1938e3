/** In the call: head, banner, stage, one panel, and the bar. */

import { connectionBanner } from "./banner.js";
import { callBar } from "./call-bar.js";
import { chatPanel } from "./chat-panel.js";
import { brand, copyLinkButton } from "./controls.js";
import { attribute, h, hidden, icon, text } from "./dom.js";
import { moment } from "./format.js";
import { knock } from "./knock.js";
import { peoplePanel } from "./people-panel.js";
import { linkLost } from "./room-state.js";
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
  // Said once by `announce`.
  const closing = h(
    "div",
    { class: "banner on-stage", role: "status", "aria-label": t("closing.name"), "aria-live": "off" },
    icon("clock"),
    h("p", { class: "grow" }),
  );
  const banners = h("div", { class: "banners" });
  const faces = stage();
  const door = knock(actions);
  const panels = { chat: chatPanel(actions), people: peoplePanel(actions, () => shown?.room ?? null) };
  const bar = callBar(actions, () => shown);
  /** @type {Readonly<RoomState> | null} */
  let shown = null;

  const head = h(
    "header",
    { class: "room-head on-stage" },
    brand({ word: false }),
    heading,
    h("ul", { class: "facts" }, h("li", {}, icon("people", "icon-small"), count, countWords)),
    h("span", { class: "spacer" }),
    copyLinkButton(() => shown?.room ?? null, "copy.link", {
      class: "button only-wide",
      "data-size": "small",
    }),
  );
  const element = h("div", { class: "room" }, head, banners, faces.element, bar.element);
  faces.element.append(door.element);

  /** @type {View["draw"]} */
  const draw = (state) => {
    const { room, me, roster, panel } = state;
    if (!room || !me) return;
    shown = state;
    const inside = roster.inside;
    const lost = linkLost(state);
    text(heading, room.name);
    text(count, String(inside.length));
    text(countWords, t("call.people", { n: inside.length }));
    attribute(element, "data-link", lost ? "lost" : null);
    attribute(element, "data-panel", panel);
    // Only what changes is put in or taken out, so that nothing is read out twice.
    if (lost && !banner.element.isConnected) banners.prepend(banner.element);
    if (!lost) banner.element.remove();
    const { closes_soon_at } = state;
    if (closes_soon_at === null) closing.remove();
    else {
      const line = closing.querySelector("p");
      if (line) text(line, t("closing.soon", { time: moment(closes_soon_at) }));
      if (!closing.isConnected) banners.append(closing);
    }
    door.draw(state);
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

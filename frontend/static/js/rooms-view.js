/** Draws the rooms page from its state. */

import { copyRoomLink } from "./controls.js";
import { attribute, h, hidden, icon, reconcile, text } from "./dom.js";
import { capped, firstLetter, lastActive, moment } from "./format.js";
import { roomPage } from "./links.js";
import { dots } from "./presence-dots.js";
import { GROUND, stateCard, unreachableCard } from "./state-card.js";
import { t } from "./strings.js";
import { topbar } from "./topbar.js";

/** @typedef {import("./rooms.js").RoomsState} RoomsState */
/** @typedef {import("./rooms.js").RoomsActions} RoomsActions */
/** @typedef {import("../../wire.d.ts").Room} Room */

/**
 * @param {RoomsActions} actions
 * @param {ReturnType<typeof import("./banner.js").connectionBanner>} banner
 */
export function roomsPage(actions, banner) {
  const bar = topbar({ here: "rooms", sign_out: actions.sign_out });
  const bannerPlace = h("div");
  const mainButtons = h("div", { class: "button-row" }, ...twoActions(actions));
  const searchBox = h("input", {
    class: "input",
    type: "search",
    "aria-label": t("rooms.search"),
    placeholder: t("rooms.search"),
    oninput: () => actions.search(searchBox.value.trim()),
  });
  const search = h(
    "div",
    { class: "input-group rooms-tools", "data-icon": "start", role: "search" },
    icon("search"),
    searchBox,
  );
  const list = h("ul", { class: "card room-list", "aria-label": t("rooms.title") });
  const more = h("button", { class: "button", type: "button", "data-wide": true, onclick: actions.more }, t("rooms.more"));
  const state = h("div");
  const unreachable = unreachableCard({ heading: "h2", about: "rooms.unreachable.about", retry: actions.retry });
  const element = h(
    "div",
    {},
    h("a", { class: "skip-link visually-hidden", href: "#main" }, t("rooms.skip")),
    bar.element,
    bannerPlace,
    h(
      "main",
      { class: "page", id: "main" },
      h("div", { class: "page-head rooms-head" }, h("h1", {}, t("rooms.title")), mainButtons),
      search,
      list,
      more,
      state,
    ),
  );

  /** @param {Readonly<RoomsState>} now */
  const draw = (now) => {
    bar.draw(now.me);
    const lost = now.phase === "ready" && (now.link.phase === "waiting" || (now.was_open && now.link.phase === "connecting"));
    bannerPlace.replaceChildren(...(lost ? [banner.element] : []));
    if (lost) banner.draw(now.link);
    else banner.stop();

    if (searchBox.value.trim() !== now.query) searchBox.value = now.query;
    const rooms = [...now.rooms.values()].sort(
      (a, b) => Date.parse(b.last_activity_at) - Date.parse(a.last_activity_at) || b.id - a.id,
    );
    const empty = rooms.length === 0 && now.query === "";
    const listed = now.phase === "ready" && rooms.length > 0;
    // The two actions stand in the empty state itself, so that each is on the page once.
    mainButtons.hidden = now.phase !== "ready" || empty;
    search.hidden = now.phase !== "ready" || empty;
    list.hidden = !listed;
    more.hidden = !(listed && now.more);
    attribute(more, "aria-busy", now.loading_more ? "true" : null);
    text(more, t(now.loading_more ? "rooms.loading" : "rooms.more"));
    reconcile(list, listed ? rooms.map((room) => roomPiece(room, now, actions)) : []);
    if (typeof now.phase === "string") reconcile(state, listed ? [] : [statePiece(now, actions)]);
    else {
      reconcile(state, [{ key: "unreachable", signature: "", build: () => unreachable.element }]);
      unreachable.count(now.phase.retry_at_ms);
    }
  };
  return { element, draw };
}

/** @param {RoomsActions} actions */
function twoActions(actions) {
  return [
    h("button", { class: "button", type: "button", onclick: actions.join_by_link }, icon("link"), t("rooms.join")),
    h(
      "button",
      { class: "button", "data-kind": "primary", type: "button", onclick: actions.new_room },
      icon("plus"),
      t("rooms.new"),
    ),
  ];
}

/**
 * @param {Room} room
 * @param {Readonly<RoomsState>} now
 * @param {RoomsActions} actions
 */
function roomPiece(room, now, actions) {
  const copied = now.copied === room.id;
  const confirming = now.confirming === room.id;
  const active = room.participants_count > 0 ? t("active.now") : lastActive(room.last_activity_at);
  const flags = roomFlags(room);
  const signature = JSON.stringify([
    flags,
    room.visibility,
    room.name,
    room.my_role,
    room.managed_by,
    room.slug,
    room.participants_count,
    room.unread,
    active,
    copied,
    confirming,
  ]);
  const shown = { active, copied, confirming, flags, is_admin: now.me?.is_admin === true };
  return { key: String(room.id), signature, build: () => roomRow(room, shown, actions) };
}

/**
 * Says what one should know of a room before its door: who may come in, and from when on.
 *
 * @param {Room} room
 */
function roomFlags(room) {
  const opens = room.opens_at !== null && Date.parse(room.opens_at) > Date.now() ? moment(room.opens_at) : null;
  return [
    ...(room.visibility === "private" ? [{ symbol: "lock", words: t("rooms.private") }] : []),
    ...(room.visibility === "password" ? [{ symbol: "lock", words: t("rooms.password") }] : []),
    ...(room.lobby ? [{ symbol: "door", words: t("rooms.lobby") }] : []),
    ...(opens === null ? [] : [{ symbol: "clock", words: t("rooms.opens", { time: opens }) }]),
  ];
}

const ROLES = /** @type {const} */ ({
  owner: "role.owner",
  moderator: "role.moderator",
  participant: "role.participant",
});

/**
 * @param {Room} room
 * @param {{ active: string, copied: boolean, confirming: boolean, flags: ReturnType<typeof roomFlags>, is_admin: boolean }} now
 * @param {RoomsActions} actions
 */
function roomRow(room, { active, copied, confirming, flags, is_admin }, actions) {
  const live = room.participants_count > 0;
  return h(
    "li",
    { class: "room-row", "data-live": live },
    h("span", { class: "room-sign", "aria-hidden": "true" }, firstLetter(room.name).toLocaleUpperCase()),
    h(
      "div",
      { class: "room-text" },
      h("h2", {}, h("a", { class: "room-link", href: roomPage(room), "data-focus": "link" }, room.name)),
      h(
        "ul",
        { class: "room-meta" },
        h("li", {}, t(room.my_role === null ? "role.none" : ROLES[room.my_role])),
        flags.map(({ symbol, words }) => h("li", { class: "flag" }, icon(symbol, "icon-small"), ` ${words}`)),
        h("li", {}, active),
      ),
    ),
    live
      ? h("p", { class: "presence" }, dots(room.participants_count), h("span", {}, t("rooms.inside", { n: room.participants_count })))
      : h("span", { class: "presence" }),
    h(
      "p",
      { class: "room-unread" },
      room.unread > 0 && h("span", { class: "count", "aria-hidden": "true" }, capped(room.unread)),
      room.unread > 0 && hidden(t("unread", { n: room.unread })),
    ),
    h(
      "div",
      { class: "room-actions" },
      confirming && confirmation(room, actions),
      copied && h("span", { class: "copied", role: "status" }, t("copy.done")),
      // Who sees the button; whether they may, the server says when it is pressed.
      (room.my_role === "owner" || is_admin) &&
        room.managed_by === null &&
        h(
          "button",
          {
            class: "icon-button room-delete",
            "data-kind": "danger",
            type: "button",
            "aria-label": t("rooms.delete", { name: room.name }),
            "data-focus": "delete",
            onclick: () => actions.ask_delete(room.id),
          },
          icon("delete"),
        ),
      h(
        "button",
        {
          class: "icon-button",
          type: "button",
          "data-state": copied ? "done" : null,
          "aria-label": t("copy.link_to", { name: room.name }),
          "data-focus": "copy",
          onclick: async () => {
            if (await copyRoomLink(room)) actions.copied(room.id);
          },
        },
        icon(copied ? "check" : "link"),
      ),
    ),
  );
}

/**
 * @param {Room} room
 * @param {RoomsActions} actions
 */
function confirmation(room, actions) {
  return h(
    "div",
    {
      class: "room-confirm",
      role: "group",
      "aria-label": t("rooms.delete", { name: room.name }),
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && actions.ask_delete(null),
    },
    h("span", {}, t("rooms.delete.sure")),
    h(
      "button",
      { class: "button", "data-size": "small", type: "button", "data-focus": "delete", onclick: () => actions.ask_delete(null) },
      t("keep"),
    ),
    h(
      "button",
      { class: "button", "data-size": "small", "data-kind": "danger", type: "button", onclick: () => actions.delete(room) },
      t("delete"),
    ),
  );
}

/**
 * @param {Readonly<RoomsState>} now
 * @param {RoomsActions} actions
 */
function statePiece(now, actions) {
  if (now.phase === "loading") {
    return { key: "loading", signature: "", build: () => stateCard({ title: t("rooms.loading") }) };
  }
  if (now.query === "") {
    const build = () =>
      stateCard({
        ground: GROUND.whole,
        title: t("rooms.empty"),
        about: t("rooms.empty.about"),
        buttons: twoActions(actions),
      });
    return { key: "empty", signature: "", build };
  }
  const build = () => stateCard({ title: t("rooms.none"), about: t("rooms.none.about", { query: now.query }) });
  return { key: "none", signature: now.query, build };
}

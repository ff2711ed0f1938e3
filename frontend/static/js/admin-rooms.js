/** Every room of the server, private and deleted ones too, and what is done to them. */

import { deleteRoom, getRoom } from "./api.js";
import * as admin from "./api-admin.js";
import { endMeeting } from "./api-rooms.js";
import { activityList } from "./activity-list.js";
import { roomDetails } from "./admin-room-details.js";
import { administer } from "./admin-session.js";
import { confirmDialog, openDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { clock, day } from "./format.js";
import { Hosting } from "./hosting.js";
import { roomPage } from "./links.js";
import { createListing } from "./listing.js";
import { listingView, refreshButton } from "./listing-view.js";
import { menuButton } from "./menu.js";
import { reason, toast } from "./page.js";
import { dots } from "./presence-dots.js";
import { createRoomStore } from "./room-state.js";
import { openSettings } from "./settings-dialog.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */
/** @typedef {import("../../wire.d.ts").Room} Room */

const PAGE = 50;

/** @param {Account} me */
export function roomsView(me) {
  let only_active = true;
  /** @type {import("./listing.js").Listing<Room>} */
  const listing = createListing({
    page: ({ skip, query }) => administer(() => admin.listAllRooms({ skip, limit: PAGE, query, only_active })),
    size: PAGE,
    key: (room) => room.id,
  });

  /** @param {Room} room that was deleted just now */
  const gone = (room) => {
    if (only_active) listing.drop(room);
    else listing.put({ ...room, is_active: false, participants_count: 0 });
    toast(t("rooms.deleted", { name: room.name }));
  };

  /** @param {Room} room */
  const settings = async (room) => {
    try {
      const { participants, waiting, allowed, ...fresh } = await administer(() => getRoom(room.id));
      const store = createRoomStore();
      store.set({ room: fresh, me, allowed: new Set(allowed) });
      openSettings(store, new Hosting(store), () => listing.put(store.get().room ?? fresh), () => gone(fresh));
    } catch (error) {
      toast(reason(error), "error");
    }
  };

  /** @param {Room} room */
  const menu = (room) => {
    const { name } = room;
    if (!room.is_active) {
      return [
        { text: t("admin.details"), symbol: "eye", choose: () => roomDetails(room) },
        { text: t("settings.activity"), symbol: "clock", choose: () => activityDialog(room) },
      ];
    }
    return [
      { text: t("admin.details"), symbol: "eye", choose: () => roomDetails(room) },
      { text: t("rooms.admin.open"), symbol: "door", choose: () => location.assign(roomPage(room)) },
      { text: t("settings.title"), symbol: "settings", choose: () => void settings(room) },
      /** @type {const} */ ("divider"),
      ...(room.participants_count === 0
        ? []
        : [
            {
              text: t("rooms.admin.end"),
              symbol: "leave",
              danger: true,
              choose: () =>
                confirmDialog({
                  title: t("rooms.admin.end.sure", { name }),
                  about: t("rooms.admin.end.about"),
                  go: t("rooms.admin.end"),
                  act: async () => listing.put(await administer(() => endMeeting(room.id))),
                  done: () => toast(t("rooms.admin.ended", { name })),
                }),
            },
          ]),
      // What is managed from outside would come again.
      ...(room.managed_by !== null
        ? []
        : [
            {
              text: t("delete.room"),
              symbol: "delete",
              danger: true,
              choose: () =>
                confirmDialog({
                  title: t("delete.sure", { name }),
                  about: t("delete.about"),
                  go: t("delete.room"),
                  act: () => administer(() => deleteRoom(room.id)),
                  done: () => gone(room),
                }),
            },
          ]),
    ];
  };

  const which = () => {
    const select = h(
      "select",
      {
        class: "input",
        "aria-label": t("rooms.admin.which"),
        onchange: () => {
          only_active = select.value === "active";
          void listing.load();
        },
      },
      h("option", { value: "active", selected: only_active }, t("rooms.admin.active")),
      h("option", { value: "every", selected: !only_active }, t("rooms.admin.every")),
    );
    return h("div", { class: "select" }, select, icon("chevron-down"));
  };

  return {
    load: listing.load,
    build: () => ({
      ...listingView(listing, {
        label: t("admin.rooms"),
        columns: [
          { title: t("rooms.admin.room") },
          { title: t("rooms.admin.who") },
          { title: t("rooms.admin.state") },
          { title: t("rooms.admin.activity") },
          { title: t("admin.actions.column"), hidden: true },
        ],
        row: (room) => ({
          key: String(room.id),
          signature: JSON.stringify([room, day(room.last_activity_at)]),
          build: () => roomRow(room, () => menu(room)),
        }),
        search: {
          label: t("rooms.admin.search"),
          hint: t("rooms.admin.search"),
          none: (query) => t("rooms.none.about", { query }),
        },
        filter: which(),
        empty: { title: t("rooms.empty"), about: t("rooms.admin.empty.about") },
      }),
      actions: [refreshButton(() => void listing.load())],
    }),
  };
}

/** @param {Room} room */
function activityDialog(room) {
  openDialog({
    title: room.name,
    body: () => h("div", { class: "settings scrolls", tabindex: "0" }, activityList(room.id, () => null)),
  });
}

const VISIBILITY = /** @type {const} */ ({ public: "rule.public", private: "rooms.private", password: "rooms.password" });

/**
 * @param {Room} room
 * @param {() => import("./menu.js").MenuItem[]} menu
 */
function roomRow(room, menu) {
  const { id, name } = room;
  const button = h(
    "button",
    { class: "icon-button", type: "button", "aria-label": t("admin.actions", { name }), "data-focus": `room-${id}` },
    icon("more"),
  );
  return h(
    "tr",
    { "data-state": room.is_active ? null : "inactive", "data-live": room.participants_count > 0 },
    h(
      "th",
      { scope: "row" },
      h(
        "span",
        { class: "user" },
        h(
          "span",
          {},
          room.is_active
            ? h("a", { class: "record-link", href: roomPage(room), "data-focus": `open-${id}` }, name)
            : h("strong", {}, name),
          h("small", {}, room.managed_by === null ? (room.description ?? `/r/${room.slug ?? id}`) : t("rooms.admin.managed", { name: room.managed_by })),
        ),
      ),
    ),
    h(
      "td",
      {},
      h("span", { class: "status" }, icon(room.visibility === "public" ? "globe" : "lock", "icon-small"), t(VISIBILITY[room.visibility])),
      room.lobby && h("span", { class: "status" }, icon("door", "icon-small"), t("rooms.lobby")),
    ),
    h("td", {}, inside(room)),
    h("td", { class: "quiet" }, h("time", { datetime: room.last_activity_at }, `${day(room.last_activity_at)}, ${clock(room.last_activity_at)}`)),
    h("td", { class: "actions" }, menuButton(button, { label: name, side: "down", items: menu })),
  );
}

/** @param {Room} room */
function inside({ is_active, participants_count }) {
  if (!is_active) return h("span", { class: "badge", "data-kind": "attention" }, t("rooms.admin.deleted"));
  if (participants_count === 0) return h("span", { class: "quiet" }, t("rooms.admin.nobody"));
  return h("span", { class: "presence" }, dots(participants_count), h("span", {}, t("rooms.inside", { n: participants_count })));
}

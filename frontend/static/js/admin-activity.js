/** The record of deeds of the whole server, newest first. */

import { getRoom } from "./api.js";
import * as admin from "./api-admin.js";
import { administer } from "./admin-session.js";
import { deedDetail, deedName, resultName } from "./deed-words.js";
import { h } from "./dom.js";
import { clock, day } from "./format.js";
import { roomPage } from "./links.js";
import { createListing } from "./listing.js";
import { listingView, refreshButton } from "./listing-view.js";
import { createNames } from "./names.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Deed} Deed */

const PAGE = 50;

export function activityView() {
  /** @type {import("./listing.js").Listing<Deed>} */
  const listing = createListing({
    page: ({ last }) => administer(() => admin.listAllDeeds({ limit: PAGE, ...(last === null ? {} : { before_id: last.id }) })),
    size: PAGE,
    key: (deed) => deed.id,
  });
  const names = createNames(
    async (kind, id) =>
      kind === "user" ? (await administer(() => admin.readUser(id))).display_name : (await administer(() => getRoom(id))).name,
    () => listing.store.set({}),
  );

  /** @param {Deed} deed */
  const words = (deed) => ({
    actor: deed.actor_name ?? (deed.actor_id === null ? t("activity.server") : person(deed.actor_id)),
    // Whoever does something to themselves does it to nobody else.
    target: deed.target_id === null || deed.target_id === deed.actor_id ? null : person(deed.target_id),
    room: deed.room_id === null ? null : (names.of("room", deed.room_id) ?? t("record.room", { id: deed.room_id })),
  });
  const person = (/** @type {number} */ id) => names.of("user", id) ?? t("activity.person", { id });

  return {
    load: listing.load,
    build: () => ({
      about: t("record.about"),
      ...listingView(listing, {
        label: t("admin.activity"),
        columns: [
          { title: t("record.when") },
          { title: t("record.who") },
          { title: t("record.what") },
          { title: t("record.where") },
          { title: t("record.from") },
        ],
        row: (deed) => {
          const said = words(deed);
          return {
            key: String(deed.id),
            signature: JSON.stringify([deed.id, said, day(deed.at)]),
            build: () => deedRow(deed, said),
          };
        },
        empty: { title: t("activity.none"), about: t("record.about") },
      }),
      actions: [refreshButton(() => void listing.load())],
    }),
  };
}

/**
 * @param {Deed} deed
 * @param {{ actor: string, target: string | null, room: string | null }} said
 */
function deedRow({ at, action, detail, result, room_id, address }, { actor, target, room }) {
  const more = [target, deedDetail(action, detail)];
  const rest = more.filter((part) => part !== null && part !== "").join(" · ");
  return h(
    "tr",
    { class: "deed" },
    h("td", { class: "quiet when" }, h("time", { datetime: at }, `${day(at)}, ${clock(at)}`)),
    h("th", { scope: "row" }, h("strong", {}, actor)),
    h(
      "td",
      { class: "what" },
      h("span", {}, deedName(action)),
      result !== "done" && h("span", { class: "badge", "data-kind": "danger" }, `${t("record.refused")}: ${resultName(result)}`),
      rest !== "" && h("small", {}, rest),
    ),
    h("td", {}, room_id !== null && h("a", { class: "record-link", href: roomPage({ id: room_id }) }, room)),
    h("td", { class: "quiet" }, address),
  );
}

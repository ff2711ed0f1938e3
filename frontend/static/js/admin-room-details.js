/** What an administrator sees of a room: what it is, whose it is, and who is inside. */

import { getRoom } from "./api.js";
import { readUser } from "./api-admin.js";
import { administer } from "./admin-session.js";
import { avatar } from "./controls.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { facts } from "./facts.js";
import { dateAndTime, number } from "./format.js";
import { roomLink } from "./links.js";
import { reason } from "./page.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("../../wire.d.ts").Participant} Participant */

/** @param {Room} room as it stands in the list; shown as it is now */
export function roomDetails(room) {
  const place = h("div", { class: "dialog-part" }, h("p", { class: "hint", role: "status" }, t("settings.loading")));
  openDialog({ title: room.name, body: () => h("div", { class: "dialog-body", tabindex: "0" }, place) });
  const show = async () => {
    try {
      const now = await administer(() => getRoom(room.id));
      const owner = await ownerName(now);
      place.replaceChildren(
        facts([
          [t("rooms.admin.owner"), owner],
          [t("rooms.admin.link"), roomLink(now, location.origin)],
          [t("rooms.admin.created"), h("time", { datetime: now.created_at }, dateAndTime(now.created_at))],
          [t("rooms.admin.places"), number(now.capacity)],
          [t("rooms.admin.messages"), number(now.last_seq)],
          [t("admin.number"), String(now.id)],
        ]),
        h("h3", {}, t("rooms.admin.inside")),
        now.participants.length === 0
          ? h("p", { class: "hint" }, t("rooms.admin.nobody.about"))
          : h("ul", { class: "inside-list", "aria-label": t("rooms.admin.inside") }, ...now.participants.map(insideLine)),
      );
    } catch (error) {
      place.replaceChildren(h("p", { class: "error", role: "alert" }, reason(error)));
    }
  };
  void show();
}

/** @param {import("../../wire.d.ts").RoomDetail} room */
async function ownerName({ owner_id, participants }) {
  const present = participants.find((one) => one.user_id === owner_id);
  if (present) return present.user_display_name;
  try {
    const { display_name, email } = await administer(() => readUser(owner_id));
    return `${display_name} (${email})`;
  } catch {
    // The account was deleted; the room is still somebody's.
    return t("activity.person", { id: owner_id });
  }
}

/** @param {Participant} one */
function insideLine({ user_id, user_display_name: name, status, role }) {
  const roles = /** @type {const} */ ({ owner: "role.owner", moderator: "role.moderator", participant: "role.participant" });
  return h(
    "li",
    { class: "user" },
    avatar({ user_id, name }),
    h(
      "span",
      {},
      h("strong", {}, name),
      h("small", {}, `${t(status === "in_call" ? "rooms.admin.in_call" : "rooms.admin.around")} · ${t(roles[role])}`),
    ),
  );
}

/** Lists in a room's settings: its members, and who is banned from it. */

import { liftBan, listPeople } from "./api-rooms.js";
import { avatar } from "./controls.js";
import { h } from "./dom.js";
import { inSession, reason, toast } from "./page.js";
import { personRow } from "./person-row.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Participant} Participant */

/**
 * A list that is loaded when it is shown, and says so while it is, or when it could not be.
 *
 * @param {string} label
 * @param {() => Promise<HTMLElement[] | string>} load its lines, or the words in their place
 */
export function loadedList(label, load) {
  const list = h("ul", { class: "people-list", "aria-label": label });
  const state = h("p", { class: "hint", role: "status" });
  const element = h("div", { class: "dialog-body" }, state, list);
  const again = async () => {
    state.replaceChildren(t("settings.loading"));
    try {
      const lines = await load();
      list.replaceChildren(...(typeof lines === "string" ? [] : lines));
      state.replaceChildren(typeof lines === "string" ? lines : "");
    } catch (error) {
      state.replaceChildren(
        `${t("settings.failed")}: ${reason(error)} `,
        h("button", { class: "button", "data-size": "small", type: "button", onclick: () => void again() }, t("retry")),
      );
    }
    list.hidden = list.childElementCount === 0;
    state.hidden = state.childNodes.length === 0 || state.textContent === "";
  };
  void again();
  return { element, again };
}

/**
 * @param {number} room_id
 * @param {{ me: number | undefined, hosting: import("./hosting.js").Hosting,
 *   store: import("./room-state.js").RoomStore }} context
 */
export function memberList(room_id, { me, hosting, store }) {
  const { element, again } = loadedList(t("settings.members"), async () => {
    const members = await inSession(() => listPeople(room_id, "members"));
    const { allowed } = store.get();
    return members.map((one) => personRow(one, { me, allowed, hosting, done: () => void again() }));
  });
  return element;
}

/** @param {number} room_id */
export function bannedList(room_id) {
  const { element, again } = loadedList(t("settings.banned"), async () => {
    const banned = await inSession(() => listPeople(room_id, "banned"));
    return banned.length === 0 ? t("banned.none") : banned.map((one) => bannedRow(one, lift));
  });
  /** @param {Participant} one */
  const lift = async (one) => {
    try {
      await inSession(() => liftBan(room_id, one.user_id));
      toast(t("banned.lifted", { name: one.user_display_name }));
    } catch (error) {
      toast(reason(error), "error");
    }
    await again();
  };
  return element;
}

/**
 * @param {Participant} one
 * @param {(one: Participant) => Promise<void>} lift
 */
function bannedRow(one, lift) {
  const name = one.user_display_name;
  return h(
    "li",
    { class: "person" },
    avatar({ user_id: one.user_id, name }),
    h("span", { class: "person-name" }, h("span", {}, name)),
    h(
      "span",
      { class: "person-state" },
      h(
        "button",
        {
          class: "button",
          "data-size": "small",
          type: "button",
          "aria-label": t("banned.lift.name", { name }),
          onclick: () => void lift(one),
        },
        t("banned.lift"),
      ),
    ),
  );
}

/** A room's settings: its rules, its members, who is banned, and what was done. */

import { deleteRoom } from "./api.js";
import { changeRoom } from "./api-rooms.js";
import { activityList } from "./activity-list.js";
import { confirmDialog, dialogFooter, openDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { busy, notice } from "./form.js";
import { linkCodePart } from "./link-code.js";
import { bannedList, memberList } from "./member-lists.js";
import { fieldProblems, inSession, reason, toast } from "./page.js";
import { roomFields } from "./room-fields.js";
import { readsSettings } from "./room-state.js";
import { lacksPassword, patchBody, valuesOf } from "./room-values.js";
import { t } from "./strings.js";
import { tabs } from "./tabs.js";

/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("./room-state.js").RoomStore} RoomStore */

/**
 * @param {RoomStore} store
 * @param {import("./hosting.js").Hosting} hosting
 * @param {() => void} saved
 * @param {() => void} [deleted]
 */
export function openSettings(store, hosting, saved, deleted = () => {}) {
  const { room, allowed, me } = store.get();
  if (!room) return;
  const reads = readsSettings({ room, allowed });
  const nameOf = (/** @type {number} */ user_id) => store.get().roster.get(user_id)?.user_display_name ?? null;
  openDialog({
    title: t("settings.title"),
    wide: true,
    body: (close) => {
      const parts = [
        ...(reads ? [{ title: t("settings.room"), build: () => settingsForm(store, room, { close, saved, deleted }) }] : []),
        ...(reads && allowed.has("read_messages")
          ? [{ title: t("settings.members"), build: () => memberList(room.id, { me: me?.id, hosting, store }) }]
          : []),
        ...(allowed.has("lift_ban") ? [{ title: t("settings.banned"), build: () => bannedList(room.id) }] : []),
        ...(allowed.has("read_audit") ? [{ title: t("settings.activity"), build: () => activityList(room.id, nameOf) }] : []),
      ];
      return h("div", { class: "settings" }, ...tabs(t("settings.parts"), parts));
    },
  });
}

/**
 * @param {RoomStore} store
 * @param {Room} room
 * @param {{ close: () => void, saved: () => void, deleted: () => void }} after
 */
function settingsForm(store, room, { close, saved, deleted }) {
  const { allowed } = store.get();
  const managed = room.managed_by !== null;
  const fields = roomFields(valuesOf(room), { has_password: room.visibility === "password" });
  const top = h("div", { hidden: true });
  const submit = h("button", { class: "button", "data-kind": "primary" }, t("settings.save"));
  const onSubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (managed || submit.getAttribute("aria-busy") === "true") return;
    top.hidden = true;
    const values = fields.read();
    if (values.name.trim() === "") {
      fields.complain([{ field: "name", message: t("room.name.missing") }]);
      return;
    }
    if (lacksPassword(room, values)) {
      fields.complain([{ field: "password", message: t("door.password.missing") }]);
      return;
    }
    busy(submit, t("settings.saving"), t("settings.save"));
    try {
      const now = await inSession(() => changeRoom(room.id, patchBody(room, values)));
      store.set({ room: now });
      close();
      saved();
      toast(t("settings.saved"));
    } catch (error) {
      busy(submit, null, t("settings.save"));
      const problems = fieldProblems(error);
      const rest = fields.complain(problems);
      if (problems.length > 0 && rest.length === 0) return;
      const text = rest[0] ?? reason(error);
      top.replaceChildren(notice({ kind: "error", symbol: "warning", title: t("settings.not_saved"), text }));
      top.hidden = false;
      top.scrollIntoView({ block: "nearest" });
    }
  };
  return h(
    "form",
    { class: "dialog-body", novalidate: true, onsubmit: (/** @type {Event} */ event) => void onSubmit(event) },
    managed && managedNotice(room.managed_by ?? ""),
    top,
    h("fieldset", { class: "plain", disabled: managed }, ...fields.first, ...fields.rules),
    room.visibility === "private" && allowed.has("read_link_code") && linkCodePart(room, allowed),
    allowed.has("delete_room") && !managed && deletePart(room, { close, deleted }),
    !managed && dialogFooter(close, submit),
  );
}

/** @param {string} name */
function managedNotice(name) {
  return h(
    "div",
    { class: "notice", role: "note" },
    icon("lock"),
    h("div", {}, h("strong", {}, t("settings.managed", { name })), h("span", {}, t("settings.managed.about"))),
  );
}

/**
 * @param {Room} room
 * @param {{ close: () => void, deleted: () => void }} after
 */
function deletePart(room, { close, deleted }) {
  const ask = () =>
    confirmDialog({
      title: t("delete.sure", { name: room.name }),
      about: t("delete.about"),
      go: t("delete.room"),
      act: async () => {
        await inSession(() => deleteRoom(room.id));
        close();
        deleted();
      },
    });
  return h(
    "div",
    { class: "settings-part" },
    h("button", { class: "button", "data-kind": "outline-danger", type: "button", onclick: ask }, icon("delete"), t("delete.room")),
  );
}

/** The two dialogs of the rooms page: a new room, and joining one by its link. */

import * as api from "./api.js";
import { dialogFooter, openDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { busy, complainAll, field, notice } from "./form.js";
import { codeHash, readRoomLink, roomPage } from "./links.js";
import { fieldProblems, inSession, reason } from "./page.js";
import { roomFields } from "./room-fields.js";
import { NEW_ROOM, createBody, lacksPassword } from "./room-values.js";
import { t } from "./strings.js";

export function newRoomDialog() {
  const fields = roomFields(NEW_ROOM, { has_password: false });
  const more = h(
    "details",
    { class: "more-settings" },
    h("summary", {}, icon("chevron-right"), t("settings.more")),
    h("div", {}, ...fields.rules),
  );
  openDialog({
    title: t("rooms.new"),
    body: (close) => {
      const submit = h("button", { class: "button", "data-kind": "primary" }, t("room.create"));
      const top = h("div", { hidden: true });
      const onSubmit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (submit.getAttribute("aria-busy") === "true") return;
        top.hidden = true;
        const values = fields.read();
        if (values.name.trim() === "") {
          fields.complain([{ field: "name", message: t("room.name.missing") }]);
          return;
        }
        if (lacksPassword(null, values)) {
          more.open = true;
          fields.complain([{ field: "password", message: t("door.password.missing") }]);
          return;
        }
        busy(submit, t("room.creating"), t("room.create"));
        try {
          const room = await inSession(() => api.createRoom(createBody(values)));
          location.assign(roomPage(room));
        } catch (error) {
          busy(submit, null, t("room.create"));
          const problems = fieldProblems(error);
          if (problems.some(({ field }) => field !== "name" && field !== "description")) more.open = true;
          const rest = fields.complain(problems);
          if (problems.length > 0 && rest.length === 0) return;
          top.replaceChildren(
            notice({ kind: "error", symbol: "warning", title: t("room.not_created"), text: rest[0] ?? reason(error) }),
          );
          top.hidden = false;
        }
      };
      return h(
        "form",
        { class: "dialog-body", novalidate: true, onsubmit: (/** @type {Event} */ event) => void onSubmit(event) },
        top,
        ...fields.first,
        more,
        dialogFooter(close, submit),
      );
    },
  });
}

export function joinByLinkDialog() {
  const link = field({
    id: "room-link",
    label: t("join.link"),
    hint: t("join.hint", { host: location.host }),
    attributes: { required: true, autocomplete: "off", spellcheck: "false", inputmode: "url" },
  });
  openDialog({
    title: t("rooms.join"),
    body: (close) => {
      const submit = h("button", { class: "button", "data-kind": "primary" }, t("join.go"));
      const onSubmit = (/** @type {Event} */ event) => {
        event.preventDefault();
        const read = readRoomLink(link.input.value, location.host);
        if ("room" in read) {
          location.assign(`/r/${encodeURIComponent(read.room)}${codeHash(read.code)}`);
          return;
        }
        complainAll([{ field: "link", message: t(`join.${read.problem}`, { host: location.host }) }], { link });
      };
      return h(
        "form",
        { class: "dialog-body", novalidate: true, onsubmit: onSubmit },
        link.element,
        dialogFooter(close, submit),
      );
    },
  });
}

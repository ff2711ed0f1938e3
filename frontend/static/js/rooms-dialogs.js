/** The two dialogs of the rooms page: a new room, and joining one by its link. */

import * as api from "./api.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { busy, complainAll, field, notice } from "./form.js";
import { readRoomLink, roomPage } from "./links.js";
import { inSession, reason } from "./page.js";
import { t } from "./strings.js";

export function newRoomDialog() {
  const name = field({
    id: "room-name",
    label: t("room.name"),
    attributes: { required: true, maxlength: 255, autocomplete: "off" },
  });
  const about = field({
    id: "room-about",
    label: t("room.about"),
    optional: true,
    attributes: { autocomplete: "off", maxlength: 2_000, placeholder: t("room.about.hint") },
  });
  openDialog({
    title: t("rooms.new"),
    body: (close) => {
      const submit = h("button", { class: "button", "data-kind": "primary" }, t("room.create"));
      const top = h("div", { hidden: true });
      const onSubmit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (submit.getAttribute("aria-busy") === "true") return;
        top.hidden = true;
        if (name.input.value.trim() === "") {
          complainAll([{ field: "name", message: t("room.name.missing") }], { name });
          return;
        }
        busy(submit, t("room.creating"), t("room.create"));
        try {
          const description = about.input.value.trim() || null;
          const room = await inSession(() => api.createRoom({ name: name.input.value.trim(), description }));
          location.assign(roomPage(room));
        } catch (error) {
          busy(submit, null, t("room.create"));
          const problems = error instanceof api.ApiError ? error.errors : [];
          const rest = complainAll(problems, { name, description: about });
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
        name.element,
        about.element,
        footer(close, submit),
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
          location.assign(`/r/${encodeURIComponent(read.room)}`);
          return;
        }
        complainAll([{ field: "link", message: t(`join.${read.problem}`, { host: location.host }) }], { link });
      };
      return h(
        "form",
        { class: "dialog-body", novalidate: true, onsubmit: onSubmit },
        link.element,
        footer(close, submit),
      );
    },
  });
}

/**
 * @param {() => void} close
 * @param {HTMLButtonElement} submit
 */
function footer(close, submit) {
  return h(
    "footer",
    {},
    h("button", { class: "button", "data-kind": "quiet", type: "button", onclick: close }, t("cancel")),
    submit,
  );
}

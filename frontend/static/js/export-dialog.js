/** Takes a room's chat along, in the form that one chooses. */

import { exportHistory } from "./api-rooms.js";
import { dialogFooter, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { busy, choice, notice } from "./form.js";
import { inSession, reason } from "./page.js";
import { t } from "./strings.js";

const FORMATS = /** @type {const} */ (["html", "txt", "json"]);

/** @param {{ id: number, name: string }} room */
export function exportDialog(room) {
  const choices = FORMATS.map((format, at) => ({
    format,
    ...choice({
      type: "radio",
      label: t(`export.${format}`),
      hint: t(`export.${format}.hint`),
      attributes: { name: "format", checked: at === 0 },
    }),
  }));
  openDialog({
    title: t("more.export"),
    body: (close) => {
      const top = h("div", { hidden: true });
      const submit = h("button", { class: "button", "data-kind": "primary" }, t("export.go"));
      const onSubmit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (submit.getAttribute("aria-busy") === "true") return;
        top.hidden = true;
        busy(submit, t("export.working"), t("export.go"));
        const format = choices.find((one) => one.input.checked)?.format ?? "html";
        try {
          save(await inSession(() => exportHistory(room.id, format)), fileName(room.name, format));
          close();
        } catch (error) {
          busy(submit, null, t("export.go"));
          top.replaceChildren(
            notice({ kind: "error", symbol: "warning", title: t("export.failed"), text: reason(error) }),
          );
          top.hidden = false;
        }
      };
      return h(
        "form",
        { class: "dialog-body", onsubmit: (/** @type {Event} */ event) => void onSubmit(event) },
        top,
        h("p", {}, t("export.about")),
        h("fieldset", { class: "choices" }, h("legend", {}, t("export.format")), ...choices.map((one) => one.element)),
        dialogFooter(close, submit),
      );
    },
  });
}

/**
 * Names a file after a room, without what some file systems refuse.
 *
 * @param {string} name
 * @param {string} format
 */
export function fileName(name, format) {
  const plain = name.replace(/[^\p{L}\p{N} ._-]+/gu, " ").replace(/\s+/g, " ").replace(/^[ .]+|[ .]+$/g, "");
  return `${plain.slice(0, 100) || "chat"}.${format}`;
}

/**
 * Has the browser keep a file. Only a request of this page's own can carry the session, so it is fetched first.
 *
 * @param {Blob} file
 * @param {string} name
 */
function save(file, name) {
  const address = URL.createObjectURL(file);
  const link = h("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

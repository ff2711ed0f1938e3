/** A modal dialog with one form: focus in and back, Escape and Close end it. */

import { h, icon } from "./dom.js";
import { t } from "./strings.js";

let count = 0;

/**
 * @param {{ title: string, body: (close: () => void) => HTMLFormElement }} dialog
 */
export function openDialog({ title, body }) {
  const opener = document.activeElement;
  const id = `dialog-${++count}`;
  const close = () => dialog.close();
  const dialog = h(
    "dialog",
    {
      class: "dialog",
      "aria-labelledby": id,
      onclose: () => {
        dialog.remove();
        if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      },
    },
    h(
      "header",
      {},
      h("h2", { id }, title),
      h("button", { class: "icon-button", type: "button", "aria-label": t("close"), onclick: close }, icon("close")),
    ),
    body(close),
  );
  document.body.append(dialog);
  dialog.showModal();
  const first = dialog.querySelector("input, textarea");
  if (first instanceof HTMLElement) first.focus();
}

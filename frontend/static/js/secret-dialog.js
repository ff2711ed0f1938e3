/** Shows a secret that is shown once: to copy, before it is gone. */

import { openDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { field, notice } from "./form.js";
import { copy } from "./page.js";
import { t } from "./strings.js";

/**
 * @param {{ title: string, label: string, value: string, about: string }} secret
 */
export function secretDialog({ title, label, value, about }) {
  const shown = field({
    id: "secret",
    label,
    attributes: { class: "input secret", readonly: true, autocomplete: "off", spellcheck: "false", value },
  });
  const button = h("button", { class: "button", type: "button", autofocus: true });
  const draw = (/** @type {boolean} */ done) => {
    button.replaceChildren(icon(done ? "check" : "copy", "icon-small"), t(done ? "copy.done" : "admin.copy"));
  };
  button.addEventListener("click", async () => {
    if (!(await copy(value))) {
      shown.input.select();
      return;
    }
    draw(true);
    setTimeout(() => draw(false), 2_000);
  });
  draw(false);
  openDialog({
    title,
    body: (close) =>
      h(
        "div",
        { class: "dialog-body" },
        notice({ kind: "attention", symbol: "warning", title: t("admin.once"), text: about }),
        h("div", { class: "secret-row" }, shown.element, button),
        h(
          "footer",
          {},
          h("button", { class: "button", "data-kind": "primary", type: "button", onclick: close }, t("admin.done")),
        ),
      ),
  });
}

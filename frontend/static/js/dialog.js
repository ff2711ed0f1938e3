/** Modal dialogs: focus in and back, Escape and Close end them. */

import { h, icon } from "./dom.js";
import { busy, notice } from "./form.js";
import { reason } from "./page.js";
import { t } from "./strings.js";

let count = 0;

/**
 * @param {{ title: string, wide?: boolean, body: (close: () => void) => HTMLElement }} dialog
 */
export function openDialog({ title, wide = false, body }) {
  const opener = document.activeElement;
  const id = `dialog-${++count}`;
  const close = () => dialog.close();
  const dialog = h(
    "dialog",
    {
      class: "dialog",
      "data-wide": wide,
      "aria-labelledby": id,
      onclose: () => {
        dialog.remove();
        focusBack(opener);
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
  const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector("input:enabled, textarea:enabled");
  if (first instanceof HTMLElement) first.focus();
}

/**
 * Gives the focus back to what opened a dialog, to what was drawn in its place, or to the page's heading.
 *
 * @param {Element | null} opener
 */
function focusBack(opener) {
  if (!(opener instanceof HTMLElement)) return;
  const name = opener.dataset.focus;
  const twin = name === undefined ? null : document.querySelector(`[data-focus="${CSS.escape(name)}"]`);
  const place = opener.isConnected ? opener : (twin ?? document.querySelector("h1[tabindex]"));
  if (place instanceof HTMLElement) place.focus();
}

/**
 * The foot of a dialog's form: Cancel, and what it is for.
 *
 * @param {() => void} close
 * @param {HTMLButtonElement} submit
 */
export function dialogFooter(close, submit) {
  return h(
    "footer",
    {},
    h("button", { class: "button", "data-kind": "quiet", type: "button", onclick: close }, t("cancel")),
    submit,
  );
}

/**
 * Asks before something that is not easily undone, does it, and says in place when it did not work.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.about
 * @param {string} question.go what the button that does it says
 * @param {"danger" | "primary"} [question.kind]
 * @param {() => Promise<unknown>} question.act
 * @param {() => void} [question.done] what follows, once the question is gone
 */
export function confirmDialog({ title, about, go, kind = "danger", act, done = () => {} }) {
  openDialog({
    title,
    body: (close) => {
      const top = h("div", { hidden: true });
      const submit = h("button", { class: "button", "data-kind": kind }, go);
      const onSubmit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (submit.getAttribute("aria-busy") === "true") return;
        top.hidden = true;
        busy(submit, go, go);
        try {
          await act();
          close();
          done();
        } catch (error) {
          busy(submit, null, go);
          top.replaceChildren(
            notice({ kind: "error", symbol: "warning", title: t("act.failed"), text: reason(error) }),
          );
          top.hidden = false;
        }
      };
      const footer = dialogFooter(close, submit);
      // Enter alone then does nothing that cannot be undone.
      footer.querySelector("button")?.setAttribute("autofocus", "");
      return h(
        "form",
        { class: "dialog-body", onsubmit: (/** @type {Event} */ event) => void onSubmit(event) },
        top,
        h("p", {}, about),
        footer,
      );
    },
  });
}

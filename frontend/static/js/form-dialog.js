/** A dialog with a form: says beside each field what is wrong with it, and above what is wrong as a whole. */

import { ApiError } from "./api.js";
import { dialogFooter, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { busy, complainAll, notice } from "./form.js";
import { reason } from "./page.js";

/** @typedef {import("../../wire.d.ts").FieldProblem} FieldProblem */

/**
 * @param {object} form
 * @param {string} form.title
 * @param {(HTMLElement | null)[]} form.body
 * @param {Record<string, import("./form.js").Field>} form.fields by the names that the server has for them
 * @param {Record<string, string>} [form.codes] which field some refusals speak of
 * @param {() => FieldProblem[]} [form.missing] what need not be asked of the server
 * @param {string} form.go
 * @param {string} form.working
 * @param {string} form.failed
 * @param {() => Promise<unknown>} form.act
 * @param {() => void} form.done what follows, once the dialog is gone
 */
export function formDialog({ title, body, fields, codes = {}, missing = () => [], go, working, failed, act, done }) {
  openDialog({
    title,
    body: (close) => {
      const top = h("div", { hidden: true });
      const submit = h("button", { class: "button", "data-kind": "primary" }, go);
      const onSubmit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (submit.getAttribute("aria-busy") === "true") return;
        top.hidden = true;
        const lacking = missing();
        if (lacking.length > 0) {
          say(complainAll(lacking, fields));
          return;
        }
        busy(submit, working, go);
        try {
          await act();
          close();
          done();
        } catch (error) {
          busy(submit, null, go);
          const problems = problemsOf(error, codes);
          say(problems.length > 0 ? complainAll(problems, fields) : [reason(error)]);
        }
      };
      /** @param {string[]} complaints about no field */
      const say = (complaints) => {
        if (complaints.length === 0) return;
        top.replaceChildren(notice({ kind: "error", symbol: "warning", title: failed, text: complaints.join(" ") }));
        top.hidden = false;
      };
      return h(
        "form",
        { class: "dialog-body", novalidate: true, onsubmit: (/** @type {Event} */ event) => void onSubmit(event) },
        top,
        ...body,
        dialogFooter(close, submit),
      );
    },
  });
}

/**
 * @param {unknown} error
 * @param {Record<string, string>} codes
 * @returns {FieldProblem[]}
 */
function problemsOf(error, codes) {
  if (!(error instanceof ApiError)) return [];
  const field = codes[error.code];
  return field === undefined ? error.errors : [{ field, message: reason(error) }];
}

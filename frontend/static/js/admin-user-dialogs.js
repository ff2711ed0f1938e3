/** The dialogs about an account: a new one, its details, another name, another password, a link for one. */

import * as admin from "./api-admin.js";
import { administer } from "./admin-session.js";
import { confirmDialog, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { facts } from "./facts.js";
import { choice, field } from "./form.js";
import { formDialog } from "./form-dialog.js";
import { dateAndTime } from "./format.js";
import { reason, toast } from "./page.js";
import { secretDialog } from "./secret-dialog.js";
import { strengthMeter } from "./strength.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */

/** @param {(user: Account) => void} put takes the new account */
export function addUserDialog(put) {
  const name = field({
    id: "user-name",
    label: t("users.name"),
    attributes: { required: true, autocomplete: "off", maxlength: 100 },
  });
  const email = field({
    id: "user-email",
    label: t("field.email"),
    attributes: { type: "email", required: true, autocomplete: "off", inputmode: "email", maxlength: 254 },
  });
  const password = newPassword("users.password.hint", true);
  const administrator = choice({ type: "checkbox", label: t("users.admin.switch"), hint: t("users.admin.hint") });
  formDialog({
    title: t("users.add"),
    body: [name.element, email.element, password.element, administrator.element],
    fields: { display_name: name, email, password },
    codes: { email_taken: "email" },
    missing: () => [
      ...(name.input.value.trim() === "" ? [{ field: "display_name", message: t("users.name.missing") }] : []),
      ...(email.input.value.trim() === "" ? [{ field: "email", message: t("users.email.missing") }] : []),
    ],
    go: t("users.add.go"),
    working: t("users.adding"),
    failed: t("users.not_added"),
    act: async () => {
      const typed = password.input.value;
      const user = {
        display_name: name.input.value.trim(),
        email: email.input.value.trim(),
        is_admin: administrator.input.checked,
        ...(typed === "" ? {} : { password: typed }),
      };
      put(await administer(() => admin.createUser(user)));
    },
    done: () => toast(t("users.added", { name: name.input.value.trim() })),
  });
}

/**
 * @param {Account} user
 * @param {(user: Account) => void} put
 */
export function renameDialog(user, put) {
  const name = field({
    id: "user-name",
    label: t("users.name"),
    attributes: { required: true, autocomplete: "off", maxlength: 100, value: user.display_name },
  });
  formDialog({
    title: t("users.rename.title", { name: user.display_name }),
    body: [name.element],
    fields: { display_name: name },
    missing: () => (name.input.value.trim() === "" ? [{ field: "display_name", message: t("users.name.missing") }] : []),
    go: t("settings.save"),
    working: t("users.saving"),
    failed: t("users.not_saved"),
    act: async () => put(await administer(() => admin.changeUser(user.id, { display_name: name.input.value.trim() }))),
    done: () => toast(t("users.renamed", { name: name.input.value.trim() })),
  });
}

/**
 * @param {Account} user
 * @param {(user: Account) => void} put
 */
export function passwordDialog(user, put) {
  const password = newPassword("field.password.hint", false);
  formDialog({
    title: t("users.set_password.title", { name: user.display_name }),
    body: [h("p", {}, t("users.set_password.about")), password.element],
    fields: { password },
    missing: () => (password.input.value === "" ? [{ field: "password", message: t("field.password.missing") }] : []),
    go: t("users.set_password"),
    working: t("users.saving"),
    failed: t("users.not_saved"),
    act: async () => put(await administer(() => admin.changeUser(user.id, { password: password.input.value }))),
    done: () => toast(t("users.password_set", { name: user.display_name })),
  });
}

/** @param {Account} user */
export function linkDialog(user) {
  const name = user.display_name;
  /** @type {import("../../wire.d.ts").ResetLink | null} */
  let link = null;
  confirmDialog({
    title: t("users.link.sure", { name }),
    about: t("users.link.about"),
    go: t("users.link.go"),
    kind: "primary",
    act: async () => {
      link = await administer(() => admin.createResetLink(user.id));
    },
    done: () => {
      if (link === null) return;
      secretDialog({
        title: t("users.link"),
        label: t("rooms.admin.link"),
        // A server that does not know its own name leaves it out.
        value: new URL(link.url, location.origin).href,
        about: t("users.link.once", { name, time: dateAndTime(link.expires_at) }),
      });
    },
  });
}

/** @param {Account} user as it stands in the list; shown as it is now */
export function userDetails(user) {
  const place = h("div", {}, h("p", { class: "hint", role: "status" }, t("settings.loading")));
  openDialog({ title: user.display_name, body: () => h("div", { class: "dialog-body" }, place) });
  const show = async () => {
    try {
      const now = await administer(() => admin.readUser(user.id));
      place.replaceChildren(
        facts([
          [t("field.email"), now.email],
          [t("users.name"), now.display_name],
          [t("users.role"), t(now.is_admin ? "users.administrator" : "users.member")],
          [t("users.state"), t(now.is_active ? "users.active" : "users.inactive")],
          [t("users.joined"), h("time", { datetime: now.created_at }, dateAndTime(now.created_at))],
          [t("admin.number"), String(now.id)],
        ]),
      );
    } catch (error) {
      place.replaceChildren(h("p", { class: "error", role: "alert" }, reason(error)));
    }
  };
  void show();
}

/**
 * @param {"users.password.hint" | "field.password.hint"} hint
 * @param {boolean} optional
 */
function newPassword(hint, optional) {
  const meter = strengthMeter();
  return field({
    id: "user-password",
    label: t("field.password"),
    optional,
    hint: t(hint),
    extra: meter.element,
    attributes: {
      type: "password",
      autocomplete: "new-password",
      maxlength: 128,
      oninput: (/** @type {Event} */ event) => meter.judge(/** @type {HTMLInputElement} */ (event.target).value),
    },
  });
}

/** The keys by which programs speak for themselves. */

import * as admin from "./api-admin.js";
import { administer } from "./admin-session.js";
import { confirmDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { choice, field } from "./form.js";
import { formDialog } from "./form-dialog.js";
import { date, dateAndTime } from "./format.js";
import { createListing } from "./listing.js";
import { listingView } from "./listing-view.js";
import { createNames } from "./names.js";
import { toast } from "./page.js";
import { fromLocal } from "./room-values.js";
import { secretDialog } from "./secret-dialog.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */
/** @typedef {import("../../wire.d.ts").ApiKey} ApiKey */

/** @param {Account} me */
export function keysView(me) {
  /** @type {import("./listing.js").Listing<ApiKey>} */
  const listing = createListing({
    page: () => administer(admin.listApiKeys),
    // The server gives them all at once.
    size: Number.POSITIVE_INFINITY,
    key: (key) => key.id,
  });
  const names = createNames(
    async (_, id) => (await administer(() => admin.readUser(id))).display_name,
    () => listing.store.set({}),
  );

  /** @param {ApiKey} key */
  const origin = ({ created_at, created_by }) => {
    const name = created_by === null ? null : created_by === me.id ? me.display_name : names.of("user", created_by);
    return name === null ? t("keys.created", { date: date(created_at) }) : t("keys.created_by", { date: date(created_at), name });
  };

  /** @param {ApiKey} key */
  const revoke = (key) =>
    confirmDialog({
      title: t("keys.revoke.sure", { name: key.name }),
      about: t("keys.revoke.about"),
      go: t("keys.revoke.go"),
      act: async () => {
        await administer(() => admin.revokeApiKey(key.id));
        listing.drop(key);
      },
      done: () => toast(t("keys.revoked", { name: key.name })),
    });

  return {
    load: listing.load,
    build: () => ({
      about: t("keys.about"),
      ...listingView(listing, {
        label: t("admin.keys"),
        columns: [
          { title: t("keys.key") },
          { title: t("keys.scopes") },
          { title: t("keys.expires") },
          { title: t("keys.used") },
          { title: t("admin.actions.column"), hidden: true },
        ],
        row: (key) => ({
          key: String(key.id),
          signature: JSON.stringify([key, origin(key)]),
          build: () => keyRow(key, origin(key), () => revoke(key)),
        }),
        empty: { title: t("keys.empty"), about: t("keys.about") },
      }),
      actions: [
        h(
          "button",
          { class: "button", "data-kind": "primary", type: "button", "data-focus": "add", onclick: () => newKeyDialog(listing.put) },
          icon("plus"),
          t("keys.create"),
        ),
      ],
    }),
  };
}

/** @param {(key: ApiKey) => void} put takes the new key */
function newKeyDialog(put) {
  const name = field({
    id: "key-name",
    label: t("keys.name"),
    hint: t("keys.name.hint"),
    attributes: { required: true, autocomplete: "off", maxlength: 100 },
  });
  const expires = field({
    id: "key-expires",
    label: t("keys.expires"),
    optional: true,
    hint: t("keys.expires.hint"),
    attributes: { type: "datetime-local" },
  });
  const manages = choice({
    type: "checkbox",
    label: t("keys.rooms_manage"),
    hint: t("keys.rooms_manage.hint"),
    attributes: { checked: true },
  });
  /** @type {import("../../wire.d.ts").NewApiKey | null} */
  let made = null;
  formDialog({
    title: t("keys.create"),
    body: [
      name.element,
      h("fieldset", { class: "choices" }, h("legend", {}, t("keys.scopes.legend")), manages.element),
      expires.element,
    ],
    fields: { name, expires_at: expires },
    missing: () => [
      ...(name.input.value.trim() === "" ? [{ field: "name", message: t("keys.name.missing") }] : []),
      ...(manages.input.checked ? [] : [{ field: "scopes", message: t("keys.scopes.missing") }]),
    ],
    go: t("keys.create.go"),
    working: t("keys.creating"),
    failed: t("keys.not_created"),
    act: async () => {
      const asked = { name: name.input.value.trim(), scopes: ["rooms:manage"], expires_at: fromLocal(expires.input.value) };
      made = await administer(() => admin.createApiKey(asked));
      const { key: _, ...listed } = made;
      put(listed);
    },
    done: () => {
      if (made === null) return;
      secretDialog({ title: t("keys.made", { name: made.name }), label: t("keys.secret"), value: made.key, about: t("keys.once") });
    },
  });
}

/**
 * @param {ApiKey} key
 * @param {string} origin when it was made, and by whom
 * @param {() => void} revoke
 */
function keyRow(key, origin, revoke) {
  const { id, name, scopes, expires_at, last_used_at } = key;
  const is_over = expires_at !== null && Date.parse(expires_at) <= Date.now();
  return h(
    "tr",
    { "data-state": is_over ? "inactive" : null },
    h("th", { scope: "row" }, h("span", { class: "user" }, h("span", {}, h("strong", {}, name), h("small", {}, origin)))),
    h("td", {}, ...scopes.map((scope) => h("span", { class: "badge" }, scope === "rooms:manage" ? t("keys.rooms_manage") : scope))),
    h(
      "td",
      {},
      labelled("keys.expires"),
      expires_at === null ? t("keys.no_end") : h("time", { datetime: expires_at }, dateAndTime(expires_at)),
      is_over && h("span", { class: "badge", "data-kind": "attention" }, t("keys.expired")),
    ),
    h(
      "td",
      { class: "quiet" },
      labelled("keys.used"),
      last_used_at === null ? t("keys.never") : h("time", { datetime: last_used_at }, dateAndTime(last_used_at)),
    ),
    h(
      "td",
      { class: "actions" },
      h(
        "button",
        {
          class: "icon-button",
          "data-kind": "danger",
          type: "button",
          "aria-label": t("keys.revoke", { name }),
          "data-focus": `key-${id}`,
          onclick: revoke,
        },
        icon("delete"),
      ),
    ),
  );
}

/**
 * Says on a phone, where the columns have no heads, what a value is.
 *
 * @param {"keys.expires" | "keys.used"} title
 */
const labelled = (title) => h("span", { class: "only-stacked", "aria-hidden": "true" }, `${t(title)}: `);

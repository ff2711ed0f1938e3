/** The accounts of everybody, and what is done to them. */

import * as admin from "./api-admin.js";
import { administer } from "./admin-session.js";
import { addUserDialog, linkDialog, passwordDialog, renameDialog, userDetails } from "./admin-user-dialogs.js";
import { avatar } from "./controls.js";
import { confirmDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { date } from "./format.js";
import { createListing } from "./listing.js";
import { listingView } from "./listing-view.js";
import { menuButton } from "./menu.js";
import { reason, toast } from "./page.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */

const PAGE = 50;

/** @param {Account} me */
export function usersView(me) {
  /** @type {import("./listing.js").Listing<Account>} */
  const listing = createListing({
    page: ({ skip, query }) => administer(() => admin.listUsers({ skip, limit: PAGE, query })),
    size: PAGE,
    key: (user) => user.id,
  });

  /**
   * @param {Account} user
   * @param {import("../../wire.d.ts").UpdateUser} changes
   */
  const change = async (user, changes) => listing.put(await administer(() => admin.changeUser(user.id, changes)));

  /** @param {Account} user */
  const menu = (user) => {
    const name = user.display_name;
    const own = user.id === me.id ? `${t("users.yourself")} ` : "";
    return [
      { text: t("admin.details"), symbol: "eye", choose: () => userDetails(user) },
      { text: t("users.rename"), symbol: "edit", choose: () => renameDialog(user, listing.put) },
      { text: t("users.set_password"), symbol: "lock", choose: () => passwordDialog(user, listing.put) },
      ...(user.is_active ? [{ text: t("users.link"), symbol: "link", choose: () => linkDialog(user) }] : []),
      {
        text: t(user.is_admin ? "users.revoke" : "users.grant"),
        symbol: "shield",
        choose: () =>
          confirmDialog({
            title: t(user.is_admin ? "users.revoke.sure" : "users.grant.sure", { name }),
            about: own + t(user.is_admin ? "users.revoke.about" : "users.grant.about"),
            go: t(user.is_admin ? "users.revoke.go" : "users.grant"),
            kind: user.is_admin ? "danger" : "primary",
            act: () => change(user, { is_admin: !user.is_admin }),
            done: () => toast(t(user.is_admin ? "users.revoked" : "users.granted", { name })),
          }),
      },
      /** @type {const} */ ("divider"),
      user.is_active
        ? {
            text: t("users.deactivate"),
            symbol: "logout",
            danger: true,
            choose: () =>
              confirmDialog({
                title: t("users.deactivate.sure", { name }),
                about: own + t("users.deactivate.about"),
                go: t("users.deactivate"),
                act: () => change(user, { is_active: false }),
                done: () => toast(t("users.deactivated", { name })),
              }),
          }
        : { text: t("users.activate"), symbol: "check", choose: () => void activate(user) },
      {
        text: t("users.delete"),
        symbol: "delete",
        danger: true,
        choose: () =>
          confirmDialog({
            title: t("users.delete.sure", { name }),
            about: own + t("users.delete.about"),
            go: t("users.delete"),
            act: async () => {
              await administer(() => admin.deleteUser(user.id));
              listing.drop(user);
            },
            done: () => toast(t("users.deleted", { name })),
          }),
      },
    ];
  };

  /** @param {Account} user */
  const activate = async (user) => {
    try {
      await change(user, { is_active: true });
      toast(t("users.activated", { name: user.display_name }));
    } catch (error) {
      toast(reason(error), "error");
    }
  };

  return {
    load: listing.load,
    build: () => ({
      ...listingView(listing, {
        label: t("admin.users"),
        columns: [
          { title: t("users.person") },
          { title: t("users.role") },
          { title: t("users.state") },
          { title: t("users.joined") },
          { title: t("admin.actions.column"), hidden: true },
        ],
        row: (user) => ({
          key: String(user.id),
          signature: JSON.stringify(user),
          build: () => userRow(user, { own: user.id === me.id, menu: () => menu(user) }),
        }),
        search: {
          label: t("users.search"),
          hint: t("users.search.hint"),
          none: (query) => t("users.none.about", { query }),
        },
        empty: { title: t("admin.none"), about: "" },
      }),
      actions: [
        h(
          "button",
          { class: "button", "data-kind": "primary", type: "button", "data-focus": "add", onclick: () => addUserDialog(listing.put) },
          icon("person-add"),
          t("users.add"),
        ),
      ],
    }),
  };
}

/**
 * @param {Account} user
 * @param {{ own: boolean, menu: () => import("./menu.js").MenuItem[] }} options
 */
function userRow(user, { own, menu }) {
  const name = user.display_name;
  const button = h(
    "button",
    { class: "icon-button", type: "button", "aria-label": t("admin.actions", { name }), "data-focus": `user-${user.id}` },
    icon("more"),
  );
  return h(
    "tr",
    { "data-state": user.is_active ? null : "inactive" },
    h(
      "th",
      { scope: "row" },
      h(
        "span",
        { class: "user" },
        avatar({ user_id: user.id, name }),
        h("span", {}, h("strong", {}, name, own && h("span", { class: "badge" }, t("you"))), h("small", {}, user.email)),
      ),
    ),
    h("td", {}, user.is_admin ? h("span", { class: "badge" }, icon("shield", "icon-small"), t("users.administrator")) : t("users.member")),
    h(
      "td",
      {},
      user.is_active
        ? h("span", { class: "status" }, icon("check", "icon-small"), t("users.active"))
        : h("span", { class: "badge", "data-kind": "attention" }, t("users.inactive")),
    ),
    h("td", { class: "quiet" }, h("time", { datetime: user.created_at }, date(user.created_at))),
    h("td", { class: "actions" }, menuButton(button, { label: name, side: "down", items: menu })),
  );
}

/** One person in a list: who they are to the room, and what one may do to them. */

import { avatar } from "./controls.js";
import { confirmDialog } from "./dialog.js";
import { h, hidden, icon } from "./dom.js";
import { menuButton } from "./menu.js";
import { reason, toast } from "./page.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Participant} Participant */
/** @typedef {import("./menu.js").MenuItem} MenuItem */

/**
 * @typedef {object} RowContext
 * @property {number | undefined} me
 * @property {ReadonlySet<string>} allowed
 * @property {import("./hosting.js").Hosting} hosting
 * @property {() => void} [done] runs after something was done to the person
 */

/**
 * @param {Participant} one
 * @param {RowContext} context
 */
export function personRow(one, context) {
  const name = one.user_display_name;
  const mine = one.user_id === context.me;
  const role = { owner: t("role.host"), moderator: t("role.moderator"), participant: "" }[one.role];
  const note = mine ? (role === "" ? t("you") : t("role.and_you", { role })) : role;
  const items = () => personItems(one, context);
  return h(
    "li",
    { class: "person" },
    avatar({ user_id: one.user_id, name }),
    h("span", { class: "person-name" }, h("span", {}, name), note !== "" && h("small", {}, note)),
    h(
      "span",
      { class: "person-state" },
      one.muted_by_host && icon("mic-off"),
      one.muted_by_host && hidden(t("person.muted")),
      items().length > 0 &&
        menuButton(
          h(
            "button",
            {
              class: "icon-button",
              "data-size": "small",
              type: "button",
              "aria-label": t("person.more", { name }),
              "data-focus": "more",
            },
            icon("more"),
          ),
          { label: name, side: "down", items },
        ),
    ),
  );
}

/** What of a person and of what one may is drawn. */
export function personSignature(/** @type {Participant} */ one, /** @type {RowContext} */ { me, allowed }) {
  return [one.user_display_name, one.role, one.is_owner, one.muted_by_host, one.user_id === me, ...allowed].join("\n");
}

/**
 * What one may do to a person: what the server allows, and makes a difference. The owner is never the object, and
 * nobody does it to themselves.
 *
 * @param {Participant} one
 * @param {RowContext} context
 * @returns {MenuItem[]}
 */
function personItems(one, { me, allowed, hosting, done }) {
  if (one.is_owner || one.user_id === me) return [];
  const name = one.user_display_name;
  /**
   * @param {import("./api-rooms.js").Deed} deed
   * @param {"person.muted.done" | "person.promoted.done" | "person.demoted.done" | "person.removed.done"
   *   | "person.banned.done"} said
   */
  const act = async (deed, said) => {
    await hosting.moderate(one.user_id, deed);
    toast(t(said, { name }));
    done?.();
  };
  const at_once = (/** @type {Parameters<typeof act>} */ ...what) =>
    void act(...what).catch((error) => toast(reason(error), "error"));
  /**
   * @param {"kick" | "ban"} deed
   * @param {"person.removed.done" | "person.banned.done"} said
   */
  const ask = (deed, said) =>
    confirmDialog({
      title: t(`person.${deed}.sure`, { name }),
      about: t(`person.${deed}.about`),
      go: t(`person.${deed}`),
      act: () => act(deed, said),
    });
  const askHandOn = () =>
    confirmDialog({
      title: t("person.hand_on.sure", { name }),
      about: t("person.hand_on.about"),
      go: t("person.hand_on"),
      kind: "primary",
      act: async () => {
        await hosting.hand_on(one.user_id);
        toast(t("person.owner.done", { name }));
        done?.();
      },
    });
  /**
   * @param {string} action
   * @param {boolean} matters
   * @param {MenuItem} item
   */
  const line = (action, matters, item) => (allowed.has(action) && matters ? [item] : []);
  const gentle = [
    ...line("mute", !one.muted_by_host, {
      symbol: "mic-off",
      text: t("person.mute"),
      choose: () => at_once("mute", "person.muted.done"),
    }),
    ...line("promote", one.role === "participant", {
      symbol: "shield",
      text: t("person.promote"),
      choose: () => at_once("promote", "person.promoted.done"),
    }),
    ...line("demote", one.role === "moderator", {
      symbol: "shield",
      text: t("person.demote"),
      choose: () => at_once("demote", "person.demoted.done"),
    }),
    ...line("hand_on", true, { symbol: "person-add", text: t("person.hand_on"), choose: askHandOn }),
  ];
  const hard = [
    ...line("kick", true, {
      symbol: "logout",
      text: t("person.kick"),
      danger: true,
      choose: () => ask("kick", "person.removed.done"),
    }),
    ...line("ban", true, {
      symbol: "lock",
      text: t("person.ban"),
      danger: true,
      choose: () => ask("ban", "person.banned.done"),
    }),
  ];
  return gentle.length > 0 && hard.length > 0 ? [...gentle, "divider", ...hard] : [...gentle, ...hard];
}

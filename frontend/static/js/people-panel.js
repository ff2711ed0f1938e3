/** The people panel: who is in the call, and who only has the room open. */

import { avatar, copyLinkButton } from "./controls.js";
import { h, icon, reconcile, text } from "./dom.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Participant} Participant */
/** @typedef {import("./room-state.js").RoomState} RoomState */

/**
 * @param {import("./room.js").RoomActions} actions
 * @param {() => import("../../wire.d.ts").Room | null} room
 */
export function peoplePanel(actions, room) {
  const insideTitle = h("h3");
  const inside = h("ul", { "aria-label": t("people.title") });
  const aroundTitle = h("h3");
  const around = h("ul", { "aria-label": t("people.around.list") });
  const close = h(
    "button",
    { class: "icon-button", type: "button", "aria-label": t("people.close"), onclick: () => actions.open_panel(null) },
    icon("close"),
  );
  const element = h(
    "aside",
    {
      class: "panel",
      id: "panel",
      "aria-labelledby": "panel-title",
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && actions.open_panel(null),
    },
    h(
      "header",
      {},
      h("h2", { id: "panel-title" }, t("people.title")),
      copyLinkButton(() => room() ?? { id: 0, slug: null }, "copy.invite", {
        class: "button",
        "data-kind": "quiet",
        "data-size": "small",
      }),
      close,
    ),
    h(
      "div",
      { class: "people-scroll", tabindex: "0", role: "region", "aria-label": t("people.everyone") },
      insideTitle,
      inside,
      aroundTitle,
      around,
    ),
  );
  return {
    element,
    focus: () => close.focus(),
    /** @param {Readonly<RoomState>} state */
    draw({ roster, me }) {
      const away = roster.around;
      text(insideTitle, t("people.inside", { n: roster.inside.length }));
      text(aroundTitle, t("people.around", { n: away.length }));
      aroundTitle.hidden = away.length === 0;
      around.hidden = away.length === 0;
      reconcile(inside, pieces(roster.inside, me?.id));
      reconcile(around, pieces(away, me?.id));
    },
  };
}

/**
 * @param {Participant[]} people
 * @param {number | undefined} me
 */
function pieces(people, me) {
  return people.map((one) => ({
    key: String(one.user_id),
    signature: `${one.user_display_name}\n${one.role}`,
    build: () => person(one, one.user_id === me),
  }));
}

/**
 * @param {Participant} one
 * @param {boolean} mine
 */
function person(one, mine) {
  const role = { owner: t("role.host"), moderator: t("role.moderator"), participant: "" }[one.role];
  const note = mine ? (role === "" ? t("you") : t("role.and_you", { role })) : role;
  return h(
    "li",
    { class: "person" },
    avatar({ user_id: one.user_id, name: one.user_display_name }),
    h("span", { class: "person-name" }, h("span", {}, one.user_display_name), note !== "" && h("small", {}, note)),
  );
}

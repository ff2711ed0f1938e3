/** The people panel: who waits, who is in the call, and who only has the room open. */

import { avatar, copyLinkButton } from "./controls.js";
import { h, icon, reconcile, text } from "./dom.js";
import { personRow, personSignature } from "./person-row.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Participant} Participant */
/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./room.js").RoomActions} RoomActions */

/**
 * @param {RoomActions} actions
 * @param {() => import("../../wire.d.ts").Room | null} room
 */
export function peoplePanel(actions, room) {
  const lobby = waitingList(actions);
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
      copyLinkButton(room, "copy.invite", {
        class: "button",
        "data-kind": "quiet",
        "data-size": "small",
      }),
      close,
    ),
    h(
      "div",
      { class: "people-scroll", tabindex: "0", role: "region", "aria-label": t("people.everyone") },
      lobby.element,
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
    draw(state) {
      const { roster, me, allowed } = state;
      const context = { me: me?.id, allowed, hosting: actions.hosting };
      const pieces = (/** @type {Participant[]} */ people) =>
        people.map((one) => ({
          key: String(one.user_id),
          signature: personSignature(one, context),
          build: () => personRow(one, context),
        }));
      const away = roster.around;
      lobby.draw(state);
      text(insideTitle, t("people.inside", { n: roster.inside.length }));
      text(aroundTitle, t("people.around", { n: away.length }));
      aroundTitle.hidden = away.length === 0;
      around.hidden = away.length === 0;
      reconcile(inside, pieces(roster.inside));
      reconcile(around, pieces(away));
    },
  };
}

/** @param {RoomActions} actions */
function waitingList({ hosting }) {
  const title = h("span");
  const list = h("ul", { "aria-label": t("lobby.list") });
  const all = h(
    "button",
    {
      class: "button",
      "data-kind": "quiet",
      "data-size": "small",
      type: "button",
      onclick: () => void hosting.admit_all(),
    },
    t("lobby.admit_all"),
  );
  const element = h("section", { class: "waiting" }, h("div", { class: "waiting-head" }, h("h3", {}, title), all), list);
  return {
    element,
    /** @param {Readonly<RoomState>} state */
    draw({ waiting, allowed }) {
      element.hidden = waiting.length === 0;
      all.hidden = waiting.length < 2 || !allowed.has("admit_all");
      text(title, t("lobby.title", { n: waiting.length }));
      const may = { admit: allowed.has("admit"), deny: allowed.has("deny") };
      reconcile(
        list,
        waiting.map((one) => ({
          key: String(one.user_id),
          signature: `${one.user_display_name}\n${may.admit}\n${may.deny}`,
          build: () => waiter(one, may, hosting),
        })),
      );
    },
  };
}

/**
 * @param {Participant} one
 * @param {{ admit: boolean, deny: boolean }} may
 * @param {import("./hosting.js").Hosting} hosting
 */
function waiter(one, may, hosting) {
  const name = one.user_display_name;
  /**
   * @param {"admit" | "deny"} deed
   * @param {string | null} kind
   */
  const button = (deed, kind) =>
    may[deed] &&
    h(
      "button",
      {
        class: "button",
        "data-kind": kind,
        "data-size": "small",
        type: "button",
        "aria-label": t(`lobby.${deed}.name`, { name }),
        onclick: () => void hosting.answer(one, deed),
      },
      t(`lobby.${deed}`),
    );
  return h(
    "li",
    { class: "person" },
    avatar({ user_id: one.user_id, name }),
    h("span", { class: "person-name" }, h("span", {}, name)),
    h("span", { class: "person-state" }, button("deny", "quiet"), button("admit", null)),
  );
}

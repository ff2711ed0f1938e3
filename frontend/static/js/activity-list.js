/** The record of what was done in a room, newest first. */

import { listDeeds } from "./api-rooms.js";
import { deedDetail, deedName, resultName } from "./deed-words.js";
import { h } from "./dom.js";
import { clock, day } from "./format.js";
import { inSession, reason } from "./page.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Deed} Deed */

const PAGE = 50;

/**
 * @param {number} room_id
 * @param {(user_id: number) => string | null} nameOf names people who are known here
 */
export function activityList(room_id, nameOf) {
  /** @type {Map<number, string>} what the record itself calls people */
  const names = new Map();
  const who = (/** @type {number} */ id) => nameOf(id) ?? names.get(id) ?? t("activity.person", { id });
  const list = h("ol", { class: "deeds", "aria-label": t("settings.activity") });
  const state = h("p", { class: "hint", role: "status" });
  const more = h("button", { class: "button", "data-size": "small", type: "button", hidden: true }, t("activity.more"));
  /** @type {number | undefined} */
  let before_id;
  const load = async () => {
    state.textContent = t("settings.loading");
    more.hidden = true;
    try {
      const deeds = await inSession(() => listDeeds(room_id, { limit: PAGE, ...(before_id === undefined ? {} : { before_id }) }));
      before_id = deeds[deeds.length - 1]?.id ?? before_id;
      for (const { actor_id, actor_name } of deeds) if (actor_id !== null && actor_name !== null) names.set(actor_id, actor_name);
      list.append(...deeds.map((deed) => deedLine(deed, who)));
      state.textContent = list.childElementCount === 0 ? t("activity.none") : "";
      more.textContent = t("activity.more");
      more.hidden = deeds.length < PAGE;
    } catch (error) {
      state.textContent = `${t("settings.failed")}: ${reason(error)}`;
      more.textContent = t("retry");
      more.hidden = false;
    }
    state.hidden = state.textContent === "";
  };
  more.addEventListener("click", () => void load());
  void load();
  return h("div", { class: "dialog-body" }, list, state, more);
}

/**
 * @param {Deed} deed
 * @param {(user_id: number) => string} who
 */
function deedLine({ at, action, actor_id, actor_name, target_id, detail, result }, who) {
  const actor = actor_name ?? (actor_id === null ? t("activity.server") : who(actor_id));
  const rest = [
    target_id === null || target_id === actor_id ? null : t("activity.towards", { name: who(target_id) }),
    deedDetail(action, detail),
    result === "done" ? null : t("activity.refused", { why: resultName(result) }),
  ].filter((part) => part !== null && part !== "");
  return h(
    "li",
    {},
    h("time", { datetime: at }, `${day(at)}, ${clock(at)}`),
    h("span", {}, h("b", {}, actor), ` · ${deedName(action)}`, rest.length > 0 && h("small", {}, rest.join(" · "))),
  );
}

/** The record's words, said for a person. */

import { t } from "./strings.js";
import { TEXTS } from "./texts.js";

/**
 * Says an action in words; one that this page does not know keeps the server's word.
 *
 * @param {string} action
 */
export function deedName(action) {
  const key = /** @type {import("./strings.js").TextKey} */ (`deed.${action}`);
  return key in TEXTS ? t(key) : action;
}

/**
 * Says what else the record tells of a deed.
 *
 * @param {string} action
 * @param {string | null} detail
 */
export const deedDetail = (action, detail) => (action === "change_room" ? settingNames(detail) : detail);

/**
 * Says why something was refused; a reason that this page does not know keeps the server's word.
 *
 * @param {string} result
 */
export function resultName(result) {
  const key = /** @type {import("./strings.js").TextKey} */ (`result.${result}`);
  return key in TEXTS ? t(key) : result;
}

/** @type {Partial<Record<string, import("./strings.js").TextKey>>} */
const SETTINGS = {
  name: "room.name",
  description: "room.about",
  visibility: "rule.who",
  password: "rule.room_password",
  capacity: "rule.capacity",
  lobby: "rule.lobby",
  slug: "rule.slug",
  opens_at: "rule.opens",
  closes_at: "rule.closes",
};

/**
 * Says which settings changed, by the names that their fields have.
 *
 * @param {string | null} detail the server's words for them, between commas
 */
function settingNames(detail) {
  const words = detail?.split(/,\s*/) ?? [];
  return words.map((word) => (SETTINGS[word] === undefined ? word : t(SETTINGS[word]))).join(", ");
}

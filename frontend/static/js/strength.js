/** Four bars that judge a password while it is typed. The server decides; this only helps. */

import { h } from "./dom.js";

/**
 * @param {string} password
 * @returns {number} 0–4
 */
export function strength(password) {
  const length = [...password].length;
  if (length === 0) return 0;
  if (length < 8) return 1;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  const variety = new Set(password).size;
  if (variety < 5) return 1;
  if (length >= 16 || (length >= 12 && kinds >= 3)) return 4;
  return length >= 10 || kinds >= 3 ? 3 : 2;
}

export function strengthMeter() {
  const element = h("div", { class: "strength", "data-score": "0", "aria-hidden": "true" });
  element.append(h("i"), h("i"), h("i"), h("i"));
  return {
    element,
    /** @param {string} password */
    judge(password) {
      element.dataset.score = String(strength(password));
    },
  };
}

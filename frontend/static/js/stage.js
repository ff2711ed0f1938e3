/** The stage: one tile for everybody in the call. */

import { avatar, hue } from "./controls.js";
import { attribute, h, reconcile } from "./dom.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Participant} Participant */

export function stage() {
  const tiles = h("ul", { class: "tiles" });
  const element = h("main", { class: "stage on-stage" }, tiles);
  return {
    element,
    /** @param {{ inside: Participant[], me: number, name: string }} now */
    draw({ inside, me, name }) {
      element.setAttribute("aria-label", name);
      tiles.dataset.count = String(inside.length);
      if (inside.length > 9) tiles.style.setProperty("--columns", String(Math.ceil(Math.sqrt(inside.length))));
      else tiles.style.removeProperty("--columns");
      reconcile(
        tiles,
        inside.map((one) => ({
          key: String(one.user_id),
          signature: `${one.user_display_name}\n${one.is_owner}`,
          build: () => tile(one, me),
        })),
      );
      // On a phone beside a panel the faces are one strip; who has no finger scrolls it by the keys.
      requestAnimationFrame(() => attribute(tiles, "tabindex", tiles.scrollWidth > tiles.clientWidth ? "0" : null));
    },
  };
}

/**
 * @param {Participant} one
 * @param {number} me
 */
function tile(one, me) {
  return h(
    "li",
    { class: "tile", "data-hue": hue(one.user_id) },
    avatar({ user_id: one.user_id, name: one.user_display_name }),
    h(
      "p",
      { class: "plate" },
      h("span", { class: "name" }, one.user_id === me ? t("you") : one.user_display_name),
      one.is_owner && h("span", { class: "badge" }, t("role.host")),
    ),
  );
}

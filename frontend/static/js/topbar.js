/** The bar above the pages outside a call: where one may go, who one is, language, theme and signing out. */

import { avatar, brand, languageButton, themeButton } from "./controls.js";
import { attribute, h, icon } from "./dom.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */

/**
 * @param {{ here: "rooms" | "admin", sign_out: () => void }} options
 */
export function topbar({ here, sign_out }) {
  const who = h("span", { class: "who only-wide" });
  // Only who administers learns that there is something to administer.
  const administration = h(
    "a",
    { href: "/admin", hidden: true },
    icon("shield", "icon only-narrow"),
    h("span", { class: "word" }, t("admin.title")),
  );
  const rooms = h("a", { href: "/rooms.html" }, t("rooms.title"));
  attribute(here === "rooms" ? rooms : administration, "aria-current", "page");
  const element = h(
    "header",
    { class: "topbar" },
    brand(),
    h("nav", { "aria-label": "CloudMeet" }, rooms, administration),
    h("span", { class: "spacer" }),
    who,
    languageButton("down"),
    themeButton(),
    h(
      "button",
      { class: "icon-button", type: "button", "aria-label": t("sign_out"), "data-focus": "sign-out", onclick: sign_out },
      icon("logout"),
    ),
  );

  /** @param {Account | null} me */
  const draw = (me) => {
    administration.hidden = me?.is_admin !== true;
    if (me === null || who.childElementCount > 0) return;
    who.append(avatar({ user_id: me.id, name: me.display_name, size: "small" }), h("span", {}, me.display_name));
  };
  return { element, draw };
}

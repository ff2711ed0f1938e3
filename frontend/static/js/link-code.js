/** The link that lets guests into a private room: to copy, and to make anew. */

import { linkCode, renewLinkCode } from "./api-rooms.js";
import { h, icon } from "./dom.js";
import { field } from "./form.js";
import { roomLink } from "./links.js";
import { copy, inSession, reason } from "./page.js";
import { t } from "./strings.js";

/**
 * @param {import("../../wire.d.ts").Room} room
 * @param {ReadonlySet<string>} allowed what the person may do in it
 */
export function linkCodePart(room, allowed) {
  const may_renew = allowed.has("renew_link_code");
  const link = field({
    id: "link-code",
    label: t("code.link"),
    hint: t("code.about"),
    attributes: { readonly: true, value: "", autocomplete: "off" },
  });
  const said = h("p", { class: "hint", role: "status" });
  const copyButton = h("button", { class: "button", "data-size": "small", type: "button" });
  const renew = h(
    "button",
    { class: "button", "data-size": "small", "data-kind": "quiet", type: "button" },
    icon("retry", "icon-small"),
    t("code.renew"),
  );
  const draw = (/** @type {boolean} */ done) => {
    copyButton.replaceChildren(icon(done ? "check" : "link", "icon-small"), t(done ? "copy.done" : "copy.link"));
  };
  /** @param {() => Promise<{ code: string }>} ask */
  const load = async (ask) => {
    try {
      const { code } = await inSession(ask);
      link.input.value = roomLink(room, location.origin, code);
      return true;
    } catch (error) {
      link.complain(reason(error));
      return false;
    }
  };
  copyButton.addEventListener("click", async () => {
    if (!(await copy(link.input.value))) {
      link.input.select();
      return;
    }
    draw(true);
    setTimeout(() => draw(false), 2_000);
  });
  renew.addEventListener("click", async () => {
    if (await load(() => renewLinkCode(room.id))) said.textContent = t("code.renewed");
  });
  draw(false);
  void load(() => linkCode(room.id));
  return h(
    "section",
    { class: "settings-part", "aria-label": t("code.title") },
    h("h3", {}, t("code.title")),
    link.element,
    h("div", { class: "button-row" }, copyButton, may_renew && renew),
    said,
  );
}

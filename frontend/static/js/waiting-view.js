/** In the lobby: that one waits, at which place in line, and how to stop. */

import { connectionBanner } from "./banner.js";
import { avatar } from "./controls.js";
import { h, icon, text } from "./dom.js";
import { ordinal } from "./format.js";
import { roomTopbar } from "./prejoin-view.js";
import { linkLost } from "./room-state.js";
import { t } from "./strings.js";

/**
 * @param {import("./room.js").RoomActions} actions
 * @returns {import("./room.js").View}
 */
export function waitingView(actions) {
  const heading = h("h1", { tabindex: "-1" });
  const place = h("span");
  const own = h("div", { class: "preview-stage on-stage" });
  const bannerPlace = h("div");
  const banner = connectionBanner({ retry: actions.retry_link, kept: false, className: "banner page-banner" });
  const stop = h(
    "button",
    { class: "button", "data-size": "large", "data-wide": true, type: "button", onclick: actions.stop_waiting },
    t("waiting.stop"),
  );
  const element = h(
    "div",
    {},
    roomTopbar(),
    bannerPlace,
    h(
      "main",
      { class: "prejoin" },
      h(
        "section",
        { class: "join-card" },
        h("header", {}, heading),
        h(
          "div",
          { class: "notice", role: "status" },
          icon("clock"),
          h("div", {}, h("strong", {}, t("waiting.title")), h("span", {}, t("waiting.about"), " ", place)),
        ),
      ),
      h("section", { class: "preview", "aria-label": t("prejoin.preview") }, own),
      h("div", { class: "join-actions" }, stop),
    ),
  );
  let shown = false;

  /** @type {import("./room.js").View["draw"]} */
  const draw = (state) => {
    const { place: at, room, me } = state;
    if (at.at !== "waiting" || !room || !me) return;
    const lost = linkLost(state);
    bannerPlace.replaceChildren(...(lost ? [banner.element] : []));
    if (lost) banner.draw(state.link);
    else banner.stop();
    text(heading, room.name);
    text(place, t("waiting.place", { nth: ordinal(at.position) }));
    if (shown) return;
    shown = true;
    own.replaceChildren(avatar({ user_id: me.id, name: me.display_name }));
    heading.focus({ preventScroll: true });
  };
  return { element, draw };
}

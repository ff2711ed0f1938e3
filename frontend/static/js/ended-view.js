/** After the call: why it is over, and what one can do now. */

import { h, svg, text } from "./dom.js";
import { roomTopbar } from "./prejoin-view.js";
import { t } from "./strings.js";

/** @typedef {import("./room.js").RoomActions} RoomActions */
/** @typedef {import("./room.js").View} View */
/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./room-state.js").EndReason} EndReason */

/** @type {Record<EndReason, { art: [string, string, string], again: "ended.rejoin" | "ended.here" | "ended.ask" | null }>} */
const ENDS = {
  left: { art: ["them", "you", "M8 185H364"], again: "ended.rejoin" },
  gone: { art: ["them", "gone", "M8 185H196"], again: "ended.rejoin" },
  elsewhere: { art: ["them", "gone", "M8 185H364"], again: "ended.here" },
  out: { art: ["them", "gone", "M8 185H196"], again: "ended.rejoin" },
  kicked: { art: ["them", "gone", "M8 185H196"], again: "ended.rejoin" },
  banned: { art: ["them", "gone", "M8 185H196"], again: null },
  denied: { art: ["them", "gone", "M8 185H196"], again: "ended.ask" },
  ended: { art: ["gone", "gone", "M8 185H364"], again: "ended.rejoin" },
  over: { art: ["gone", "gone", "M8 185H364"], again: null },
  closed: { art: ["gone", "gone", "M8 185H364"], again: null },
  missing: { art: ["gone", "gone", "M8 185H150M230 185H364"], again: null },
};

/**
 * @param {RoomActions} actions
 * @returns {View}
 */
export function endedView(actions) {
  const heading = h("h1", { tabindex: "-1" });
  const about = h("p");
  const art = h("div");
  const buttons = h("div", { class: "button-row" });
  const element = h("div", {}, roomTopbar(), h("main", { class: "ended" }, art, heading, about, buttons));
  /** @type {EndReason | null} */
  let drawn = null;

  /** @type {View["draw"]} */
  const draw = (state) => {
    if (state.place.at !== "ended") return;
    const { why } = state.place;
    const name = state.room?.name ?? "";
    text(heading, t(`ended.${why}`, { name }));
    text(about, why === "left" ? leftText(state) : t(`ended.${why}.about`));
    if (drawn === why) return;
    drawn = why;
    const settings = why === "over" && state.allowed.has("change_room");
    const { art: shapes, again } = ENDS[why];
    art.replaceChildren(drawing(shapes));
    buttons.replaceChildren(
      h("a", { class: "button", href: "/rooms.html" }, t("rooms.all")),
      ...(settings
        ? [h("button", { class: "button", type: "button", onclick: actions.open_settings }, t("more.settings"))]
        : []),
      ...(again === null
        ? []
        : [h("button", { class: "button", "data-kind": "primary", type: "button", onclick: () => actions.join() }, t(again))]),
    );
    heading.focus({ preventScroll: true });
  };
  return { element, draw };
}

/** @param {Readonly<RoomState>} state */
function leftText({ roster, me }) {
  const others = roster.inside.filter((one) => one.user_id !== me?.id).length;
  return `${t(others === 0 ? "ended.left.nobody" : "ended.left.others", { n: others })} ${t("ended.left.about")}`;
}

/** @param {[string, string, string]} shapes */
function drawing([them, you, base]) {
  return svg(
    "svg",
    { class: "art", viewBox: "0 0 372 190", "aria-hidden": "true" },
    svg("circle", { class: `art-${them}`, cx: 112, cy: 100, r: 84 }),
    svg("circle", { class: `art-${you}`, cx: 284, cy: 124, r: 60 }),
    svg("path", { class: "art-base", d: base }),
  );
}

/** Before joining: the room's name, who is inside, and Join. */

import { connectionBanner } from "./banner.js";
import { avatar, brand } from "./controls.js";
import { attribute, h, icon, reconcile, text } from "./dom.js";
import { notice } from "./form.js";
import { list } from "./format.js";
import { linkLost } from "./room-state.js";
import { unreachableCard } from "./state-card.js";
import { t } from "./strings.js";

/** @typedef {import("./room.js").RoomActions} RoomActions */
/** @typedef {import("./room.js").View} View */
/** @typedef {import("../../wire.d.ts").Participant} Participant */

const FACES = 5;

export function roomTopbar() {
  return h(
    "header",
    { class: "topbar" },
    brand(),
    h("span", { class: "spacer" }),
    h("a", { class: "button", "data-kind": "quiet", href: "/rooms.html" }, icon("arrow-left"), t("rooms.all")),
  );
}

/**
 * @param {RoomActions} actions
 * @returns {View}
 */
export function prejoinView(actions) {
  const heading = h("h1");
  const about = h("p");
  const faces = h("ul", { class: "inside-faces" });
  const inside = h("p");
  const own = h("div", { class: "preview-stage on-stage" });
  const problem = h("div");
  const join = h("button", {
    class: "button",
    "data-kind": "primary",
    "data-size": "large",
    "data-wide": true,
    type: "button",
    onclick: actions.join,
  });
  const bannerPlace = h("div");
  const banner = connectionBanner({ retry: actions.retry_link, kept: false, className: "banner page-banner" });
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
        h("header", {}, heading, about),
        h("section", { class: "inside", "aria-label": t("prejoin.inside") }, faces, inside),
      ),
      h("section", { class: "preview", "aria-label": t("prejoin.preview") }, own),
      h("div", { class: "join-actions" }, problem, join),
    ),
  );
  join.textContent = t("prejoin.join");

  /** @type {View["draw"]} */
  const draw = (state) => {
    const { place, room, me, visitors } = state;
    if (place.at !== "prejoin" || !room || !me) return;
    const lost = linkLost(state);
    bannerPlace.replaceChildren(...(lost ? [banner.element] : []));
    if (lost) banner.draw(state.link);
    else banner.stop();
    text(heading, room.name);
    text(about, room.description ?? "");
    about.hidden = !room.description;
    const people = visitors.filter((one) => one.status === "in_call");
    reconcile(
      faces,
      people.slice(0, FACES).map((one) => ({
        key: String(one.user_id),
        signature: one.user_display_name,
        build: () => h("li", {}, avatar({ user_id: one.user_id, name: one.user_display_name })),
      })),
    );
    faces.hidden = people.length === 0;
    text(inside, whoIsInside(people, me.id));
    reconcile(own, [
      {
        key: "me",
        signature: me.display_name,
        build: () => avatar({ user_id: me.id, name: me.display_name }),
      },
    ]);
    attribute(join, "aria-busy", place.joining ? "true" : null);
    text(join, t(place.joining ? "prejoin.joining" : "prejoin.join"));
    reconcile(
      problem,
      place.problem === null
        ? []
        : [
            {
              key: "problem",
              signature: place.problem,
              build: () =>
                notice({ kind: "error", symbol: "warning", title: t("prejoin.failed"), text: place.problem ?? "" }),
            },
          ],
    );
    problem.hidden = place.problem === null;
  };
  return { element, draw };
}

/**
 * @param {Participant[]} people
 * @param {number} me
 */
function whoIsInside(people, me) {
  if (people.length === 0) return t("prejoin.nobody");
  const names = people.map((one) => (one.user_id === me ? t("you.elsewhere") : one.user_display_name));
  if (names.length <= FACES) return t("prejoin.are_inside", { n: names.length, names: list(names) });
  const more = names.length - 3;
  return t("prejoin.are_inside", {
    n: names.length,
    names: list([...names.slice(0, 3), t("prejoin.more", { n: more })]),
  });
}

/**
 * Before the room is known: loading it, or the server not answering.
 *
 * @param {RoomActions} actions
 * @returns {View}
 */
export function loadingView(actions) {
  const place = h("main", { class: "page" });
  const waiting = h("section", { class: "state" }, h("p", {}, t("room.loading")));
  const unreachable = unreachableCard({ heading: "h1", about: "room.unreachable.about", retry: actions.retry });

  /** @type {View["draw"]} */
  const draw = ({ place: { at, ...more } }) => {
    const wanted = at === "unreachable" ? unreachable.element : waiting;
    if (wanted.parentElement !== place) place.replaceChildren(wanted);
    if ("retry_at_ms" in more) unreachable.count(more.retry_at_ms);
  };
  return { element: h("div", {}, roomTopbar(), place), draw };
}

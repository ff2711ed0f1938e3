/** Before joining: the room's name, who is inside, what stands in the way, and Join. */

import { seconds_left } from "./backoff.js";
import { connectionBanner } from "./banner.js";
import { avatar, brand } from "./controls.js";
import { attribute, h, icon, reconcile, text } from "./dom.js";
import { door } from "./door.js";
import { field, notice } from "./form.js";
import { list, moment } from "./format.js";
import { linkLost, readsSettings } from "./room-state.js";
import { unreachableCard } from "./state-card.js";
import { t } from "./strings.js";

/** @typedef {import("./room.js").RoomActions} RoomActions */
/** @typedef {import("./room.js").View} View */
/** @typedef {import("./door.js").Door} Door */
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
  const lobby = h("p", { class: "hint" }, t("door.lobby"));
  const password = field({
    id: "door-password",
    label: t("door.password"),
    attributes: { type: "password", autocomplete: "off", maxlength: 128, required: true },
  });
  const join = h(
    "button",
    { class: "button", "data-kind": "primary", "data-size": "large", "data-wide": true },
    t("prejoin.join"),
  );
  const settings = h(
    "button",
    { class: "button", "data-kind": "quiet", "data-wide": true, type: "button", onclick: actions.open_settings },
    icon("settings"),
    t("more.settings"),
  );
  const bannerPlace = h("div");
  const banner = connectionBanner({ retry: actions.retry_link, kept: false, className: "banner page-banner" });
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (join.disabled || join.getAttribute("aria-busy") === "true") return;
    const asked = !password.element.hidden;
    if (asked && password.input.value === "") {
      password.complain(t("door.password.missing"), true);
      password.input.focus();
      return;
    }
    actions.join(asked ? password.input.value : undefined);
  };
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
      h("form", { class: "join-actions", novalidate: true, onsubmit: onSubmit }, problem, password.element, join, lobby, settings),
    ),
  );
  /** @type {import("./door.js").Refusal | null} */
  let answered = null;
  let timer = 0;

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
    const secret = room.visibility === "password" && room.my_role === null && people.length === 0;
    text(inside, secret ? t("door.hidden") : whoIsInside(people, me.id));
    reconcile(own, [
      {
        key: "me",
        signature: me.display_name,
        build: () => avatar({ user_id: me.id, name: me.display_name }),
      },
    ]);

    const now_ms = Date.now();
    const now = door(room, place.refusal, now_ms);
    password.element.hidden = !now.asks_password;
    if (answered !== place.refusal) {
      answered = place.refusal;
      if (now.why === "wrong_password") {
        password.complain(t("door.wrong_password"), true);
        password.input.select();
      }
      if (now.asks_password && place.refusal !== null) password.input.focus();
    }
    lobby.hidden = !now.asks_host;
    settings.hidden = !readsSettings(state);
    attribute(join, "aria-busy", place.joining ? "true" : null);
    join.disabled = now.shut;
    text(join, t(place.joining ? "prejoin.joining" : now.why === "room_full" ? "door.again" : "prejoin.join"));
    const words = whatIsInTheWay(now, { detail: place.refusal?.detail ?? "", capacity: room.capacity, now_ms });
    reconcile(
      problem,
      words === null ? [] : [{ key: words.title, signature: words.title, build: () => notice({ ...words, text: "" }) }],
    );
    const line = problem.querySelector("span");
    if (line && words) text(line, words.text);
    problem.hidden = words === null;
    clearTimeout(timer);
    if (now.opens_by_itself_at_ms !== null) {
      // While seconds are counted, each of them; and never longer than a timer lasts.
      const next_ms = now.why === "rate_limited" ? 250 : Math.min(now.opens_by_itself_at_ms - now_ms, 3_600_000);
      timer = setTimeout(() => element.isConnected && draw(state), Math.max(next_ms, 50));
    }
  };
  return { element, draw };
}

/**
 * Says what stands between the person and the room; what is said beside the password's field is not.
 *
 * @param {Door} now
 * @param {{ detail: string, capacity: number, now_ms: number }} known
 * @returns {{ kind: "error" | "attention", symbol: string, title: string, text: string } | null}
 */
function whatIsInTheWay({ why, opens_at, opens_by_itself_at_ms }, { detail, capacity, now_ms }) {
  if (why === null || why === "wrong_password") return null;
  if (why === "not_open") {
    const title = t("door.not_open", { time: opens_at === null ? "" : moment(opens_at) });
    return { kind: "attention", symbol: "clock", title, text: t("door.not_open.about") };
  }
  if (why === "room_full") {
    const text = t("door.room_full.about", { n: capacity });
    return { kind: "attention", symbol: "people", title: t("door.room_full"), text };
  }
  if (why === "rate_limited") {
    const text = t("signin.wait", { n: seconds_left(opens_by_itself_at_ms ?? now_ms, now_ms) });
    return { kind: "attention", symbol: "clock", title: t("signin.too_many"), text };
  }
  return { kind: "error", symbol: "warning", title: t("prejoin.failed"), text: detail };
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

/** How the server runs: who is there, which releases in which roles, and how stores and Redis do. */

import { readSystem } from "./api-admin.js";
import { administer } from "./admin-session.js";
import { attribute, h, hidden, icon, text } from "./dom.js";
import { facts } from "./facts.js";
import { clock, dateAndTime, number } from "./format.js";
import { failedCard, refreshButton } from "./listing-view.js";
import { reason } from "./page.js";
import { stateCard } from "./state-card.js";
import { createStore } from "./store.js";
import { t } from "./strings.js";
import { TEXTS } from "./texts.js";

/** @typedef {import("../../wire.d.ts").System} System */
/** @typedef {import("../../wire.d.ts").ServerState} ServerState */
/** @typedef {import("../../wire.d.ts").StoreState} StoreState */
/** @typedef {import("../../wire.d.ts").RedisState} RedisState */

const LOOK_EVERY_MS = 10_000;

export function systemView() {
  const store = createStore(
    /** @type {{ system: System | null, at: string, error: unknown, loading: boolean }} */ ({
      system: null,
      at: "",
      error: null,
      loading: false,
    }),
  );
  const load = async () => {
    if (store.get().loading) return;
    store.set({ loading: true });
    try {
      const system = await administer(readSystem);
      store.set({ system, at: new Date().toISOString(), error: null, loading: false });
    } catch (error) {
      store.set({ error, loading: false });
    }
  };

  const build = () => {
    const place = h("div", { class: "system" });
    const stamp = h("p", { class: "hint" });
    const refresh = refreshButton(() => void load());
    let drawn = "";
    const draw = () => {
      const { system, at, error, loading } = store.get();
      attribute(refresh, "aria-busy", loading && system !== null ? "true" : null);
      const what = JSON.stringify([system, error === null, loading && system === null]);
      stamp.hidden = system === null;
      if (system !== null) {
        const words = error === null ? t("system.as_of", { time: clock(at) }) : `${reason(error)} ${t("system.stale", { time: clock(at) })}`;
        text(stamp, words);
        attribute(stamp, "class", error === null ? "hint" : "error");
      }
      // What has not changed keeps still.
      if (what === drawn) return;
      drawn = what;
      if (system !== null) place.replaceChildren(...systemParts(system));
      else if (error === null) place.replaceChildren(stateCard({ title: t("settings.loading") }));
      else place.replaceChildren(failedCard(error, () => void load()));
    };
    draw();
    const timer = setInterval(() => document.visibilityState === "visible" && void load(), LOOK_EVERY_MS);
    const deaf = store.listen(draw);
    return {
      element: h("div", {}, place, stamp),
      actions: [refresh],
      stop: () => {
        clearInterval(timer);
        deaf();
      },
    };
  };
  return { load, build };
}

/** @param {System} system */
function systemParts({ census, servers }) {
  return [
    h("h2", {}, t("system.now")),
    h(
      "dl",
      { class: "figures" },
      ...[
        figure(t("system.people"), census?.people_online, "presence"),
        figure(t("system.in_call"), census?.people_in_call, "presence"),
        figure(t("system.live"), census?.live_rooms, "presence"),
        figure(t("system.rooms"), census?.rooms, "count"),
      ],
    ),
    h("h2", {}, t("system.servers")),
    h("div", { class: "servers" }, ...servers.map(serverCard)),
  ];
}

/**
 * @param {string} name
 * @param {number | undefined} value
 * @param {"presence" | "count"} kind whether it counts who or what is there now
 */
function figure(name, value, kind) {
  const unknown = [h("span", { "aria-hidden": "true" }, "–"), hidden(t("system.unknown"))];
  return h(
    "div",
    { class: "card", "data-live": kind === "presence" && value !== undefined && value > 0 },
    h("dt", {}, name),
    h("dd", {}, ...(value === undefined ? unknown : [number(value)])),
  );
}

/** @param {ServerState} server */
function serverCard({ role, status, version, started_at, sockets, stores, redis }) {
  const key = /** @type {import("./strings.js").TextKey} */ (`system.role.${role}`);
  const up = status === "up";
  return h(
    "section",
    { class: "card server", "aria-label": role },
    h("header", {}, h("h3", {}, key in TEXTS ? t(key) : role), reach(up)),
    !up && role === "auth" && h("p", {}, t("system.away.auth")),
    up &&
      facts([
        [t("system.role"), role],
        [t("system.version"), version ?? t("system.unknown")],
        [t("system.started"), started_at === null ? t("system.unknown") : h("time", { datetime: started_at }, dateAndTime(started_at))],
        ...(sockets === null ? [] : [/** @type {[string, string]} */ ([t("system.sockets"), number(sockets)])]),
        ...stores.map(storeFact),
        [t("system.redis"), redisState(redis)],
      ]),
  );
}

const ENGINES = /** @type {Record<string, string>} */ ({ sqlite: "SQLite", postgres: "Postgres" });

/**
 * @param {StoreState} store
 * @returns {[string, HTMLElement | string]}
 */
function storeFact({ holds, engine, status, latency_ms }) {
  const what = t(holds === "accounts" ? "system.store.accounts" : "system.store.rooms");
  return [t("system.store", { what, engine: ENGINES[engine] ?? engine }), answer(status === "up", latency_ms, t("system.away"))];
}

/** @param {RedisState | null} redis */
function redisState(redis) {
  return redis === null ? t("system.redis.none") : answer(redis.status === "up", redis.latency_ms, t("system.redis.away"));
}

/**
 * @param {boolean} up
 * @param {number | null} latency_ms
 * @param {string} away
 */
function answer(up, latency_ms, away) {
  if (!up) return h("span", { class: "status", "data-kind": "danger" }, icon("warning", "icon-small"), away);
  return latency_ms === null ? t("system.up") : t("system.latency", { n: number(latency_ms) });
}

/** @param {boolean} up */
function reach(up) {
  return h(
    "span",
    { class: "badge", "data-kind": up ? "accent" : "danger" },
    icon(up ? "check" : "warning", "icon-small"),
    t(up ? "system.up" : "system.away"),
  );
}

/** The search in the chat panel: what is looked for, what was found, and what stood around it. */

import { h, icon, reconcile } from "./dom.js";
import { clock, day } from "./format.js";
import { t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./chat-search.js").Search} Search */

/** @param {import("./room.js").RoomActions} actions */
export function searchPanel({ search, conversation }) {
  const close = () => {
    search.close();
    conversation.look();
  };
  const box = h("input", {
    class: "input",
    type: "search",
    "aria-label": t("search.name"),
    placeholder: t("search.name"),
    enterkeyhint: "search",
    oninput: () => search.type(box.value),
  });
  const header = h(
    "header",
    { class: "search-head" },
    h("h2", { id: "search-title", class: "visually-hidden" }, t("search.name")),
    h("div", { class: "input-group", "data-icon": "start", role: "search" }, icon("search"), box),
    h("button", { class: "icon-button", type: "button", "aria-label": t("search.close"), onclick: close }, icon("close")),
  );
  const count = h("p", { class: "hint", role: "status" });
  const list = h("ol", { class: "found", "aria-label": t("search.results") });
  const foot = h("div", { class: "found-foot" });
  const body = h("div", { class: "found-scroll", tabindex: "0", role: "region", "aria-label": t("search.results") }, count, list, foot);
  // Escape goes back to the chat, not out of the panel.
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  header.addEventListener("keydown", onKey);
  body.addEventListener("keydown", onKey);

  return {
    parts: [header, body],
    focus: () => box.focus(),
    /** @param {Readonly<RoomState>} state */
    draw(state) {
      const now = state.search;
      if (now === null) return;
      if (box.value.trim() !== now.query) box.value = now.query;
      const words = summary(now);
      if (count.textContent !== words) count.textContent = words;
      const shown = now.around ? now.around.messages : now.results;
      reconcile(
        list,
        shown.map((message) => ({
          key: String(message.id),
          signature: `${message.content}\n${now.around?.seq}\n${now.query}`,
          build: () => find(message, now, state.me?.id, () => void search.show(message)),
        })),
      );
      reconcile(foot, footPieces(now, search));
    },
  };
}

/** @param {Search} now */
function summary(now) {
  if (now.around) return t("search.around");
  if (now.phase === "short") return t("search.hint");
  if (now.phase === "loading") return t("search.loading");
  if (now.phase === "failed") return t("settings.failed");
  if (now.results.length === 0) return t("search.none");
  return now.more ? "" : t("search.count", { n: now.results.length });
}

/**
 * @param {Message} message
 * @param {Search} now
 * @param {number | undefined} me
 * @param {() => void} show
 */
function find(message, now, me, show) {
  const name = message.user_id === me ? t("you") : message.user_display_name;
  const words = [
    h(
      "span",
      { class: "find-head" },
      h("b", {}, name),
      h("time", { datetime: message.created_at }, `${day(message.created_at)}, ${clock(message.created_at)}`),
    ),
    h("span", { class: "find-text" }, ...marked(message.content, now.query)),
  ];
  if (now.around) {
    const here = message.seq === now.around.seq;
    return h("li", { class: "find", "aria-current": here ? "true" : null }, ...words);
  }
  return h("li", {}, h("button", { class: "find", type: "button", onclick: show }, ...words));
}

/**
 * Splits a text where it holds what was looked for, without regard to case.
 *
 * @param {string} content
 * @param {string} query
 * @returns {(string | HTMLElement)[]}
 */
function marked(content, query) {
  const parts = [];
  const escaped = query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (escaped === "") return [content];
  let done = 0;
  for (const match of content.matchAll(new RegExp(escaped, "giu"))) {
    if (match.index > done) parts.push(content.slice(done, match.index));
    parts.push(h("mark", {}, match[0]));
    done = match.index + match[0].length;
  }
  parts.push(content.slice(done));
  return parts;
}

/**
 * @param {Search} now
 * @param {import("./chat-search.js").ChatSearch} search
 * @returns {import("./dom.js").Piece[]}
 */
function footPieces(now, search) {
  const button = (/** @type {string} */ words, /** @type {() => void} */ onclick) =>
    h("button", { class: "button", "data-size": "small", type: "button", onclick }, words);
  if (now.around) {
    return [{ key: "back", signature: "", build: () => button(t("search.back"), () => search.back()) }];
  }
  if (now.phase === "failed") {
    return [{ key: "retry", signature: "", build: () => button(t("retry"), () => search.more()) }];
  }
  if (now.phase === "ready" && now.more) {
    return [{ key: "more", signature: "", build: () => button(t("search.more"), () => search.more()) }];
  }
  return [];
}

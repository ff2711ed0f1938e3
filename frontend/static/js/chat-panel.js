/** The chat panel: the log that keeps to its end, and the place to write. */

import { chatPieces } from "./chat-lines.js";
import { composer } from "./composer.js";
import { attribute, h, icon, reconcile } from "./dom.js";
import { unread } from "./room-state.js";
import { searchPanel } from "./search-panel.js";
import { t } from "./strings.js";

/** @typedef {import("./room-state.js").RoomState} RoomState */

/** This close to an end counts as being there, in CSS pixels. */
const NEAR_END = 40;
const NEAR_TOP = 300;

/** @param {import("./room.js").RoomActions} actions */
export function chatPanel(actions) {
  const lines = h("div", { class: "log-lines" });
  const older = h("div", { class: "older" });
  // New messages are announced by `announce`, so that older pages and edits are not.
  const log = h(
    "div",
    { class: "log", role: "log", "aria-label": t("chat.title"), "aria-live": "off", tabindex: "0" },
    h("div", {}, older, lines),
  );
  const pill = h("button", {
    class: "new-pill",
    type: "button",
    onclick: () => {
      toEnd();
      write.focus();
    },
  });
  const write = composer(actions, pill, () => toEnd());
  const find = searchPanel(actions);
  const header = h(
    "header",
    {},
    h("h2", { id: "panel-title" }, t("chat.title")),
    h(
      "button",
      { class: "icon-button", type: "button", "aria-label": t("search.name"), onclick: () => actions.search.open() },
      icon("search"),
    ),
    h(
      "button",
      { class: "icon-button", type: "button", "aria-label": t("chat.close"), onclick: () => actions.open_panel(null) },
      icon("close"),
    ),
  );
  const element = h(
    "aside",
    {
      class: "panel",
      id: "panel",
      "aria-labelledby": "panel-title search-title",
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape" && !event.defaultPrevented) actions.open_panel(null);
      },
    },
    header,
    log,
    write.element,
  );
  const live = [header, log, write.element];

  /** @type {Readonly<RoomState> | null} */
  let drawn = null;

  // The log is column-reverse: 0 is its end, and going up counts below zero.
  const atEnd = () => log.scrollTop > -NEAR_END;
  const toEnd = () => {
    log.scrollTop = 0;
    actions.scrolled(true);
  };
  const loadIfNearTop = () => {
    if (!drawn || drawn.older !== "idle" || !drawn.caught_up || !drawn.log.has_older) return;
    if (log.scrollHeight + log.scrollTop - log.clientHeight < NEAR_TOP) void actions.conversation.load_older();
  };
  log.addEventListener("scroll", () => {
    if (!drawn || !element.isConnected) return;
    if (atEnd() !== drawn.at_bottom) actions.scrolled(atEnd());
    loadIfNearTop();
  });

  /** @param {boolean} searching shows the search in the place of the chat, or the chat again */
  const swap = (searching) => {
    const wanted = searching ? find.parts : live;
    if (element.firstElementChild === wanted[0]) return;
    element.replaceChildren(...wanted);
    if (searching) find.focus();
    else if (drawn?.search) focus();
  };
  /** @param {number} seq the message to show, wherever it is */
  const point = (seq) => {
    const line = document.getElementById(`m-${seq}`);
    actions.choose({ found_seq: null });
    if (!line) return;
    line.scrollIntoView({ block: "center" });
    line.setAttribute("tabindex", "-1");
    line.setAttribute("data-found", "");
    line.focus({ preventScroll: true });
    line.addEventListener("blur", () => line.removeAttribute("data-found"), { once: true });
    actions.scrolled(atEnd());
  };

  /** @param {Readonly<RoomState>} state */
  const draw = (state) => {
    swap(state.search !== null);
    find.draw(state);
    write.draw(state);
    const waiting = state.at_bottom ? 0 : unread(state);
    pill.hidden = waiting === 0;
    if (waiting > 0) pill.replaceChildren(icon("arrow-down", "icon-small"), t("chat.new", { n: waiting }));
    if (!drawn || changed(drawn, state)) {
      const keep = drawn && !state.at_bottom ? anchor(log) : null;
      drawOlder(older, state, actions);
      reconcile(lines, chatPieces(state, actions));
      attribute(log, "aria-busy", state.older === "loading" || !state.caught_up ? "true" : null);
      if (keep) hold(log, keep);
    }
    drawn = state;
    if (state.found_seq !== null) point(state.found_seq);
    // A log that does not fill its place cannot be scrolled to ask for more.
    requestAnimationFrame(loadIfNearTop);
  };
  // Under a finger, focus in the box would raise the keyboard before anything is read.
  const focus = () => (matchMedia("(pointer: coarse)").matches ? log.focus({ preventScroll: true }) : write.focus());
  return { element, draw, focus };
}

/**
 * @param {Readonly<RoomState>} before
 * @param {Readonly<RoomState>} now
 */
function changed(before, now) {
  const keys = /** @type {const} */ (["revision", "unread_after", "older", "link", "caught_up", "deleting", "room", "allowed"]);
  return keys.some((key) => before[key] !== now[key]);
}

/**
 * Finds a line that is in view, to keep it where it is while others come and go around it.
 *
 * @param {HTMLElement} log
 */
function anchor(log) {
  const top = log.getBoundingClientRect().top;
  for (const line of log.querySelectorAll(".message")) {
    const box = line.getBoundingClientRect();
    if (box.bottom > top) return { id: line.id, top: box.top };
  }
  return null;
}

/**
 * @param {HTMLElement} log
 * @param {{ id: string, top: number }} kept
 */
function hold(log, kept) {
  const line = document.getElementById(kept.id);
  const moved = line ? line.getBoundingClientRect().top - kept.top : 0;
  if (moved !== 0) log.scrollTop += moved;
}

/**
 * @param {HTMLElement} place
 * @param {Readonly<RoomState>} state
 * @param {import("./room.js").RoomActions} actions
 */
function drawOlder(place, state, actions) {
  const { log, older, caught_up } = state;
  /** @type {import("./dom.js").Piece[]} */
  const pieces = [];
  if (log.contiguous_to === null && !caught_up) {
    pieces.push({ key: "loading", signature: "", build: () => h("p", { class: "hint" }, t("chat.loading")) });
  } else if (older === "loading") {
    pieces.push({ key: "older", signature: "", build: () => h("p", { class: "hint" }, t("chat.older")) });
  } else if (older === "failed") {
    const again = () => void actions.conversation.load_older();
    const build = () =>
      h(
        "p",
        { class: "hint" },
        `${t("chat.older.failed")} `,
        h("button", { class: "button", "data-size": "small", type: "button", onclick: again }, t("retry")),
      );
    pieces.push({ key: "failed", signature: "", build });
  } else if (log.messages.length === 0 && log.unsent.length === 0) {
    pieces.push({ key: "empty", signature: "", build: () => h("p", { class: "hint" }, t("chat.empty")) });
  }
  reconcile(place, pieces);
}

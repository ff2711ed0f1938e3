/** Draws the lines of the chat: days, the unread line, groups, and each message with its fate. */

import { avatar } from "./controls.js";
import { h, icon } from "./dom.js";
import { clock, day } from "./format.js";
import { splitLinks } from "./links.js";
import { layOut } from "./log-lines.js";
import { linkLost } from "./room-state.js";
import { t } from "./strings.js";

/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./room.js").RoomActions} RoomActions */
/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {import("./message-log.js").Unsent} Unsent */
/** @typedef {import("./log-lines.js").Group} Group */

/**
 * What the messages of one drawing share.
 *
 * @typedef {object} Context
 * @property {Readonly<RoomState>} state
 * @property {RoomActions} actions
 * @property {Map<number, Message>} by_id
 * @property {boolean} lost
 * @property {boolean} moderates whether one may delete what others wrote
 */

/**
 * @param {Readonly<RoomState>} state
 * @param {RoomActions} actions
 * @returns {import("./dom.js").Piece[]}
 */
export function chatPieces(state, actions) {
  const { log, me, room, unread_after, allowed } = state;
  if (!me || !room) return [];
  const moderates = allowed.has("delete_message");
  const by_id = new Map(log.messages.map((message) => [message.id, message]));
  /** @type {Context} */
  const context = { state, actions, by_id, lost: linkLost(state), moderates };
  const author = { id: me.id, name: me.display_name, is_owner: room.owner_id === me.id };
  return layOut(log.messages, log.unsent, { me: author, unread_after }).map((line) => {
    if (line.kind === "day") {
      const words = day(line.at);
      return { key: line.key, signature: words, build: () => h("p", { class: "day" }, h("span", {}, words)) };
    }
    if (line.kind === "unread") {
      const build = () => h("p", { class: "unread-line" }, h("span", {}, t("chat.unread")));
      return { key: line.key, signature: "", build };
    }
    return { key: line.key, signature: signature(line, context), build: () => group(line, context) };
  });
}

/**
 * @param {Group} line
 * @param {Context} context
 */
function signature(line, { state, by_id, lost, moderates }) {
  const parts = [line.name, String(line.is_owner), String(moderates)];
  for (const { stored, unsent } of line.entries) {
    if (stored) {
      const quoted = stored.reply_to === null ? null : by_id.get(stored.reply_to);
      parts.push(String(stored.id), stored.edited_at ?? "", stored.deleted_at ?? "", String(isNew(stored, state)));
      parts.push(String(state.deleting === stored.id), quoted?.content ?? "");
    } else {
      parts.push(unsent.client_msg_id, unsent.state, unsent.reason ?? "", String(lost));
    }
  }
  return parts.join("\n");
}

/**
 * @param {Message} message
 * @param {Readonly<RoomState>} state
 */
function isNew(message, { unread_after, me }) {
  return unread_after !== null && message.seq > unread_after && message.user_id !== me?.id;
}

/**
 * @param {Group} line
 * @param {Context} context
 */
function group(line, context) {
  const mine = line.user_id === context.state.me?.id;
  return h(
    "article",
    { class: "group" },
    h(
      "header",
      { class: "byline" },
      avatar({ user_id: line.user_id, name: line.name, size: "small" }),
      h(
        "h3",
        { class: "author" },
        h("span", {}, mine ? t("you") : line.name),
        line.is_owner && h("span", { class: "badge" }, t("role.host")),
      ),
      h("time", { datetime: line.at }, clock(line.at)),
    ),
    line.entries.map((entry) => (entry.stored ? stored(entry.stored, context) : unsent(entry.unsent, context))),
  );
}

/**
 * @param {Message} message
 * @param {Context} context
 */
function stored(message, context) {
  const { state, actions } = context;
  const id = `m-${message.seq}`;
  if (message.deleted_at !== null) {
    return h("div", { class: "message", id, "data-state": "deleted" }, h("p", {}, t("chat.deleted")));
  }
  return h(
    "div",
    { class: "message", id, "data-new": isNew(message, state) },
    message.reply_to !== null && quote(context.by_id.get(message.reply_to) ?? null, state),
    h(
      "p",
      { class: "text" },
      linked(message.content),
      message.edited_at !== null && " ",
      message.edited_at !== null && h("span", { class: "edited" }, t("chat.edited")),
    ),
    state.deleting === message.id
      ? h(
          "div",
          { class: "fate", role: "group", "aria-label": t("chat.delete") },
          h("span", {}, t("chat.delete.sure")),
          h("button", { type: "button", onclick: () => void actions.conversation.delete(message) }, t("delete")),
          h(
            "button",
            { type: "button", "data-focus": `delete ${id}`, onclick: () => actions.choose({ deleting: null }) },
            t("keep"),
          ),
        )
      : messageActions(message, context, id),
  );
}

/**
 * @param {Message} message
 * @param {Context} context
 * @param {string} id
 */
function messageActions(message, { state, actions, moderates }, id) {
  const mine = message.user_id === state.me?.id;
  /**
   * @param {string} symbol
   * @param {string} label
   * @param {() => void} onclick
   * @param {Record<string, string>} [more]
   */
  const button = (symbol, label, onclick, more = {}) =>
    h("button", { class: "icon-button", type: "button", "aria-label": label, onclick, ...more }, icon(symbol));
  return h(
    "div",
    { class: "message-actions" },
    button("reply", t("chat.reply"), () => actions.choose({ replying: message, editing: null })),
    mine && button("edit", t("chat.edit"), () => actions.choose({ editing: message, replying: null })),
    (mine || moderates) &&
      button("delete", t("delete"), () => actions.choose({ deleting: message.id }), {
        "data-kind": "danger",
        "data-focus": `delete ${id}`,
      }),
  );
}

/**
 * @param {Unsent} one
 * @param {Context} context
 */
function unsent(one, { state, actions, by_id, lost }) {
  const failed = one.state === "failed";
  const { client_msg_id } = one;
  return h(
    "div",
    { class: "message", id: `u-${client_msg_id}`, "data-state": one.state },
    one.reply_to !== null && quote(by_id.get(one.reply_to) ?? null, state),
    h("p", { class: "text" }, linked(one.content)),
    failed
      ? h(
          "div",
          { class: "fate" },
          h("span", {}, icon("warning", "icon-small"), ` ${one.reason ?? t("chat.not_sent")}`),
          h("button", { type: "button", onclick: () => actions.conversation.retry(client_msg_id) }, t("retry")),
          h("button", { type: "button", onclick: () => actions.conversation.discard(client_msg_id) }, t("delete")),
        )
      : h(
          "p",
          { class: "fate" },
          h("span", {}, icon("clock", "icon-small"), ` ${t(lost ? "chat.waiting" : "chat.sending")}`),
        ),
  );
}

/**
 * @param {Message | null} quoted null when it is not loaded
 * @param {Readonly<RoomState>} state
 */
function quote(quoted, state) {
  if (quoted === null || quoted.deleted_at !== null) {
    const words = t(quoted === null ? "chat.quote.older" : "chat.deleted");
    return h("p", { class: "quote" }, icon("reply", "icon-small"), h("span", {}, words));
  }
  const jump = (/** @type {Event} */ event) => {
    event.preventDefault();
    document.getElementById(`m-${quoted.seq}`)?.scrollIntoView({ block: "center" });
  };
  const name = quoted.user_id === state.me?.id ? t("you") : quoted.user_display_name;
  return h(
    "a",
    { class: "quote", href: `#m-${quoted.seq}`, onclick: jump },
    icon("reply", "icon-small"),
    h("span", {}, h("b", {}, `${name}:`), ` ${quoted.content}`),
  );
}

/** @param {string} content */
function linked(content) {
  return splitLinks(content).map(({ text, href }) =>
    href === null ? text : h("a", { href, target: "_blank", rel: "noopener noreferrer" }, text.replace(/^https?:\/\//i, "")),
  );
}

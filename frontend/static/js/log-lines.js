/** Lays a history out: day separators, one unread line, and groups of messages by one author. */

/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {import("./message-log.js").Unsent} Unsent */

/**
 * @typedef {{ kind: "day", key: string, at: string }} DayLine
 * @typedef {{ kind: "unread", key: string }} UnreadLine
 * @typedef {{ kind: "group", key: string, user_id: number, name: string, is_owner: boolean, at: string,
 *   entries: Entry[] }} Group
 * @typedef {{ stored: Message, unsent: null } | { stored: null, unsent: Unsent }} Entry
 * @typedef {DayLine | UnreadLine | Group} Line
 */

/** Messages of one author belong together within this time. */
export const GROUP_MS = 5 * 60_000;

/**
 * @param {Message[]} messages ascending by seq
 * @param {Unsent[]} unsent
 * @param {{ me: { id: number, name: string, is_owner: boolean }, unread_after: number | null }} options
 *   `unread_after`: the seq after which the unread line stands
 * @returns {Line[]}
 */
export function layOut(messages, unsent, { me, unread_after }) {
  /** @type {Line[]} */
  const lines = [];
  let lastDay = "";
  let lastAt = 0;
  let unreadDone = unread_after === null;
  /** @type {Group | null} */
  let group = null;

  /**
   * @param {Entry} entry
   * @param {{ key: string, user_id: number, name: string, is_owner: boolean, at: string }} byline
   */
  const put = (entry, byline) => {
    const time = Date.parse(byline.at);
    const today = new Date(time).toDateString();
    if (today !== lastDay) {
      lines.push({ kind: "day", key: `day ${today}`, at: byline.at });
      lastDay = today;
      group = null;
    }
    if (group && (group.user_id !== byline.user_id || Math.abs(time - lastAt) > GROUP_MS)) group = null;
    if (!group) {
      group = { kind: "group", ...byline, entries: [] };
      lines.push(group);
    }
    group.entries.push(entry);
    lastAt = time;
  };

  for (const message of messages) {
    if (!unreadDone && message.seq > Number(unread_after) && message.user_id !== me.id) {
      lines.push({ kind: "unread", key: "unread" });
      unreadDone = true;
      group = null;
    }
    put(
      { stored: message, unsent: null },
      {
        key: `group ${message.seq}`,
        user_id: message.user_id,
        name: message.user_display_name,
        is_owner: message.is_owner,
        at: message.created_at,
      },
    );
  }
  for (const one of unsent) {
    put(
      { stored: null, unsent: one },
      { key: `group ${one.client_msg_id}`, user_id: me.id, name: me.name, is_owner: me.is_owner, at: one.written_at },
    );
  }
  return lines;
}

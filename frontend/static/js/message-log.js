/** A room's history as this client holds it: each message once, in the order of `seq`, and what is still unsent. */

/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {import("../../wire.d.ts").ChangedMessage} ChangedMessage */

/**
 * A message that the server has not stored yet. Its `client_msg_id` stays through every retry, so it is stored once.
 *
 * @typedef {object} Unsent
 * @property {string} client_msg_id
 * @property {string} content
 * @property {number | null} reply_to
 * @property {string} written_at RFC 3339, this client's clock
 * @property {"pending" | "failed"} state
 * @property {string | null} reason why it failed, for a person
 */

export class MessageLog {
  /** @type {Message[]} ascending by seq */
  messages = [];
  /** @type {Unsent[]} in the order in which they were written */
  unsent = [];
  /** Where to go on with edits and deletions; null before the first page. @type {number | null} */
  rev = null;
  /** Everything from the first message held up to here is held; null before the first page. @type {number | null} */
  contiguous_to = null;

  /** @returns {number | null} */
  get first_seq() {
    return this.messages[0]?.seq ?? null;
  }

  get last_seq() {
    return this.messages[this.messages.length - 1]?.seq ?? 0;
  }

  get has_older() {
    return this.first_seq !== null && this.first_seq > 1;
  }

  /** @param {number} id */
  by_id(id) {
    return this.messages.find((message) => message.id === id) ?? null;
  }

  /**
   * Takes in an answer to `subscribe`.
   *
   * @param {{ messages: Message[], changed: ChangedMessage[], rev: number, last_seq: number }} page
   */
  catch_up(page) {
    if (this.contiguous_to === null) {
      this.contiguous_to = page.messages[0] ? page.messages[0].seq - 1 : page.last_seq;
    }
    this.merge(page.messages);
    for (const changed of page.changed) this.replace(changed.message);
    this.rev = Math.max(this.rev ?? 0, page.rev);
  }

  /**
   * Takes in stored messages, in any order, however often.
   *
   * @param {Message[]} incoming
   */
  merge(incoming) {
    for (const message of incoming) this.#insert(message);
    this.#advance();
    const stored = new Set(incoming.map((message) => message.client_msg_id));
    if (this.unsent.some((one) => stored.has(one.client_msg_id))) {
      this.unsent = this.unsent.filter((one) => !stored.has(one.client_msg_id));
    }
  }

  /** @param {ChangedMessage} changed */
  change(changed) {
    this.replace(changed.message);
    this.rev = Math.max(this.rev ?? 0, changed.rev);
  }

  /**
   * Takes in the present form of a message, if it is held.
   *
   * @param {Message} message
   */
  replace(message) {
    const at = this.#place(message.seq);
    const held = this.messages[at];
    if (held?.seq === message.seq) this.messages[at] = newer(held, message);
  }

  /** @param {Unsent} one */
  add(one) {
    this.unsent = [...this.unsent, one];
  }

  /**
   * @param {string} client_msg_id
   * @param {Partial<Unsent>} patch
   */
  mark(client_msg_id, patch) {
    this.unsent = this.unsent.map((one) => (one.client_msg_id === client_msg_id ? { ...one, ...patch } : one));
  }

  /** @param {string} client_msg_id */
  discard(client_msg_id) {
    this.unsent = this.unsent.filter((one) => one.client_msg_id !== client_msg_id);
  }

  /** @param {Message} message */
  #insert(message) {
    const at = this.#place(message.seq);
    const held = this.messages[at];
    if (held?.seq === message.seq) this.messages[at] = newer(held, message);
    else this.messages.splice(at, 0, message);
  }

  /**
   * The index of the first message whose seq is not below; almost always the end.
   *
   * @param {number} seq
   */
  #place(seq) {
    let low = 0;
    let high = this.messages.length;
    if (seq > this.last_seq) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {Message} */ (this.messages[middle]).seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #advance() {
    if (this.contiguous_to === null) return;
    let at = this.#place(this.contiguous_to + 1);
    while (this.messages[at]?.seq === this.contiguous_to + 1) {
      this.contiguous_to += 1;
      at += 1;
    }
  }
}

/**
 * Chooses between two forms of one message: a tombstone is final, otherwise the later edit wins.
 *
 * @param {Message} held
 * @param {Message} incoming
 */
function newer(held, incoming) {
  if (held.deleted_at !== null) return held;
  if (incoming.deleted_at !== null) return incoming;
  return (incoming.edited_at ?? "") >= (held.edited_at ?? "") ? incoming : held;
}

/** Who is in a room. Every change carries a version; an older one than is known is ignored. */

/** @typedef {import("../../wire.d.ts").Participant} Participant */

export class Roster {
  /** @type {Map<number, Participant>} by user id, those who are offline too, for their versions */
  #known = new Map();

  /** @returns {Participant[]} everybody who is not offline, the longest known first */
  get present() {
    return [...this.#known.values()].filter((one) => one.status !== "offline");
  }

  /** @returns {Participant[]} */
  get inside() {
    return this.present.filter((one) => one.status === "in_call");
  }

  /** @returns {Participant[]} */
  get around() {
    return this.present.filter((one) => one.status === "online");
  }

  /** @param {number} user_id */
  get(user_id) {
    return this.#known.get(user_id) ?? null;
  }

  /**
   * Takes in everybody present, as `subscribed` lists them; who is missing is offline.
   *
   * @param {Participant[]} everybody
   */
  reset(everybody) {
    const listed = new Set(everybody.map((one) => one.user_id));
    for (const one of everybody) this.apply(one);
    for (const [user_id, one] of this.#known) {
      if (!listed.has(user_id) && one.status !== "offline") this.#known.set(user_id, { ...one, status: "offline" });
    }
  }

  /**
   * Takes in one change.
   *
   * @param {Participant} change
   * @returns {"came" | "went" | null} whether the person entered or left the call by it
   */
  apply(change) {
    const before = this.#known.get(change.user_id);
    if (before && change.version < before.version) return null;
    this.#known.set(change.user_id, change);
    const was = before?.status === "in_call";
    const is = change.status === "in_call";
    if (was === is) return null;
    return is ? "came" : "went";
  }
}

/** Names of people and rooms that are known by their numbers only: asked for once each, and told when they come. */

/** How many are asked for at once. */
const AT_ONCE = 4;

/** @typedef {"user" | "room"} Kind */

/**
 * @param {(kind: Kind, id: number) => Promise<string>} ask fails for whom nothing is known
 * @param {() => void} came
 */
export function createNames(ask, came) {
  /** @type {Map<string, string | null>} */
  const known = new Map();
  /** @type {(() => Promise<void>)[]} */
  const queue = [];
  let running = 0;

  const next = () => {
    const work = running < AT_ONCE ? queue.shift() : undefined;
    if (!work) return;
    running += 1;
    void work().finally(() => {
      running -= 1;
      next();
    });
  };

  return {
    /**
     * @param {Kind} kind
     * @param {number} id
     * @returns {string | null} null for nobody who is known, or not yet
     */
    of(kind, id) {
      const key = `${kind} ${id}`;
      const name = known.get(key);
      if (name !== undefined) return name;
      known.set(key, null);
      queue.push(async () => {
        try {
          known.set(key, await ask(kind, id));
          came();
        } catch {
          // Deleted, or the server is away: the number stays.
        }
      });
      next();
      return null;
    },
  };
}

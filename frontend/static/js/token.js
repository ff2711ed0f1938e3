/**
 * The access token: kept in memory only, renewed by one tab at a time and shared with the others, since every renewal
 * spends the refresh cookie that all tabs hold.
 */

const LOCK = "cloudmeet.refresh";
/** Says that a session may exist, so that a stranger's page does not ask for one. */
const HINT = "cloudmeet.session";
/** A token this close to its end is not used any more. */
const MARGIN_MS = 30_000;

/** @typedef {{ token: string, ends_at_ms: number }} Kept */

/** @type {Kept | null} */
let kept = null;
/** @type {Promise<string> | null} */
let renewal = null;
/** @type {Set<(event: "signed_in" | "signed_out") => void>} */
const listeners = new Set();

const channel = new BroadcastChannel("cloudmeet.session");
channel.addEventListener("message", ({ data }) => {
  if (data?.kind === "token") {
    kept = data.kept;
    tell("signed_in");
  } else if (data?.kind === "signed_out") {
    kept = null;
    tell("signed_out");
  }
});

/** @param {"signed_in" | "signed_out"} event */
function tell(event) {
  for (const listener of listeners) listener(event);
}

/**
 * Hears of sessions that begin and end in other tabs.
 *
 * @param {(event: "signed_in" | "signed_out") => void} listener
 */
export function onOtherTab(listener) {
  listeners.add(listener);
}

/** @returns {string | null} the token, while it lasts */
export function rememberedToken() {
  return kept !== null && Date.now() < kept.ends_at_ms - MARGIN_MS ? kept.token : null;
}

/** @returns {boolean} false when there surely is no session */
export function mayHaveSession() {
  try {
    return kept !== null || localStorage.getItem(HINT) !== null;
  } catch {
    return true;
  }
}

/**
 * @param {string} token
 * @param {number} expires_in_s
 */
export function keepToken(token, expires_in_s) {
  kept = { token, ends_at_ms: Date.now() + expires_in_s * 1_000 };
  channel.postMessage({ kind: "token", kept });
  hint("1");
  return token;
}

export function forgetToken() {
  kept = null;
  channel.postMessage({ kind: "signed_out" });
  hint(null);
}

/** @param {string | null} value */
function hint(value) {
  try {
    if (value === null) localStorage.removeItem(HINT);
    else localStorage.setItem(HINT, value);
  } catch {
    // Storage may be refused; the page then asks the server.
  }
}

/**
 * Yields a token other than the refused one: another tab's, or a renewed one.
 *
 * @param {string | null} refused
 * @param {() => Promise<string>} renew
 * @returns {Promise<string>}
 */
export function freshToken(refused, renew) {
  renewal ??= underLock(async () => {
    const token = rememberedToken();
    return token !== null && token !== refused ? token : renew();
  }).finally(() => {
    renewal = null;
  });
  return renewal;
}

/**
 * @param {() => Promise<string>} work
 * @returns {Promise<string>}
 */
async function underLock(work) {
  // Web Locks need a secure context; without them the server's grace for a spent cookie covers two tabs at once.
  const locks = /** @type {LockManager | undefined} */ (navigator.locks);
  return locks ? await locks.request(LOCK, work) : await work();
}

/** Addresses: those in a message's text, those of rooms, and those to return to. */

/** @typedef {{ text: string, href: string | null }} TextPart */

// Scheme and at least one more character; trailing punctuation belongs to the sentence.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/giu;

/**
 * Splits a text into plain parts and safe links. Only http and https become links.
 *
 * @param {string} content
 * @returns {TextPart[]}
 */
export function splitLinks(content) {
  /** @type {TextPart[]} */
  const parts = [];
  let done = 0;
  for (const match of content.matchAll(ADDRESS)) {
    const shown = trimEnd(match[0]);
    const href = safeHref(shown);
    if (href === null) continue;
    if (match.index > done) parts.push({ text: content.slice(done, match.index), href: null });
    parts.push({ text: shown, href });
    done = match.index + shown.length;
  }
  if (done < content.length) parts.push({ text: content.slice(done), href: null });
  return parts;
}

/** @param {string} address */
function trimEnd(address) {
  let end = address.replace(/[.,:;!?…»“”’*_~]+$/u, "");
  // A closing bracket ends the link unless it was opened inside it.
  while (/[)\]}]$/.test(end) && count(end, /[([{]/g) < count(end, /[)\]}]/g)) {
    end = end.slice(0, -1).replace(/[.,:;!?]+$/u, "");
  }
  return end;
}

/**
 * @param {string} text
 * @param {RegExp} what
 */
function count(text, what) {
  return text.match(what)?.length ?? 0;
}

/** @param {string} address */
function safeHref(address) {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  return (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" ? url.href : null;
}

/**
 * The link that people copy.
 *
 * @param {{ id: number, slug: string | null }} room
 * @param {string} origin
 * @param {string | null} [code] lets its holder into a private room; in the fragment, which is sent nowhere
 */
export function roomLink(room, origin, code = null) {
  return `${origin}/r/${encodeURIComponent(room.slug ?? String(room.id))}${codeHash(code)}`;
}

/** @param {string | null} code */
export function codeHash(code) {
  return code === null ? "" : `#code=${encodeURIComponent(code)}`;
}

/**
 * Reads the link code of a private room.
 *
 * @param {string} hash an address's fragment
 * @returns {string | null}
 */
export function codeOfHash(hash) {
  const code = new URLSearchParams(hash.replace(/^#/, "")).get("code");
  return code !== null && LINK_CODE.test(code) ? code : null;
}

const LINK_CODE = /^[\w-]{1,200}$/;

/** @param {{ id: number }} room */
export function roomPage(room) {
  return `/room.html?id=${room.id}`;
}

/**
 * Reads which room a page's address means.
 *
 * @param {string} pathname
 * @param {string} search
 * @returns {string | null} an id or a slug
 */
export function roomOfAddress(pathname, search) {
  const path = /^\/r\/([^/]+)\/?$/.exec(pathname);
  const found = path ? decode(path[1] ?? "") : new URLSearchParams(search).get("id");
  return found !== null && ROOM_NAME.test(found) ? found : null;
}

const ROOM_NAME = /^(?:[0-9]{1,19}|[a-z0-9-]{3,63})$/;

/**
 * Reads what a person pasted: a whole address, its path, an id or a slug.
 *
 * @param {string} pasted
 * @param {string} host this server's
 * @returns {{ room: string, code: string | null } | { problem: "empty" | "foreign" | "unreadable" }}
 */
export function readRoomLink(pasted, host) {
  const trimmed = pasted.trim();
  if (trimmed === "") return { problem: "empty" };
  if (ROOM_NAME.test(trimmed)) return { room: trimmed, code: null };
  const whole = trimmed.startsWith("/") ? `http://${host}${trimmed}` : trimmed;
  const url = [whole, `http://${whole}`].find((candidate) => /^https?:/i.test(candidate) && URL.canParse(candidate));
  if (url === undefined) return { problem: "unreadable" };
  const parsed = new URL(url);
  const room = roomOfAddress(parsed.pathname, parsed.search);
  if (room === null) return { problem: "unreadable" };
  return parsed.host === host ? { room, code: codeOfHash(parsed.hash) } : { problem: "foreign" };
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/**
 * Reads where to go after signing in: a path of this server and nothing else.
 *
 * @param {string | null} next
 * @param {string} origin
 * @param {string} [hash] the sign-in page's own, which holds a room's link code meanwhile
 */
export function safeNext(next, origin, hash = "") {
  const elsewhere = "/rooms.html";
  if (next === null || !/^\/(?![/\\])/.test(next) || !URL.canParse(next, origin)) return elsewhere;
  const url = new URL(next, origin);
  // Back to the sign-in page would be a circle.
  if (url.origin !== origin || url.pathname === "/" || url.pathname === "/index.html") return elsewhere;
  if (roomOfAddress(url.pathname, url.search) !== null) url.hash ||= codeHash(codeOfHash(hash));
  return url.pathname + url.search + url.hash;
}

/** The views of the pages for administrators; the first is shown where none is named. */
export const ADMIN_VIEWS = /** @type {const} */ (["users", "rooms", "keys", "activity", "system"]);

/** @typedef {typeof ADMIN_VIEWS[number]} AdminView */

/** @param {AdminView} view */
export const adminPath = (view) => `/admin/${view}`;

/**
 * Reads which view a page's address means.
 *
 * @param {string} pathname
 * @returns {AdminView}
 */
export function adminViewOf(pathname) {
  return ADMIN_VIEWS.find((view) => pathname === adminPath(view)) ?? ADMIN_VIEWS[0];
}

/** Speaks REST with the server. The only module that fetches. */

import { freshToken, forgetToken, keepToken, rememberedToken } from "./token.js";
import { language } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */
/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("../../wire.d.ts").RoomDetail} RoomDetail */
/** @typedef {import("../../wire.d.ts").Message} Message */
/** @typedef {import("../../wire.d.ts").FieldProblem} FieldProblem */

const TIMEOUT_MS = 10_000;

/** A request that was refused or never answered. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} code `unreachable` and `timeout` when there was no answer, else the server's
   * @param {string} detail for a person, in the page's language; empty when there was no answer
   * @param {FieldProblem[]} [errors]
   * @param {number | null} [retry_after_s]
   * @param {string | null} [opens_at] when a room that is not open yet opens
   */
  constructor(status, code, detail, errors = [], retry_after_s = null, opens_at = null) {
    super(detail === "" ? code : detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.retry_after_s = retry_after_s;
    this.opens_at = opens_at;
  }

  /** Whether trying the same again later may succeed without anybody changing anything. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The session is over: only signing in helps. */
export class SessionOver extends ApiError {
  constructor() {
    super(401, "session_over", "");
    this.name = "SessionOver";
  }
}

/**
 * @typedef {object} RequestOptions
 * @property {string} [method]
 * @property {unknown} [body]
 * @property {string | null} [token]
 * @property {"json" | "file"} [answer] a file comes as a `Blob`, in its own time
 */

/**
 * @param {string} path
 * @param {RequestOptions} [options]
 * @returns {Promise<any>} the body, null when empty
 */
async function exchange(path, { method = "GET", body, token = null, answer = "json" } = {}) {
  /** @type {Record<string, string>} */
  const headers = { "Accept-Language": language() };
  if (answer === "json") headers["Accept"] = "application/json";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: answer === "file" ? null : AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer === "file" && response.ok) return await response.blob();
    text = await response.text();
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiError(0, late ? "timeout" : "unreachable", "");
  }
  if (!response.ok) throw problem(response, text);
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    throw new ApiError(response.status, "unreadable_answer", "");
  }
}

/**
 * @param {Response} response
 * @param {string} text
 */
function problem(response, text) {
  /** @type {{ code?: unknown, detail?: unknown, errors?: unknown, opens_at?: unknown }} */
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // Something between us and the server answered; its status is all we know.
  }
  const after = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new ApiError(
    response.status,
    typeof body.code === "string" ? body.code : `http_${response.status}`,
    typeof body.detail === "string" ? body.detail : "",
    Array.isArray(body.errors) ? body.errors : [],
    Number.isFinite(after) ? after : null,
    typeof body.opens_at === "string" ? body.opens_at : null,
  );
}

/** @returns {Promise<string>} */
async function refresh() {
  try {
    const answer = await exchange("/api/auth/refresh", { method: "POST" });
    return keepToken(answer.access_token, answer.expires_in);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      forgetToken();
      throw new SessionOver();
    }
    throw error;
  }
}

/**
 * Asks the server for something in the session's name.
 *
 * @param {string} path
 * @param {Omit<RequestOptions, "token">} [options]
 * @returns {Promise<any>} the body, null when empty
 */
export async function request(path, options = {}) {
  const token = rememberedToken() ?? (await freshToken(null, refresh));
  try {
    return await exchange(path, { ...options, token });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
  // The token was refused: one refresh, one more try.
  const next = await freshToken(token, refresh);
  try {
    return await exchange(path, { ...options, token: next });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    forgetToken();
    throw new SessionOver();
  }
}

/**
 * @param {string} email
 * @param {string} password
 */
export async function login(email, password) {
  const answer = await exchange("/api/auth/login", { method: "POST", body: { email, password } });
  keepToken(answer.access_token, answer.expires_in);
}

/**
 * @param {{ email: string, display_name: string, password: string, setup_code?: string }} account
 * @returns {Promise<Account>}
 */
export const register = (account) => exchange("/api/auth/register", { method: "POST", body: account });

/**
 * Sets a new password by the code of a link.
 *
 * @param {string} code
 * @param {string} password
 */
export const resetPassword = (code, password) =>
  exchange("/api/auth/reset", { method: "POST", body: { code, password } });

export async function logout() {
  await request("/api/auth/logout", { method: "POST" });
  forgetToken();
}

/** @returns {Promise<Account>} */
export const me = () => request("/api/auth/me");

/**
 * @param {{ skip: number, limit: number, query: string }} page
 * @returns {Promise<Room[]>} newest first
 */
export function listRooms({ skip, limit, query }) {
  const search = new URLSearchParams({ skip: String(skip), limit: String(limit) });
  if (query !== "") search.set("query", query);
  return request(`/api/rooms?${search}`);
}

/**
 * @param {import("../../wire.d.ts").CreateRoom} room
 * @returns {Promise<Room>}
 */
export const createRoom = (room) => request("/api/rooms", { method: "POST", body: room });

/**
 * @param {string | number} room id or slug
 * @param {string | null} [code] the link code of a private room
 * @returns {Promise<RoomDetail>}
 */
export const getRoom = (room, code = null) =>
  request(`/api/rooms/${encodeURIComponent(room)}${code === null ? "" : `?code=${encodeURIComponent(code)}`}`);

/** @param {number} room_id */
export const deleteRoom = (room_id) => request(`/api/rooms/${room_id}`, { method: "DELETE" });

/**
 * Asks to come in.
 *
 * @param {number} room_id
 * @param {{ password?: string, code?: string }} shown
 * @returns {Promise<{ waiting?: boolean, position?: number }>} `waiting`: in the lobby, at this place from 1
 */
export const joinRoom = (room_id, shown) => request(`/api/rooms/${room_id}/join`, { method: "POST", body: shown });

/**
 * @param {number} room_id
 * @param {number} before_seq
 * @param {number} limit
 * @returns {Promise<{ messages: Message[], total: number }>}
 */
export const olderMessages = (room_id, before_seq, limit) =>
  request(`/api/rooms/${room_id}/messages?before_seq=${before_seq}&limit=${limit}`);

/**
 * @param {number} room_id
 * @param {number} message_id
 * @param {string} content
 * @returns {Promise<Message>}
 */
export const editMessage = (room_id, message_id, content) =>
  request(`/api/rooms/${room_id}/messages/${message_id}`, { method: "PATCH", body: { content } });

/**
 * @param {number} room_id
 * @param {number} message_id
 */
export const deleteMessage = (room_id, message_id) =>
  request(`/api/rooms/${room_id}/messages/${message_id}`, { method: "DELETE" });

/**
 * @param {number} room_id
 * @param {number} seq
 */
export const markRead = (room_id, seq) => request(`/api/rooms/${room_id}/read`, { method: "POST", body: { seq } });

/** @returns {Promise<string>} opens one WebSocket */
export const socketTicket = async () => (await request("/api/ws-ticket", { method: "POST" })).ticket;

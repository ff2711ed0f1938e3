/** Asks the server for what administrators do: accounts of others, keys for programs, the record, the system. */

import { request } from "./api.js";

/** @typedef {import("../../wire.d.ts").Account} Account */
/** @typedef {import("../../wire.d.ts").ApiKey} ApiKey */
/** @typedef {import("../../wire.d.ts").Room} Room */

/**
 * @param {{ skip: number, limit: number, query: string }} page
 * @returns {Promise<Account[]>} the oldest first
 */
export const listUsers = (page) => request(`/api/users?${paged(page)}`);

/**
 * @param {number} user_id
 * @returns {Promise<Account>}
 */
export const readUser = (user_id) => request(`/api/users/${user_id}`);

/**
 * @param {import("../../wire.d.ts").CreateUser} user
 * @returns {Promise<Account>}
 */
export const createUser = (user) => request("/api/users", { method: "POST", body: user });

/**
 * @param {number} user_id
 * @param {import("../../wire.d.ts").UpdateUser} changes absent members stay
 * @returns {Promise<Account>}
 */
export const changeUser = (user_id, changes) => request(`/api/users/${user_id}`, { method: "PATCH", body: changes });

/** @param {number} user_id */
export const deleteUser = (user_id) => request(`/api/users/${user_id}`, { method: "DELETE" });

/**
 * @param {number} user_id
 * @returns {Promise<import("../../wire.d.ts").ResetLink>}
 */
export const createResetLink = (user_id) => request(`/api/users/${user_id}/reset-link`, { method: "POST", body: {} });

/**
 * @param {{ skip: number, limit: number, query: string, only_active: boolean }} page
 * @returns {Promise<Room[]>} every room, newest first
 */
export const listAllRooms = ({ only_active, ...page }) => request(`/api/rooms?${paged(page)}&only_active=${only_active}`);

/** @returns {Promise<ApiKey[]>} the newest first */
export const listApiKeys = () => request("/api/api-keys");

/**
 * @param {import("../../wire.d.ts").CreateApiKey} key
 * @returns {Promise<import("../../wire.d.ts").NewApiKey>} with its secret, this once
 */
export const createApiKey = (key) => request("/api/api-keys", { method: "POST", body: key });

/** @param {number} key_id */
export const revokeApiKey = (key_id) => request(`/api/api-keys/${key_id}`, { method: "DELETE" });

/**
 * @param {{ limit: number, before_id?: number }} page
 * @returns {Promise<import("../../wire.d.ts").Deed[]>} of all rooms and accounts, newest first
 */
export function listAllDeeds({ limit, before_id }) {
  const search = new URLSearchParams({ limit: String(limit) });
  if (before_id !== undefined) search.set("before_id", String(before_id));
  return request(`/api/audit?${search}`);
}

/** @returns {Promise<import("../../wire.d.ts").System>} */
export const readSystem = () => request("/api/system");

/** @param {{ skip: number, limit: number, query: string }} page */
function paged({ skip, limit, query }) {
  const search = new URLSearchParams({ skip: String(skip), limit: String(limit) });
  if (query !== "") search.set("query", query);
  return search;
}

/** What administrators ask for: it may end in not being one any more. */

import * as api from "./api.js";
import { inSession } from "./page.js";

/** @type {() => void} */
let ended = () => {};

/** @param {() => void} listener hears that the person is no administrator any more */
export function onStandingEnded(listener) {
  ended = listener;
}

/**
 * Runs what needs a session and an administrator.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function administer(work) {
  try {
    return await inSession(work);
  } catch (error) {
    // What is forbidden may be so to administrators, too.
    if (error instanceof api.ApiError && error.code === "forbidden" && !(await inSession(api.me)).is_admin) ended();
    throw error;
  }
}

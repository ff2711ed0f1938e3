/** How long to wait before trying again: exponential, with full jitter, so that a crowd does not return at once. */

/** @typedef {{ base_ms: number, cap_ms: number, floor_ms: number }} Backoff */

/** @type {Backoff} */
export const RECONNECT = { base_ms: 1_000, cap_ms: 20_000, floor_ms: 300 };

/**
 * @param {number} attempt how many tries have failed, from 0
 * @param {() => number} random 0 ≤ x < 1
 * @param {Backoff} [shape]
 * @returns {number} milliseconds
 */
export function delay_ms(attempt, random, shape = RECONNECT) {
  const ceiling = Math.min(shape.cap_ms, shape.base_ms * 2 ** Math.min(attempt, 30));
  return Math.max(shape.floor_ms, Math.round(random() * ceiling));
}

/**
 * @param {number} at_ms
 * @param {number} now_ms
 * @returns {number} whole seconds left, at least 1
 */
export function seconds_left(at_ms, now_ms) {
  return Math.max(1, Math.ceil((at_ms - now_ms) / 1_000));
}

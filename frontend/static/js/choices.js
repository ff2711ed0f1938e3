/** Choices that a person makes for this browser: kept where storage allows it. */

/**
 * @param {string} key
 * @returns {string | null} none too where storage is refused
 */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * Where storage is refused, a choice lasts as long as the page.
 *
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing to be done.
  }
}

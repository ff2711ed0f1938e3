/** What is known of something: a list of names and values. */

import { h } from "./dom.js";

/** @param {[name: string, value: HTMLElement | string][]} pairs */
export function facts(pairs) {
  return h("dl", { class: "facts" }, ...pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Circles on a line, as in the mark: one for each person inside, up to four. */

import { svg } from "./dom.js";

/** @param {number} count */
export function dots(count) {
  const shown = Math.min(count, 4);
  const width = 12 + 8 * (shown - 1);
  const circles = Array.from({ length: shown }, (_, at) => svg("circle", { cx: width - 6 - 8 * at, cy: 6, r: 5 }));
  return svg("svg", { viewBox: `0 0 ${width} 12`, width, height: 12, "aria-hidden": "true", class: "dots" }, ...circles);
}

/** A card in the place of content: empty, nothing found, or the server not answering. */

import { seconds_left } from "./backoff.js";
import { h, icon, svg, text } from "./dom.js";
import { t } from "./strings.js";

/** The ground line of the drawing: whole where one can begin, broken where something does not answer. */
export const GROUND = { whole: "M4 66H116", broken: "M4 66H50M70 66H116" };

/**
 * @param {{ ground?: string, heading?: "h1" | "h2", title: string, about?: string, alert?: boolean,
 *   buttons?: HTMLElement[] }} content
 */
export function stateCard({ ground, heading = "h2", title, about = "", alert = false, buttons = [] }) {
  return h(
    "section",
    { class: "card state", role: alert ? "alert" : null },
    ground !== undefined &&
      svg(
        "svg",
        { class: "state-art", viewBox: "0 0 120 72", "aria-hidden": "true" },
        svg("circle", { class: "art-gone", cx: 48, cy: 40, r: 24 }),
        svg("circle", { class: "art-gone", cx: 78, cy: 46, r: 18 }),
        svg("path", { class: "art-base", d: ground }),
      ),
    h(heading, { class: "state-title" }, title),
    h("p", { "aria-live": alert ? "off" : null }, about),
    buttons.length > 0 && h("div", { class: "button-row" }, ...buttons),
  );
}

/**
 * Says that the server does not answer, and counts the seconds to the next try while it is shown.
 *
 * @param {{ heading: "h1" | "h2", about: "rooms.unreachable.about" | "room.unreachable.about", retry: () => void }} options
 */
export function unreachableCard({ heading, about, retry }) {
  const element = stateCard({
    ground: GROUND.broken,
    heading,
    title: t("rooms.unreachable"),
    alert: true,
    buttons: [h("button", { class: "button", type: "button", onclick: retry }, icon("retry"), t("retry"))],
  });
  const line = element.querySelector("p");
  let timer = 0;

  /** @param {number} retry_at_ms */
  const count = (retry_at_ms) => {
    clearTimeout(timer);
    if (line) text(line, t(about, { n: seconds_left(retry_at_ms, Date.now()) }));
    timer = setTimeout(() => element.isConnected && count(retry_at_ms), 250);
  };
  return { element, count };
}

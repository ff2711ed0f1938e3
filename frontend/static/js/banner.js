/** One line about the connection, from the moment it is lost until it is back. */

import { seconds_left } from "./backoff.js";
import { h, icon, text } from "./dom.js";
import { t } from "./strings.js";

/** @typedef {import("./socket.js").LinkState} LinkState */

/**
 * @param {{ retry: () => void, kept: boolean, className?: string }} options
 *   `kept`: whether to say that what one writes is kept
 */
export function connectionBanner({ retry, kept, className = "banner" }) {
  const lead = h("strong");
  const rest = h("span");
  const button = h("button", { class: "button", "data-size": "small", type: "button", onclick: retry }, t("link.retry"));
  // Present only while disconnected. Its seconds change too often to be read out: `announce` says it once.
  const element = h(
    "div",
    { class: className, role: "status", "aria-label": t("link.name"), "aria-live": "off" },
    icon("warning"),
    h("p", { class: "grow" }, lead, " ", rest),
    button,
  );
  let timer = 0;

  /** @param {LinkState} state */
  const draw = (state) => {
    clearTimeout(timer);
    text(lead, t("link.lost"));
    const again =
      state.phase === "waiting"
        ? t("link.again", { n: seconds_left(state.retry_at_ms, Date.now()) })
        : t("link.connecting");
    text(rest, kept ? `${again} ${t("link.kept")}` : again);
    button.disabled = state.phase !== "waiting";
    if (state.phase === "waiting") timer = setTimeout(() => draw(state), 250);
  };
  return { element, draw, stop: () => clearTimeout(timer) };
}

/** The frame of the pages for administrators: the bar, the parts, and in the middle the part that is shown. */

import { attribute, h, text } from "./dom.js";
import { ADMIN_VIEWS, adminPath } from "./links.js";
import { GROUND, stateCard } from "./state-card.js";
import { t } from "./strings.js";
import { topbar } from "./topbar.js";

/** @typedef {import("./links.js").AdminView} AdminView */

/**
 * A part as it is drawn; `about` says under its heading what it is.
 *
 * @typedef {{ element: HTMLElement, actions: HTMLElement[], about?: string, stop: () => void }} Part
 */

/**
 * @param {{ sign_out: () => void, show: (view: AdminView) => void }} actions
 */
export function adminFrame({ sign_out, show }) {
  const bar = topbar({ here: "admin", sign_out });
  const links = ADMIN_VIEWS.map((view) =>
    h(
      "a",
      {
        href: adminPath(view),
        onclick: (/** @type {MouseEvent} */ event) => {
          // A new tab is the browser's own.
          if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          show(view);
        },
      },
      t(`admin.${view}`),
    ),
  );
  const parts = h("nav", { class: "parts", "aria-label": t("admin.views"), hidden: true }, ...links);
  const title = h("h1", { tabindex: "-1" }, t("admin.title"));
  const about = h("p", { hidden: true });
  const buttons = h("div", { class: "button-row" });
  const head = h("div", { class: "page-head" }, h("div", {}, title, about), buttons);
  const place = h("div");
  const element = h(
    "div",
    {},
    h("a", { class: "skip-link visually-hidden", href: "#main" }, t("admin.skip")),
    bar.element,
    h("main", { class: "page", "data-width": "wide", id: "main" }, parts, head, place),
  );

  return {
    element,
    bar,
    /**
     * @param {AdminView} view
     * @param {Part} part
     */
    show(view, part) {
      parts.hidden = false;
      head.hidden = false;
      for (const [at, link] of links.entries()) attribute(link, "aria-current", ADMIN_VIEWS[at] === view ? "page" : null);
      links[ADMIN_VIEWS.indexOf(view)]?.scrollIntoView({ block: "nearest", inline: "nearest" });
      text(title, t(`admin.${view}`));
      about.hidden = part.about === undefined;
      text(about, part.about ?? "");
      buttons.replaceChildren(...part.actions);
      place.replaceChildren(part.element);
    },
    /** @param {HTMLElement} card in the place of everything */
    say(card) {
      parts.hidden = true;
      head.hidden = true;
      place.replaceChildren(card);
    },
    focus: () => title.focus({ preventScroll: true }),
  };
}

/** Says to who is no administrator whose page this is. */
export function closedCard() {
  return stateCard({
    ground: GROUND.whole,
    heading: "h1",
    title: t("admin.closed"),
    about: t("admin.closed.about"),
    buttons: [h("a", { class: "button", href: "/rooms.html" }, t("admin.closed.go"))],
  });
}

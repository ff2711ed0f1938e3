/** Draws a list that is leafed through as one table, which on a phone becomes a list of the same rows. */

import { attribute, h, hidden, icon, reconcile, text } from "./dom.js";
import { reason } from "./page.js";
import { GROUND, stateCard } from "./state-card.js";
import { t } from "./strings.js";

/**
 * @template T
 * @param {import("./listing.js").Listing<T>} listing
 * @param {object} look
 * @param {string} look.label
 * @param {{ title: string, hidden?: boolean }[]} look.columns
 * @param {(item: T) => import("./dom.js").Piece} look.row
 * @param {{ label: string, hint: string, none: (query: string) => string }} [look.search]
 * @param {HTMLElement} [look.filter] beside the search
 * @param {{ title: string, about: string }} look.empty
 * @returns {{ element: HTMLElement, stop: () => void }}
 */
export function listingView(listing, { label, columns, row, search, filter, empty }) {
  const box = h("input", {
    class: "input",
    type: "search",
    "aria-label": search?.label,
    placeholder: search?.hint,
    autocomplete: "off",
    value: listing.store.get().query,
    oninput: () => listing.search(box.value.trim()),
  });
  const tools =
    search &&
    h(
      "div",
      { class: "admin-tools" },
      h("div", { class: "input-group", "data-icon": "start", role: "search" }, icon("search"), box),
      filter,
    );
  const body = h("tbody");
  const card = h(
    "div",
    { class: "card" },
    h(
      "table",
      { class: "records" },
      h("caption", { class: "visually-hidden" }, label),
      h(
        "thead",
        {},
        h("tr", {}, ...columns.map(({ title, hidden: unseen }) => h("th", { scope: "col" }, unseen ? hidden(title) : title))),
      ),
      body,
    ),
  );
  const count = h("p", { role: "status" });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const more = h("button", { class: "button", type: "button", onclick: () => void listing.load_more() }, t("rooms.more"));
  const pager = h("div", { class: "pager" }, count, problem, more);
  const state = h("div");
  const element = h("div", {}, tools, card, pager, state);

  const draw = () => {
    const { items, query, more: has_more, phase, loading_more, error } = listing.store.get();
    const listed = phase === "ready" && items.length > 0;
    if (tools) tools.hidden = phase === "ready" && items.length === 0 && query === "" && !filter;
    card.hidden = !listed;
    pager.hidden = !listed;
    reconcile(body, listed ? items.map(row) : []);
    text(count, listed ? t(has_more ? "admin.shown" : "admin.all_shown", { n: items.length }) : "");
    more.hidden = !has_more;
    attribute(more, "aria-busy", loading_more ? "true" : null);
    text(more, t(loading_more ? "settings.loading" : "rooms.more"));
    const broken = listed && error !== null;
    problem.hidden = !broken;
    text(problem, broken ? `${t("admin.failed")}: ${reason(error)}` : "");
    reconcile(state, listed ? [] : [statePiece()]);
  };

  const statePiece = () => {
    const { phase, query, error } = listing.store.get();
    if (phase === "loading") return { key: "loading", signature: "", build: () => stateCard({ title: t("settings.loading") }) };
    if (phase === "failed") {
      const build = () => failedCard(error, () => void listing.load());
      return { key: "failed", signature: reason(error), build };
    }
    if (query !== "" && search) {
      const build = () => stateCard({ title: t("admin.none"), about: search.none(query) });
      return { key: "none", signature: query, build };
    }
    return { key: "empty", signature: "", build: () => stateCard({ ground: GROUND.whole, ...empty }) };
  };

  draw();
  return { element, stop: listing.store.listen(draw) };
}

/** @param {() => void} load */
export function refreshButton(load) {
  return h(
    "button",
    { class: "button", type: "button", "data-focus": "refresh", onclick: load },
    icon("retry"),
    t("admin.refresh"),
  );
}

/**
 * Says in the place of content why it is not there, and tries again.
 *
 * @param {unknown} error
 * @param {() => void} retry
 */
export function failedCard(error, retry) {
  return stateCard({
    ground: GROUND.broken,
    title: t("admin.failed"),
    about: reason(error),
    alert: true,
    buttons: [h("button", { class: "button", type: "button", onclick: retry }, icon("retry"), t("retry"))],
  });
}

/** Who waits in the lobby, on the stage's edge, while the list of people is not open. */

import { avatar } from "./controls.js";
import { h, reconcile } from "./dom.js";
import { t } from "./strings.js";

/** @param {import("./room.js").RoomActions} actions */
export function knock({ hosting }) {
  const element = h("div");
  return {
    element,
    /** @param {Readonly<import("./room-state.js").RoomState>} state */
    draw({ waiting, allowed, panel }) {
      const first = waiting[0];
      // The panel of people says the same, and more.
      if (!first || panel === "people" || !allowed.has("admit")) {
        reconcile(element, []);
        return;
      }
      const more = waiting.length - 1;
      const all = more > 0 && allowed.has("admit_all");
      const build = () =>
        h(
          "section",
          { class: "knock on-stage", "aria-label": t("lobby.list") },
          avatar({ user_id: first.user_id, name: first.user_display_name }),
          h(
            "p",
            {},
            h("strong", {}, first.user_display_name),
            ` ${t("lobby.wants")}`,
            more > 0 && `, ${t("lobby.more", { n: more })}`,
          ),
          h(
            "div",
            { class: "button-row" },
            allowed.has("deny") &&
              h(
                "button",
                {
                  class: "button",
                  "data-size": "small",
                  type: "button",
                  "data-focus": "deny",
                  onclick: () => void hosting.answer(first, "deny"),
                },
                t("lobby.deny"),
              ),
            h(
              "button",
              {
                class: "button",
                "data-kind": "primary",
                "data-size": "small",
                type: "button",
                "data-focus": "admit",
                onclick: () => void hosting.answer(first, "admit"),
              },
              t("lobby.admit"),
            ),
            all &&
              h(
                "button",
                { class: "button", "data-size": "small", type: "button", onclick: () => void hosting.admit_all() },
                t("lobby.admit_all"),
              ),
          ),
        );
      const signature = [first.user_id, first.user_display_name, more, all, allowed.has("deny")].join("\n");
      reconcile(element, [{ key: "knock", signature, build }]);
    },
  };
}

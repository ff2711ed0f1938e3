/** The fields of a room's settings, for a new room and for one that is there. */

import { h } from "./dom.js";
import { choice, complainAll, field } from "./form.js";
import { roomLink } from "./links.js";
import { t } from "./strings.js";

/** @typedef {import("./room-values.js").RoomValues} RoomValues */
/** @typedef {import("../../wire.d.ts").Visibility} Visibility */
/** @typedef {import("../../wire.d.ts").FieldProblem} FieldProblem */

const VISIBILITIES = /** @type {const} */ (["public", "private", "password"]);

/**
 * @typedef {object} RoomFields
 * @property {HTMLElement[]} first what every room has: name and description
 * @property {HTMLElement[]} rules who comes in, how many, and when
 * @property {() => RoomValues} read
 * @property {(problems: FieldProblem[]) => string[]} complain says each beside its field; returns the rest
 */

/**
 * @param {Readonly<RoomValues>} values
 * @param {{ has_password: boolean }} options whether an empty password keeps the present one
 * @returns {RoomFields}
 */
export function roomFields(values, { has_password }) {
  const name = field({
    id: "room-name",
    label: t("room.name"),
    attributes: { required: true, maxlength: 255, autocomplete: "off", value: values.name },
  });
  const about = field({
    id: "room-about",
    label: t("room.about"),
    optional: true,
    attributes: { autocomplete: "off", maxlength: 2_000, placeholder: t("room.about.hint"), value: values.description },
  });
  const password = field({
    id: "room-password",
    label: t("rule.room_password"),
    hint: t(has_password ? "rule.room_password.keep" : "rule.room_password.hint"),
    attributes: { type: "password", autocomplete: "new-password", maxlength: 128 },
  });
  const capacity = field({
    id: "room-capacity",
    label: t("rule.capacity"),
    hint: t("rule.capacity.hint"),
    attributes: { type: "number", min: 2, max: 1_000, step: 1, inputmode: "numeric", value: values.capacity },
  });
  const slug = field({
    id: "room-slug",
    label: t("rule.slug"),
    optional: true,
    hint: t("rule.slug.none"),
    attributes: { autocomplete: "off", maxlength: 63, spellcheck: "false", autocapitalize: "none", value: values.slug },
  });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  /**
   * @param {string} id
   * @param {string} label
   * @param {string} value
   */
  const time = (id, label, value) =>
    field({
      id,
      label,
      optional: true,
      hint: t("rule.times.hint", { zone }),
      attributes: { type: "datetime-local", value },
    });
  const opens = time("room-opens", t("rule.opens"), values.opens);
  const closes = time("room-closes", t("rule.closes"), values.closes);
  const lobby = choice({
    type: "checkbox",
    label: t("rule.lobby"),
    hint: t("rule.lobby.hint"),
    attributes: { name: "lobby", checked: values.lobby },
  });
  const visibilities = VISIBILITIES.map((visibility) => ({
    visibility,
    ...choice({
      type: "radio",
      label: t(`rule.${visibility}`),
      hint: t(`rule.${visibility}.hint`),
      attributes: { name: "visibility", checked: visibility === values.visibility, onchange: () => follow() },
    }),
  }));

  const visibility = () => visibilities.find((one) => one.input.checked)?.visibility ?? "public";
  const follow = () => {
    password.element.hidden = visibility() !== "password";
  };
  const preview = () => {
    const wanted = slug.input.value.trim();
    const link = roomLink({ id: 0, slug: wanted }, location.origin);
    slug.hint(wanted === "" ? t("rule.slug.none") : t("rule.slug.hint", { link }));
  };
  slug.input.addEventListener("input", preview);
  follow();
  preview();

  return {
    first: [name.element, about.element],
    rules: [
      h(
        "fieldset",
        { class: "choices" },
        h("legend", {}, t("rule.who")),
        visibilities.map((one) => one.element),
      ),
      password.element,
      lobby.element,
      h("div", { class: "field-pair" }, opens.element, closes.element),
      h("div", { class: "field-pair" }, capacity.element, slug.element),
    ],
    read: () => ({
      name: name.input.value,
      description: about.input.value,
      visibility: visibility(),
      password: password.input.value,
      capacity: capacity.input.value,
      lobby: lobby.input.checked,
      slug: slug.input.value,
      opens: opens.input.value,
      closes: closes.input.value,
    }),
    complain: (problems) =>
      complainAll(problems, { name, description: about, password, opens_at: opens, closes_at: closes, capacity, slug }),
  };
}

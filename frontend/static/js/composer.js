/** The place to write: Enter sends, Shift and Enter make a new line; the draft outlives the connection. */

import { attribute, h, icon, text } from "./dom.js";
import { list } from "./format.js";
import { t } from "./strings.js";

/** @typedef {import("./room-state.js").RoomState} RoomState */

/** In code points, as the server counts. */
const MAX_LENGTH = 2_000;

/**
 * @param {import("./room.js").RoomActions} actions
 * @param {HTMLElement} pill
 * @param {() => void} to_end shows the chat's end
 */
export function composer(actions, pill, to_end) {
  const { conversation } = actions;
  /** @type {Readonly<RoomState> | null} */
  let now = null;
  const subject = h("span");
  const about = h(
    "div",
    { class: "replying", hidden: true },
    icon("reply", "icon-small"),
    subject,
    h(
      "button",
      { class: "icon-button", "data-size": "small", type: "button", "aria-label": t("cancel"), onclick: () => cancel() },
      icon("close"),
    ),
  );
  const box = h("textarea", {
    rows: 1,
    "aria-label": t("chat.message"),
    "aria-describedby": "composer-hint",
    placeholder: t("chat.placeholder"),
    enterkeyhint: "send",
    oninput: () => conversation.draft(box.value),
    onkeydown: (/** @type {KeyboardEvent} */ event) => onKey(event),
  });
  const send = h("button", { class: "icon-button send", "aria-label": t("chat.send") }, icon("send"));
  const hint = h("p", { class: "hint", id: "composer-hint" });
  const element = h(
    "div",
    { class: "composer" },
    pill,
    about,
    h("form", { class: "composer-box", onsubmit: (/** @type {Event} */ event) => submit(event) }, box, send),
    hint,
  );

  const over = () => [...box.value.trim()].length - MAX_LENGTH;

  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    // While an input method composes, Enter and Escape are its own.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    else if (event.key === "Escape" && (now?.replying || now?.editing)) {
      event.preventDefault();
      cancel();
    }
  };

  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    const content = box.value.trim();
    if (content === "" || over() > 0 || !now) return;
    if (now.editing) {
      if (content === now.editing.content) cancel();
      else void conversation.edit(now.editing, content);
      return;
    }
    conversation.send(content);
    to_end();
    box.focus();
  };

  const cancel = () => {
    const editing = now?.editing ?? null;
    actions.choose({ replying: null, editing: null });
    if (editing) conversation.draft("");
    box.focus();
  };

  /** @param {Readonly<RoomState>} state */
  const draw = (state) => {
    const before = now;
    now = state;
    if (state.editing && before?.editing !== state.editing) {
      box.value = state.editing.content;
      conversation.draft(box.value);
      box.focus();
    } else if (box.value !== state.draft) {
      box.value = state.draft;
    }
    if (state.replying && before?.replying !== state.replying) box.focus();
    const target = state.editing ?? state.replying;
    about.hidden = target === null;
    if (target) {
      const name = target.user_id === state.me?.id ? t("you") : target.user_display_name;
      subject.replaceChildren(h("b", {}, state.editing ? t("chat.editing") : `${name}:`), ` ${target.content}`);
    }
    const excess = over();
    send.disabled = box.value.trim() === "" || excess > 0;
    attribute(box, "aria-invalid", excess > 0 ? "true" : null);
    const typing = [...state.typing.keys()].flatMap((id) => state.roster.get(id)?.user_display_name ?? []);
    hint.className = excess > 0 || typing.length > 0 ? "hint" : "hint keys-hint";
    if (excess > 0) text(hint, t("chat.too_long", { n: excess }));
    else if (typing.length > 0) text(hint, t("chat.typing", { n: typing.length, names: list(typing.slice(0, 3)) }));
    else text(hint, t("chat.keys"));
  };
  return { element, draw, focus: () => box.focus() };
}

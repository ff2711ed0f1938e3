/** The sign-in page: sign in, create an account, set up a server or a new password by a link. */

import * as api from "./api.js";
import { brand, languageButton, themeButton } from "./controls.js";
import { h, icon, svg } from "./dom.js";
import { busy, complainAll, field, notice } from "./form.js";
import { safeNext } from "./links.js";
import { endedSession, forgetEndedSession, mount, ready, reason } from "./page.js";
import { strengthMeter } from "./strength.js";
import { onLanguage, t } from "./strings.js";
import { mayHaveSession, onOtherTab } from "./token.js";

/** @typedef {"sign_in" | "create" | "setup" | "reset"} Mode */

const search = new URLSearchParams(location.search);
const setup_code = search.get("setup");
const reset_code = new URLSearchParams(location.hash.slice(1)).get("reset");

/** @type {Mode} */
let mode = reset_code !== null ? "reset" : setup_code !== null ? "setup" : "sign_in";
/** Whether a new password was set by a link just now. */
let was_reset = false;
const ended = endedSession();
/** What was typed, kept when the form is drawn anew. @type {Record<string, string>} */
const typed = { name: "", email: "", password: "" };

const TEXTS = /** @type {const} */ ({
  sign_in: { title: "signin.title", submit: "signin.submit", working: "signin.working" },
  create: { title: "create.title", submit: "create.submit", working: "create.working" },
  setup: { title: "setup.title", submit: "create.submit", working: "create.working" },
  reset: { title: "reset.title", submit: "reset.submit", working: "reset.working" },
});

function go() {
  forgetEndedSession();
  location.replace(safeNext(search.get("next"), location.origin, location.hash));
}

function artwork() {
  return svg(
    "svg",
    { class: "art", viewBox: "0 0 800 900", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    svg("circle", { class: "art-far", cx: 250, cy: 390, r: 270 }),
    svg("circle", { class: "art-near", cx: 556, cy: 480, r: 180 }),
    svg("path", { class: "art-light", d: "M420.9 599A270 270 0 0 0 506.9 306.8 180 180 0 0 0 420.9 599z" }),
    svg("path", { class: "art-line", d: "M-400 660H1200" }),
  );
}

function draw() {
  document.title = `${t(TEXTS[mode].title)} · CloudMeet`;
  const column = h("div", { class: "form-column" }, brand({ href: "/" }), heading(), form(), switchLine());
  mount(
    h(
      "div",
      { class: "signin" },
      h(
        "aside",
        { class: "brand-field", "aria-label": t("signin.about") },
        artwork(),
        brand({ href: "/" }),
        h("p", { class: "motto" }, `${t("motto.rooms")} `, h("span", {}, t("motto.chat"))),
      ),
      h(
        "main",
        {},
        column,
        h("footer", {}, h("span", { class: "server" }, location.host), languageButton("up"), themeButton()),
      ),
    ),
  );
}

function heading() {
  /** @type {HTMLElement | null} */
  let line = null;
  if (mode === "setup") line = h("p", {}, t("setup.lead"));
  else if (mode === "reset") line = h("p", {}, t("reset.lead"));
  else if (was_reset && mode === "sign_in") line = h("p", { role: "status" }, t("reset.done"));
  else if (ended !== null && mode === "sign_in") {
    line = h("p", {}, t(ended.label === "" ? "signin.ended" : "signin.ended_in"));
    if (ended.label !== "") line.append(" ", h("strong", {}, ended.label), ".");
  }
  return h("header", {}, h("h1", {}, t(TEXTS[mode].title)), line);
}

function switchLine() {
  if (mode === "setup" || mode === "reset") return null;
  const creating = mode === "create";
  return h(
    "p",
    { class: "switch" },
    `${t(creating ? "create.have" : "signin.new")} `,
    h(
      "button",
      {
        class: "button",
        "data-kind": "quiet",
        type: "button",
        onclick: () => {
          mode = creating ? "sign_in" : "create";
          draw();
          document.querySelector("input")?.focus();
        },
      },
      t(creating ? "signin.to_signin" : "signin.to_create"),
    ),
  );
}

function form() {
  const resetting = mode === "reset";
  const creating = mode === "create" || mode === "setup";
  const meter = creating || resetting ? strengthMeter() : null;
  const name = field({
    id: "name",
    label: t("field.name"),
    hint: t("field.name.hint"),
    attributes: { autocomplete: "name", required: true },
  });
  const email = field({
    id: "email",
    label: t("field.email"),
    attributes: { type: "email", autocomplete: "username", inputmode: "email", required: true },
  });
  const password = field({
    id: "password",
    label: t(resetting ? "reset.password" : "field.password"),
    attributes: {
      type: "password",
      autocomplete: meter ? "new-password" : "current-password",
      required: true,
      oninput: (/** @type {Event} */ event) => meter?.judge(/** @type {HTMLInputElement} */ (event.target).value),
    },
    ...(meter ? { hint: t("field.password.hint"), extra: meter.element } : {}),
  });
  const fields = { display_name: name, email, password };
  for (const [key, { input }] of Object.entries({ name, email, password })) {
    input.value = typed[key] ?? "";
    input.addEventListener("input", () => (typed[key] = input.value));
  }
  meter?.judge(password.input.value);
  const submit = h("button", { class: "button", "data-kind": "primary", "data-wide": true }, t(TEXTS[mode].submit));
  const top = h("div", { hidden: true });
  const element = h(
    "form",
    { novalidate: true, onsubmit: (/** @type {Event} */ event) => void onSubmit(event) },
    mode === "setup" &&
      h(
        "div",
        { class: "notice" },
        icon("shield"),
        h("div", {}, h("strong", {}, t("setup.admin")), t("setup.admin.more")),
      ),
    top,
    creating && name.element,
    !resetting && email.element,
    password.element,
    submit,
  );

  /** @param {HTMLElement | null} about */
  const say = (about) => {
    top.replaceChildren(...(about ? [about] : []));
    top.hidden = about === null;
  };

  /** @param {Event} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    if (submit.disabled || submit.getAttribute("aria-busy") === "true") return;
    say(null);
    const missing = [
      creating && name.input.value.trim() === "" ? { field: "display_name", message: t("field.name.missing") } : null,
      !resetting && email.input.value.trim() === "" ? { field: "email", message: t("field.email.missing") } : null,
      password.input.value === "" ? { field: "password", message: t("field.password.missing") } : null,
    ].filter((problem) => problem !== null);
    complainAll(missing, fields);
    if (missing.length > 0) return;
    busy(submit, t(TEXTS[mode].working), t(TEXTS[mode].submit));
    try {
      await enter({ name: name.input.value, email: email.input.value.trim(), password: password.input.value });
    } catch (error) {
      busy(submit, null, t(TEXTS[mode].submit));
      refused(error);
    }
  };

  /** @param {unknown} error */
  const refused = (error) => {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.code === "wrong_credentials") {
      password.complain(t("signin.wrong"), true);
      password.input.focus();
      password.input.select();
    } else if (error.code === "email_taken") {
      email.complain(error.detail || t("create.taken"));
      email.input.focus();
    } else if (error.status === 429) wait(error.retry_after_s ?? 10);
    else {
      const rest = complainAll(error.errors, fields);
      if (rest.length === 0 && error.errors.length > 0) return;
      say(
        notice({
          kind: "error",
          symbol: "warning",
          title: t("signin.failed"),
          text: rest.length > 0 ? rest.join(" ") : reason(error),
        }),
      );
    }
  };

  /** @param {number} seconds until the server hears again */
  const wait = (seconds) => {
    const until_ms = Date.now() + seconds * 1_000;
    const left = () => Math.ceil((until_ms - Date.now()) / 1_000);
    const text = () => t("signin.wait", { n: Math.max(1, left()) });
    const about = notice({ kind: "attention", symbol: "clock", title: t("signin.too_many"), text: text() });
    say(about);
    submit.disabled = true;
    const timer = setInterval(() => {
      const line = about.querySelector("span");
      if (left() > 0 && line && element.isConnected) {
        line.textContent = text();
        return;
      }
      clearInterval(timer);
      submit.disabled = false;
      if (about.isConnected) say(null);
    }, 1_000);
  };

  return element;
}

/** @param {{ name: string, email: string, password: string }} account */
async function enter({ name, email, password }) {
  if (mode === "reset") {
    await api.resetPassword(reset_code ?? "", password);
    // The code is used up: a reload is to ask for no password by it.
    history.replaceState(null, "", location.pathname);
    [mode, was_reset, typed.password] = ["sign_in", true, ""];
    draw();
    document.querySelector("input")?.focus();
    return;
  }
  if (mode !== "sign_in") {
    const code = mode === "setup" && setup_code !== null ? { setup_code } : {};
    await api.register({ email, display_name: name.trim(), password, ...code });
    // The account exists now: should signing in fail, trying again must not create it twice.
    mode = "sign_in";
  }
  await api.login(email, password);
  go();
}

async function start() {
  onLanguage(draw);
  onOtherTab((event) => {
    if (event === "signed_in") go();
  });
  if (mode === "sign_in" && mayHaveSession()) {
    try {
      await api.me();
      go();
      return;
    } catch {
      // No session, or no server: the form says more when it is used.
    }
  }
  draw();
  document.querySelector("input")?.focus();
  ready();
}

void start();

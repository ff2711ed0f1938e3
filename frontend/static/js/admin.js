/** The pages for administrators: finds out who asks, and shows the part that the address names. */

import * as api from "./api.js";
import { activityView } from "./admin-activity.js";
import { keysView } from "./admin-keys.js";
import { roomsView } from "./admin-rooms.js";
import { onStandingEnded } from "./admin-session.js";
import { systemView } from "./admin-system.js";
import { usersView } from "./admin-users.js";
import { adminFrame, closedCard } from "./admin-view.js";
import { adminPath, adminViewOf } from "./links.js";
import { failedCard } from "./listing-view.js";
import { followOtherTabs, goToSignIn, inSession, mount, nameForReturn, ready, reason, toast } from "./page.js";
import { stateCard } from "./state-card.js";
import { createStore } from "./store.js";
import { onLanguage, t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Account} Account */
/** @typedef {import("./links.js").AdminView} AdminView */
/** @typedef {import("./admin-view.js").Part} Part */
/** @typedef {{ load: () => Promise<void>, build: () => Part }} View */

/**
 * @typedef {object} AdminState
 * @property {Account | null} me
 * @property {AdminView} view
 * @property {"loading" | "open" | "closed" | "failed"} phase closed: to who is no administrator
 * @property {unknown} error
 */

const store = createStore(
  /** @type {AdminState} */ ({ me: null, view: adminViewOf(location.pathname), phase: "loading", error: null }),
);

/** The parts that were looked at, with what they have loaded. @type {Map<AdminView, View>} */
const views = new Map();
/** What is drawn now. @type {Part | null} */
let shown = null;
let frame = newFrame();

/**
 * @param {AdminView} view
 * @param {Account} me
 */
function viewOf(view, me) {
  const known = views.get(view);
  if (known) return known;
  const made = {
    users: () => usersView(me),
    rooms: () => roomsView(me),
    keys: () => keysView(me),
    activity: activityView,
    system: systemView,
  }[view]();
  views.set(view, made);
  return made;
}

function newFrame() {
  return adminFrame({ sign_out: () => void signOut(), show: (view) => go(view) });
}

function draw() {
  const { me, view, phase, error } = store.get();
  shown?.stop();
  shown = null;
  const title = t(phase === "open" ? `admin.${view}` : "admin.title");
  document.title = `${title} · CloudMeet`;
  nameForReturn(t("admin.title"));
  frame.bar.draw(me);
  if (phase === "open" && me !== null) {
    shown = viewOf(view, me).build();
    frame.show(view, shown);
  } else if (phase === "closed") frame.say(closedCard());
  else if (phase === "failed") frame.say(failedCard(error, () => void start()));
  else frame.say(stateCard({ heading: "h1", title: t("settings.loading") }));
}

/**
 * Shows a view, as its link does.
 *
 * @param {AdminView} view
 */
function go(view) {
  if (view !== store.get().view) history.pushState(null, "", adminPath(view));
  arrive(view);
}

/** @param {AdminView} view */
function arrive(view) {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  store.set({ view });
  const { me, phase } = store.get();
  if (phase !== "open" || me === null) return;
  draw();
  scrollTo(0, 0);
  // A link that was followed leads to a page's beginning.
  frame.focus();
  void viewOf(view, me).load();
}

async function start() {
  store.set({ phase: "loading", error: null });
  draw();
  try {
    const me = await inSession(api.me);
    store.set({ me, phase: me.is_admin ? "open" : "closed" });
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    store.set({ phase: "failed", error });
  }
  draw();
  const { me, view, phase } = store.get();
  if (phase === "open" && me !== null) await viewOf(view, me).load();
  ready();
}

async function signOut() {
  try {
    await inSession(api.logout);
  } catch (error) {
    toast(reason(error), "error");
    return;
  }
  goToSignIn("left");
}

onStandingEnded(() => {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  // What was loaded is for administrators too.
  views.clear();
  const { me } = store.get();
  store.set({ me: me && { ...me, is_admin: false }, phase: "closed" });
  draw();
});
onLanguage(() => {
  frame = newFrame();
  mount(frame.element);
  draw();
});
addEventListener("popstate", () => arrive(adminViewOf(location.pathname)));
followOtherTabs();
mount(frame.element);
void start();

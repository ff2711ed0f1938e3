/** The room page: before joining, in the call, and after it. */

import * as api from "./api.js";
import { delay_ms } from "./backoff.js";
import { callView } from "./call-view.js";
import { Conversation } from "./conversation.js";
import { endedView } from "./ended-view.js";
import { roomOfAddress } from "./links.js";
import { announce, followOtherTabs, inSession, mount, nameForReturn, ready, reason } from "./page.js";
import { loadingView, prejoinView } from "./prejoin-view.js";
import { createRoomStore, linkLost, unread } from "./room-state.js";
import { Socket } from "./socket.js";
import { onLanguage, t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Answer} ServerFrame */
/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./room-state.js").EndReason} EndReason */
/** @typedef {{ element: HTMLElement, draw: (state: Readonly<RoomState>) => void }} View */

const PHONE = matchMedia("(max-width: 40rem)");
const VISITORS_MS = 300;

const store = createRoomStore();
const address = roomOfAddress(location.pathname, location.search);
let failures = 0;
let retry_timer = 0;
let visitors_timer = 0;

const socket = new Socket({
  ticket: () => inSession(api.socketTicket),
  on_no_ticket: (error) => (error instanceof api.ApiError ? (error.retry_after_s ?? 0) * 1_000 : 0),
  on_state(link) {
    const before = store.get();
    store.set({ link, was_open: before.was_open || link.phase === "open" });
    if (link.phase !== "open") store.set({ caught_up: false });
    if (link.phase === "waiting" && before.link.phase === "open") announce(t("link.lost"));
    if (link.phase === "open" && before.was_open) {
      announce(t("link.back"));
    }
  },
  on_frame: receive,
});
const conversation = new Conversation(store, socket);

/** @param {ServerFrame} frame */
function receive(frame) {
  const { room, roster, place, me } = store.get();
  if (!room) return;
  if (frame.type === "room" && frame.room.id === room.id) {
    store.set({ room: { ...room, ...frame.room } });
    if (!frame.room.is_active) end("closed");
    else if (place.at === "prejoin") refreshVisitors();
  } else if (frame.type === "watching_rooms") {
    // What happened before is in no frame.
    if (place.at === "prejoin") refreshVisitors();
  } else if (frame.type === "room_closed" && frame.room_id === room.id) {
    end("closed");
  } else if (place.at !== "call") {
    return;
  } else if (frame.type === "presence" && frame.room_id === room.id) {
    const moved = roster.apply(frame.participant);
    store.set({ revision: store.get().revision + 1 });
    const { user_id, user_display_name } = frame.participant;
    if (moved !== null && user_id !== me?.id) {
      announce(t(moved === "came" ? "people.came" : "people.went", { name: user_display_name }));
    }
  } else if (frame.type === "removed" && frame.room_id === room.id) {
    end(frame.reason === "elsewhere" ? "elsewhere" : "out");
  } else if (frame.type === "unsubscribed" && frame.room_id === room.id && typeof frame.id !== "number") {
    end("out");
  } else {
    conversation.receive(frame);
  }
}

/** @param {EndReason} why */
function end(why) {
  const { place, room } = store.get();
  if (place.at === "ended") return;
  if (room) socket.forget(room.id);
  store.set({ place: { at: "ended", why }, caught_up: false, typing: new Map() });
}

/**
 * Shows who is inside now, at most a few times a second, and once more when that did not work.
 *
 * @param {number} [after_ms]
 */
function refreshVisitors(after_ms = VISITORS_MS) {
  clearTimeout(visitors_timer);
  visitors_timer = setTimeout(async () => {
    const { room } = store.get();
    if (!room) return;
    try {
      const { participants, ...fresh } = await inSession(() => api.getRoom(room.id));
      failures = 0;
      store.set({ room: fresh, visitors: participants });
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (error.status === 404) end("missing");
      else if (error.passing && store.get().place.at === "prejoin") {
        refreshVisitors(Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++failures, Math.random), 2_000));
      }
    }
  }, after_ms);
}

async function load() {
  clearTimeout(retry_timer);
  if (address === null) {
    end("missing");
    ready();
    return;
  }
  try {
    const [me, detail] = await inSession(() => Promise.all([api.me(), api.getRoom(address)]));
    const { participants, ...room } = detail;
    nameForReturn(room.name);
    failures = 0;
    store.set({ me, room, visitors: participants, place: { at: "prejoin", joining: false, problem: null } });
    if (room.is_active) {
      conversation.restore();
      socket.start();
      socket.watch_rooms();
    } else {
      end("closed");
    }
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.passing) {
      const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++failures, Math.random), 2_000);
      store.set({ place: { at: "unreachable", retry_at_ms: Date.now() + wait_ms } });
      retry_timer = setTimeout(() => void load(), wait_ms);
    } else {
      end("missing");
    }
  }
  ready();
}

async function join() {
  const { room, place } = store.get();
  if (!room || (place.at === "prejoin" && place.joining)) return;
  store.set({ place: { at: "prejoin", joining: true, problem: null } });
  try {
    await inSession(() => api.joinRoom(room.id));
  } catch (error) {
    const code = error instanceof api.ApiError ? error.code : "";
    if (code === "room_not_found") end("missing");
    else if (code === "room_closed") end("closed");
    else store.set({ place: { at: "prejoin", joining: false, problem: reason(error) } });
    return;
  }
  store.set({ place: { at: "call" }, panel: PHONE.matches ? null : "chat", at_bottom: true });
  socket.follow({
    room_id: room.id,
    from() {
      const { log } = store.get();
      if (log.contiguous_to === null || log.rev === null) return { status: "in_call" };
      return { after_seq: log.contiguous_to, after_rev: log.rev, status: "in_call" };
    },
    page(frame) {
      store.get().roster.reset(frame.participants);
      conversation.page(frame);
    },
    caught_up() {
      failures = 0;
      conversation.caught_up();
    },
    refused(error) {
      if (error.code === "room_not_found") end("missing");
      else if (error.code === "room_closed") end("closed");
      else if (!error.passing) end("out");
      else {
        const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++failures, Math.random));
        setTimeout(() => socket.again(room.id), wait_ms);
      }
    },
  });
}

function leave() {
  const { room } = store.get();
  if (room) {
    socket.send({ type: "status", room_id: room.id, status: "offline" });
    socket.unfollow(room.id);
  }
  end("left");
}

/** @param {"chat" | "people" | null} panel */
function openPanel(panel) {
  const { panel: before, read_seq, unread_after } = store.get();
  // Once everything has been read and the chat is closed, the unread line has done its work.
  const read = before === "chat" && unread_after !== null && read_seq > unread_after;
  store.set({ panel, at_bottom: true, ...(read ? { unread_after: null } : {}) });
  conversation.look();
}

const actions = {
  retry: () => void load(),
  retry_link: () => socket.retry_now(),
  join: () => void join(),
  leave,
  open_panel: openPanel,
  /** @param {"chat" | "people"} panel */
  toggle_panel: (panel) => openPanel(store.get().panel === panel ? null : panel),
  /** @param {boolean} at_bottom */
  scrolled(at_bottom) {
    store.set({ at_bottom });
    conversation.look();
  },
  /** @param {Partial<Pick<RoomState, "replying" | "editing" | "deleting">>} patch */
  choose: (patch) => store.set(patch),
  conversation,
};

/** @typedef {typeof actions} RoomActions */

const VIEWS = {
  loading: () => loadingView(actions),
  unreachable: () => loadingView(actions),
  prejoin: () => prejoinView(actions),
  call: () => callView(actions),
  ended: () => endedView(actions),
};

/** @type {View | null} */
let view = null;
/** @type {string | null} */
let shown = null;

function draw() {
  const state = store.get();
  document.title = title(state);
  if (view === null || shown !== state.place.at) {
    shown = state.place.at;
    view = VIEWS[state.place.at]();
    mount(view.element);
    document.body.classList.toggle("in-call", shown === "call");
  }
  view.draw(state);
}

/** @param {Readonly<RoomState>} state */
function title(state) {
  const { place } = state;
  const name = state.room?.name;
  if (place.at === "ended") return `${t(`ended.${place.why}`, { name: name ?? "" })} · CloudMeet`;
  if (name === undefined) return "CloudMeet";
  const count = place.at === "call" ? unread(state) : 0;
  const lost = place.at === "call" && linkLost(state) ? `${t("link.lost")} ` : "";
  return `${lost}${count > 0 ? `(${count}) ` : ""}${name} · CloudMeet`;
}

document.addEventListener("visibilitychange", () => conversation.look());
document.addEventListener("keydown", (event) => {
  if (store.get().place.at !== "call" || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, dialog, [role=menu]");
  if (typing || event.defaultPrevented) return;
  if (event.code === "KeyC") actions.toggle_panel("chat");
  else if (event.code === "KeyP") actions.toggle_panel("people");
  else return;
  event.preventDefault();
});
onLanguage(() => {
  view = null;
  draw();
});
store.listen(draw);
followOtherTabs();
draw();
void load();

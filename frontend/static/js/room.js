/** The room page: before joining, in the lobby, in the call, and after it. */

import * as api from "./api.js";
import { leaveRoom } from "./api-rooms.js";
import { callView } from "./call-view.js";
import { ChatSearch } from "./chat-search.js";
import { Conversation } from "./conversation.js";
import { endedView } from "./ended-view.js";
import { Entry, isOver } from "./entry.js";
import { moment } from "./format.js";
import { Hosting } from "./hosting.js";
import { keyAction, keysDialog } from "./keys.js";
import { codeOfHash, roomOfAddress } from "./links.js";
import { announce, followOtherTabs, inSession, mount } from "./page.js";
import { loadingView, prejoinView } from "./prejoin-view.js";
import { createRoomStore, linkLost, unread } from "./room-state.js";
import { openSettings } from "./settings-dialog.js";
import { Socket } from "./socket.js";
import { onLanguage, t } from "./strings.js";
import { waitingView } from "./waiting-view.js";

/** @typedef {import("../../wire.d.ts").Answer} ServerFrame */
/** @typedef {import("./room-state.js").RoomState} RoomState */
/** @typedef {import("./room-state.js").EndReason} EndReason */
/** @typedef {{ element: HTMLElement, draw: (state: Readonly<RoomState>) => void }} View */

const store = createRoomStore();
/** Whether this page has asked to end the membership, so that the socket's word of it is no surprise. */
let leaving = false;
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
      // Being let in, or turned away, may have been said meanwhile.
      entry.ask_again();
    }
  },
  on_frame: receive,
});
const conversation = new Conversation(store, socket);
const hosting = new Hosting(store);
const search = new ChatSearch(store);
const entry = new Entry({
  store,
  socket,
  conversation,
  hosting,
  address: roomOfAddress(location.pathname, location.search),
  code: codeOfHash(location.hash),
  end,
});

/** @param {ServerFrame} frame */
function receive(frame) {
  const { room, place } = store.get();
  if (!room) return;
  if (frame.type === "watching_rooms") {
    // What happened before is in no frame.
    if (place.at === "prejoin") entry.refresh_visitors();
  } else if (frame.type === "room" && frame.room.id === room.id) {
    store.set({ room: { ...room, ...frame.room } });
    if (!frame.room.is_active) end("closed");
    else if (place.at === "prejoin") entry.refresh_visitors();
    else if (place.at === "call") hosting.room_changed(room, frame.room);
    else if (place.at === "ended" && place.why === "over" && isOver(frame.room, Date.now()) === "no") void entry.load();
  } else if (frame.type === "room_hidden" && frame.room_id === room.id) {
    // For who holds its link code it is still there.
    if (place.at === "prejoin") entry.refresh_visitors();
  } else if (frame.type === "room_closed" && frame.room_id === room.id) {
    end("closed");
  } else if (frame.type === "admitted" && frame.room_id === room.id) {
    entry.admitted();
  } else if (frame.type === "removed" && frame.room_id === room.id) {
    if (place.at !== "call" && place.at !== "waiting") return;
    if (frame.reason === "ended") void endedByHostOrTime();
    else end(frame.reason);
  } else if (place.at === "call") {
    receiveInside(frame, room.id);
  }
}

/**
 * @param {ServerFrame} frame
 * @param {number} room_id
 */
function receiveInside(frame, room_id) {
  const { roster, me } = store.get();
  if (frame.type === "presence" && frame.room_id === room_id) {
    const { user_id, user_display_name, role } = frame.participant;
    const before = roster.get(user_id)?.role;
    const moved = roster.apply(frame.participant);
    store.set({ revision: store.get().revision + 1 });
    if (user_id === me?.id) {
      if (before !== undefined && before !== role && roster.get(user_id)?.role === role) {
        hosting.role_changed(frame.participant);
      }
    } else if (moved !== null) {
      announce(t(moved === "came" ? "people.came" : "people.went", { name: user_display_name }));
    }
  } else if (frame.type === "lobby" && frame.room_id === room_id) {
    if (frame.waiting) hosting.waits(frame.participant);
    else hosting.waits_no_more(frame.participant);
  } else if (frame.type === "closing" && frame.room_id === room_id) {
    store.set({ closes_soon_at: frame.closes_at });
    announce(t("closing.soon", { time: moment(frame.closes_at) }));
  } else if (frame.type === "unsubscribed" && frame.room_id === room_id && typeof frame.id !== "number") {
    end(leaving ? "gone" : "out");
  } else {
    conversation.receive(frame);
  }
}

/** @param {EndReason} why */
function end(why) {
  const { place, room } = store.get();
  if (place.at === "ended") return;
  if (room) socket.forget(room.id);
  entry.forget_waiting();
  store.set({
    place: { at: "ended", why },
    caught_up: false,
    typing: new Map(),
    waiting: [],
    closes_soon_at: null,
    search: null,
  });
}

/** The meeting was ended: by a host, or because its time was over. */
async function endedByHostOrTime() {
  const { room } = store.get();
  const over = room === null ? "no" : isOver(room, Date.now());
  end(over === "no" ? "ended" : "over");
  if (room === null || over !== "unsure") return;
  try {
    const { allowed } = await inSession(() => api.getRoom(room.id));
    const { place } = store.get();
    if (allowed.includes("join") && place.at === "ended" && place.why === "over") store.set({ place: { at: "ended", why: "ended" } });
  } catch (error) {
    // Then it stays what it most likely is.
    if (!(error instanceof api.ApiError)) throw error;
  }
}

function leave() {
  const { room } = store.get();
  if (room) {
    socket.send({ type: "status", room_id: room.id, status: "offline" });
    socket.unfollow(room.id);
  }
  end("left");
}

async function leaveForGood() {
  const { room } = store.get();
  if (!room) return;
  leaving = true;
  try {
    await inSession(() => leaveRoom(room.id));
    end("gone");
  } finally {
    leaving = false;
  }
}

/** @param {"chat" | "people" | null} panel */
function openPanel(panel) {
  const { panel: before, read_seq, unread_after } = store.get();
  // Once everything has been read and the chat is closed, the unread line has done its work.
  const read = before === "chat" && unread_after !== null && read_seq > unread_after;
  store.set({ panel, at_bottom: true, search: null, ...(read ? { unread_after: null } : {}) });
  conversation.look();
}

const actions = {
  retry: () => void entry.load(),
  retry_link: () => socket.retry_now(),
  /** @param {string} [password] */
  join: (password) => void entry.join(password),
  stop_waiting: () => void entry.stop_waiting(),
  leave,
  leave_for_good: leaveForGood,
  open_panel: openPanel,
  /** @param {"chat" | "people"} panel */
  toggle_panel: (panel) => openPanel(store.get().panel === panel ? null : panel),
  open_settings: () =>
    openSettings(store, hosting, () => {
      // Its hosts have opened it again, perhaps.
      if (store.get().place.at === "ended") void entry.load();
    }),
  /** @param {boolean} at_bottom */
  scrolled(at_bottom) {
    store.set({ at_bottom });
    conversation.look();
  },
  /** @param {Partial<Pick<RoomState, "replying" | "editing" | "deleting" | "found_seq">>} patch */
  choose: (patch) => store.set(patch),
  conversation,
  hosting,
  search,
};

/** @typedef {typeof actions} RoomActions */

const VIEWS = {
  loading: () => loadingView(actions),
  unreachable: () => loadingView(actions),
  prejoin: () => prejoinView(actions),
  waiting: () => waitingView(actions),
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
  if (place.at === "waiting") return `${t("waiting.title")} · ${name} · CloudMeet`;
  const count = place.at === "call" ? unread(state) : 0;
  const lost = place.at === "call" && linkLost(state) ? `${t("link.lost")} ` : "";
  return `${lost}${count > 0 ? `(${count}) ` : ""}${name} · CloudMeet`;
}

document.addEventListener("visibilitychange", () => conversation.look());
document.addEventListener("keydown", (event) => {
  if (store.get().place.at !== "call") return;
  const action = keyAction(event);
  if (action === null) return;
  if (action === "list") keysDialog();
  else actions.toggle_panel(action);
  event.preventDefault();
});
// Another link code in the same address is another way in.
addEventListener("hashchange", () => codeOfHash(location.hash) !== entry.code && location.reload());
onLanguage(() => {
  view = null;
  draw();
});
store.listen(draw);
followOtherTabs();
draw();
void entry.load();

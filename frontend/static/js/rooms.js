/** The rooms page: loads the list, keeps it live, and wires views to it. */

import * as api from "./api.js";
import { canI } from "./api-rooms.js";
import { delay_ms } from "./backoff.js";
import { connectionBanner } from "./banner.js";
import { announce, followOtherTabs, goToSignIn, inSession, mount, nameForReturn, ready, reason, toast } from "./page.js";
import { joinByLinkDialog, newRoomDialog } from "./rooms-dialogs.js";
import { roomsPage } from "./rooms-view.js";
import { Socket } from "./socket.js";
import { createStore } from "./store.js";
import { onLanguage, t } from "./strings.js";

/** @typedef {import("../../wire.d.ts").Room} Room */
/** @typedef {import("../../wire.d.ts").Account} Account */

/**
 * @typedef {object} RoomsState
 * @property {Account | null} me
 * @property {ReadonlyMap<number, Room>} rooms
 * @property {string} query
 * @property {boolean} more whether the server has more than are shown
 * @property {boolean} loading_more
 * @property {"loading" | "ready" | { retry_at_ms: number }} phase the last: the server does not answer
 * @property {import("./socket.js").LinkState} link
 * @property {boolean} was_open whether the link has ever been open
 * @property {number | null} copied the room whose link was just copied
 * @property {number | null} confirming the room about to be deleted
 * @property {number} minute counts, so that times said in words stay true
 */

const PAGE = 100;
const SEARCH_MS = 250;

/** @type {import("./store.js").Store<RoomsState>} */
const store = createStore(
  /** @type {RoomsState} */ ({
    me: null,
    rooms: new Map(),
    query: "",
    more: false,
    loading_more: false,
    phase: "loading",
    link: { phase: "stopped" },
    was_open: false,
    copied: null,
    confirming: null,
    minute: 0,
  }),
);

let failures = 0;
let retry_timer = 0;
let search_timer = 0;
/** Counts the loads, so that a late answer to an older question is not shown. */
let load_number = 0;
let loading = false;
/**
 * What frames said while the list was being loaded, a closed room as `null`: the list may be older.
 *
 * @type {Map<number, Room | null>}
 */
let meanwhile = new Map();
let watching = false;
/** How many of the server's list are known from its pages; rooms that frames brought do not count. */
let paged = 0;

const socket = new Socket({
  ticket: () => inSession(api.socketTicket),
  on_no_ticket: (error) => (error instanceof api.ApiError ? (error.retry_after_s ?? 0) * 1_000 : 0),
  on_state(link) {
    const before = store.get();
    if (link.phase === "waiting" && before.link.phase === "open") announce(t("link.lost"));
    store.set({ link, was_open: before.was_open || link.phase === "open" });
  },
  on_frame(frame) {
    // What happened before is in no frame.
    if (frame.type === "watching_rooms") void load();
    if (frame.type === "room") heard(frame.room.id, frame.room);
    if (frame.type === "room_closed" || frame.type === "room_hidden") heard(frame.room_id, null);
  },
});

/**
 * @param {number} room_id
 * @param {Room | null} room
 */
function heard(room_id, room) {
  if (loading) meanwhile.set(room_id, room);
  if (room) upsert(room);
  else remove(room_id);
}

/** @param {Room} room */
function upsert(room) {
  const { rooms, query } = store.get();
  const wanted = room.is_active && matches(room, query);
  if (!wanted) {
    remove(room.id);
    return;
  }
  const next = new Map(rooms).set(room.id, room);
  store.set({ rooms: next });
}

/** @param {number} room_id */
function remove(room_id) {
  const next = new Map(store.get().rooms);
  if (!next.delete(room_id)) return;
  // The pages that follow move up by one.
  paged -= 1;
  store.set({ rooms: next });
}

/**
 * @param {Room} room
 * @param {string} query
 */
function matches(room, query) {
  const wanted = query.toLowerCase();
  return room.name.toLowerCase().includes(wanted) || (room.description ?? "").toLowerCase().includes(wanted);
}

async function load() {
  clearTimeout(retry_timer);
  const number = ++load_number;
  const { query } = store.get();
  loading = true;
  meanwhile = new Map();
  try {
    const [me, rooms] = await inSession(() =>
      Promise.all([store.get().me ?? api.me(), api.listRooms({ skip: 0, limit: PAGE, query })]),
    );
    if (number !== load_number) return;
    loading = false;
    failures = 0;
    paged = rooms.length;
    store.set({
      me,
      rooms: new Map(rooms.map((room) => [room.id, room])),
      more: rooms.length === PAGE,
      phase: "ready",
    });
    for (const [room_id, room] of meanwhile) heard(room_id, room);
  } catch (error) {
    if (number !== load_number) return;
    loading = false;
    if (!(error instanceof api.ApiError)) throw error;
    const wait_ms = Math.max((error.retry_after_s ?? 0) * 1_000, delay_ms(++failures, Math.random), 2_000);
    const ready_before = store.get().phase === "ready";
    // A list that is there stays, and is loaded once more as long as that may help.
    if (ready_before) toast(reason(error), "error");
    else store.set({ phase: { retry_at_ms: Date.now() + wait_ms } });
    if (!ready_before || error.passing) retry_timer = setTimeout(() => void load(), wait_ms);
  }
  if (!watching) {
    watching = true;
    socket.start();
    socket.watch_rooms();
  }
  ready();
}

async function loadMore() {
  const { query, loading_more } = store.get();
  if (loading_more) return;
  store.set({ loading_more: true });
  const number = load_number;
  try {
    const page = await inSession(() => api.listRooms({ skip: paged, limit: PAGE, query }));
    if (number !== load_number) return;
    paged += page.length;
    const next = new Map(store.get().rooms);
    for (const room of page) if (!next.has(room.id)) next.set(room.id, room);
    store.set({ rooms: next, more: page.length === PAGE });
  } catch (error) {
    toast(reason(error), "error");
  } finally {
    store.set({ loading_more: false });
  }
}

/**
 * Asks whether a room is really to be deleted, if the server allows it at all.
 *
 * @param {number | null} room_id none takes the question back
 */
async function askDelete(room_id) {
  if (room_id === null) {
    store.set({ confirming: null });
    return;
  }
  try {
    const { allowed, detail } = await inSession(() => canI(room_id, "delete_room"));
    if (allowed) store.set({ confirming: room_id });
    else toast(detail, "error");
  } catch (error) {
    toast(reason(error), "error");
  }
}

/** @param {Room} room */
async function deleteRoom(room) {
  try {
    await inSession(() => api.deleteRoom(room.id));
    remove(room.id);
    toast(t("rooms.deleted", { name: room.name }));
  } catch (error) {
    toast(reason(error), "error");
  }
  store.set({ confirming: null });
}

async function signOut() {
  socket.stop();
  try {
    await inSession(api.logout);
  } catch (error) {
    toast(reason(error), "error");
    socket.start();
    return;
  }
  goToSignIn("left");
}

const banner = () => connectionBanner({ retry: () => socket.retry_now(), kept: false, className: "banner page-banner" });

const actions = {
  retry: () => void load(),
  more: () => void loadMore(),
  sign_out: () => void signOut(),
  new_room: () => newRoomDialog(),
  join_by_link: () => joinByLinkDialog(),
  /** @param {string} query */
  search(query) {
    store.set({ query });
    clearTimeout(search_timer);
    search_timer = setTimeout(() => void load(), SEARCH_MS);
  },
  /** @param {number | null} copied */
  copied(copied) {
    store.set({ copied });
    if (copied !== null) setTimeout(() => store.get().copied === copied && store.set({ copied: null }), 2_000);
  },
  /** @param {number | null} room_id */
  ask_delete: (room_id) => void askDelete(room_id),
  /** @param {Room} room */
  delete: (room) => void deleteRoom(room),
};

/** @typedef {typeof actions} RoomsActions */

function draw() {
  document.title = `${t("rooms.title")} · CloudMeet`;
  nameForReturn(t("rooms.title"));
  const page = roomsPage(actions, banner());
  mount(page.element);
  page.draw(store.get());
  return page;
}

let page = draw();
onLanguage(() => {
  page = draw();
});
store.listen(() => page.draw(store.get()));
setInterval(() => store.set({ minute: store.get().minute + 1 }), 60_000);
followOtherTabs();
void load();

/** The way into a room: what each answer at the door leads to, and that a late answer moves nobody. */

import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";

import "./bare-page.mjs";

const { Entry, isOver } = await import("../../../frontend/static/js/entry.js");
const { Hosting } = await import("../../../frontend/static/js/hosting.js");
const { createRoomStore } = await import("../../../frontend/static/js/room-state.js");
const { keepToken } = await import("../../../frontend/static/js/token.js");

beforeEach(() => {
  // What an earlier test left waiting asks no more.
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  keepToken("token", 86_400);
});

/** Lets what waits for a promise go on. */
const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

/** Somebody at a door where the server answers as told, each with its status. */
function visitor(answers, { code = null } = {}) {
  const store = createRoomStore();
  const asked = [];
  const ends = [];
  const followed = [];
  globalThis.fetch = async (path, { body }) => {
    asked.push([path, body === null ? null : JSON.parse(body)]);
    const answer = await answers.shift();
    const { status = 200, headers = {}, ...rest } = answer ?? {};
    return new Response(JSON.stringify(rest), { status, headers });
  };
  store.set({
    me: { id: 1 },
    room: { id: 7, my_role: null, closes_at: null },
    place: { at: "prejoin", joining: false, refusal: null },
  });
  const socket = { follow: (following) => followed.push(following.room_id), forget() {} };
  const end = (why) => {
    ends.push(why);
    store.set({ place: { at: "ended", why } });
  };
  const conversation = { page() {}, caught_up() {} };
  const entry = new Entry({ store, socket, conversation, hosting: new Hosting(store), address: "7", code, end });
  return { entry, store, asked, ends, followed, place: () => store.get().place };
}

const WAITING = { status: 202, waiting: true, position: 2 };

test("who may come in goes in, with what they showed", async () => {
  const { entry, asked, followed, place } = visitor([{}], { code: "abc" });
  await entry.join("open sesame");
  assert.deepEqual(asked, [["/api/rooms/7/join", { password: "open sesame", code: "abc" }]]);
  assert.deepEqual(followed, [7]);
  assert.equal(place().at, "call");
});

test("in the lobby one asks again every ten seconds, learns one's place, and goes in once admitted", async () => {
  const { entry, asked, place } = visitor([WAITING, { ...WAITING, position: 1 }, {}]);
  await entry.join();
  assert.deepEqual(place(), { at: "waiting", position: 2 });
  mock.timers.tick(9_999);
  await settle();
  assert.equal(asked.length, 1, "not before ten seconds");
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(place(), { at: "waiting", position: 1 });
  mock.timers.tick(10_000);
  await settle();
  assert.equal(place().at, "call");
  mock.timers.tick(60_000);
  await settle();
  assert.equal(asked.length, 3, "who is inside asks no more");
});

test("being admitted leads straight in, without asking", async () => {
  const { entry, asked, place, followed } = visitor([WAITING]);
  await entry.join();
  entry.admitted();
  assert.equal(place().at, "call");
  assert.deepEqual(followed, [7]);
  assert.equal(asked.length, 1);
  entry.admitted();
  assert.deepEqual(followed, [7], "once");
});

test("after a reconnection one asks at once, and only one who waits does", async () => {
  const { entry, asked } = visitor([WAITING, WAITING]);
  entry.ask_again();
  await settle();
  assert.equal(asked.length, 0);
  await entry.join();
  entry.ask_again();
  await settle();
  assert.equal(asked.length, 2);
});

test("an answer that comes after one has stopped waiting moves nobody", async () => {
  let answer;
  const late = new Promise((resolve) => (answer = resolve));
  const { entry, asked, place } = visitor([WAITING, late, {}]);
  await entry.join();
  entry.ask_again();
  await settle();
  await entry.stop_waiting();
  assert.deepEqual(asked.at(-1)?.[0], "/api/rooms/7/leave");
  answer(WAITING);
  await settle();
  assert.equal(place().at, "prejoin");
  mock.timers.tick(60_000);
  await settle();
  assert.equal(asked.length, 3);
});

test("a server that does not answer for a while does not end the waiting", async () => {
  const { entry, place } = visitor([WAITING, { status: 503, code: "unavailable", headers: { "Retry-After": "1" } }, {}]);
  await entry.join();
  mock.timers.tick(10_000);
  await settle();
  assert.equal(place().at, "waiting");
  mock.timers.tick(10_000);
  await settle();
  assert.equal(place().at, "call");
});

for (const [code, status, why] of [["banned", 403, "banned"], ["room_not_found", 404, "missing"], ["room_closed", 409, "closed"]]) {
  test(`${code} at the door is the end`, async () => {
    const { entry, ends } = visitor([{ status, code, detail: "no" }]);
    await entry.join();
    assert.deepEqual(ends, [why]);
  });
}

test("a wrong password, a full room and an early hour leave one at the door, with the reason", async () => {
  const opens_at = "2030-01-01T00:00:00.000Z";
  const refusals = [
    { status: 403, code: "wrong_password", detail: "no" },
    { status: 403, code: "room_full", detail: "full" },
    { status: 403, code: "not_open", detail: "early", opens_at },
    { status: 429, code: "rate_limited", detail: "slow", headers: { "Retry-After": "7" } },
  ];
  const { entry, place, ends } = visitor([...refusals]);
  const now_ms = Date.now();
  const seen = [];
  for (const _ of refusals) {
    await entry.join();
    seen.push(place().refusal);
  }
  assert.deepEqual(seen, [
    { code: "wrong_password", detail: "no", opens_at: null, retry_at_ms: null },
    { code: "room_full", detail: "full", opens_at: null, retry_at_ms: null },
    { code: "not_open", detail: "early", opens_at, retry_at_ms: now_ms + 2_000 },
    { code: "rate_limited", detail: "slow", opens_at: null, retry_at_ms: now_ms + 7_000 },
  ]);
  assert.deepEqual(ends, []);
});

test("whether a room is past its end only the server's clock can tell within a minute", () => {
  const now_ms = Date.parse("2026-01-01T10:00:00.000Z");
  const at = (closes_at, is_active = true) => isOver({ closes_at, is_active }, now_ms);
  assert.equal(at(null), "no");
  assert.equal(at("2026-01-01T10:05:00.000Z"), "no");
  assert.equal(at("2026-01-01T10:00:30.000Z"), "unsure");
  assert.equal(at("2026-01-01T09:59:30.000Z"), "unsure");
  assert.equal(at("2026-01-01T09:00:00.000Z"), "yes");
  assert.equal(at("2026-01-01T09:00:00.000Z", false), "no");
});

test("a room that turns out closed at the door is over by its time, or deleted", async () => {
  const closed = { status: 409, code: "room_closed", detail: "closed" };
  const { entry, store, ends } = visitor([closed, closed]);
  await entry.join();
  store.set({ room: { id: 7, my_role: null, is_active: true, closes_at: new Date(Date.now() - 1_000).toISOString() }, place: { at: "prejoin", joining: false, refusal: null } });
  await entry.join();
  assert.deepEqual(ends, ["closed", "over"]);
});

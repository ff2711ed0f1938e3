/** What hosts hear and do: the lobby as frames come, and the end that is near. */

import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { participant } from "./samples.mjs";
import "./bare-page.mjs";

const { Hosting, closesSoon } = await import("../../../frontend/static/js/hosting.js");
const { createRoomStore } = await import("../../../frontend/static/js/room-state.js");
const { keepToken } = await import("../../../frontend/static/js/token.js");

mock.timers.enable({ apis: ["setTimeout"] });
keepToken("token", 86_400);

/** A host in a call, and what is asked of a server that answers as told. */
function host(answers = []) {
  const store = createRoomStore();
  const asked = [];
  globalThis.fetch = async (path, { method }) => {
    asked.push(`${method} ${path}`);
    const { http = 200, ...body } = answers.shift() ?? {};
    return new Response(JSON.stringify(body), { status: http });
  };
  store.set({ me: { id: 1 }, room: { id: 7, closes_at: null, owner_id: 1, name: "A" }, place: { at: "call" } });
  return { hosting: new Hosting(store), store, asked, ids: () => store.get().waiting.map((one) => one.user_id) };
}

const person = (user_id, more = {}) => participant({ user_id, status: "offline", ...more });

test("who waits is listed in the order of coming, once, until they no longer wait", () => {
  const { hosting, ids } = host();
  hosting.waits(person(2));
  hosting.waits(person(3));
  hosting.waits(person(2));
  assert.deepEqual(ids(), [2, 3]);
  hosting.waits_no_more(person(2));
  assert.deepEqual(ids(), [3]);
  hosting.reset([person(4)], ["admit"]);
  assert.deepEqual(ids(), [4]);
});

test("who was let in no longer waits, nor does whom another host answered first", async () => {
  const { hosting, asked, ids } = host([person(2, { status: "in_call" }), { http: 409, code: "not_waiting", detail: "no" }]);
  hosting.reset([person(2), person(3), person(4)], ["admit"]);
  await hosting.answer(person(2), "admit");
  assert.deepEqual(ids(), [3, 4]);
  await hosting.answer(person(3), "deny");
  assert.deepEqual(ids(), [4]);
  assert.deepEqual(asked, ["POST /api/rooms/7/participants/2/admit", "POST /api/rooms/7/participants/3/deny"]);
});

test("for whom a full room has no place waits on", async () => {
  const { hosting, ids } = host([{ http: 403, code: "room_full", detail: "full" }, { admitted: [person(2)], waiting: 1 }]);
  hosting.reset([person(2), person(3)], ["admit"]);
  await hosting.answer(person(2), "admit");
  assert.deepEqual(ids(), [2, 3]);
  await hosting.admit_all();
  assert.deepEqual(ids(), [3]);
});

test("what one may is asked anew when the rules change, and not when somebody writes", async () => {
  const detail = { id: 7, participants: [], waiting: [], allowed: ["export"], closes_at: null };
  const { hosting, store, asked } = host([detail]);
  const before = store.get().room;
  hosting.room_changed(before, { ...before, name: "B", last_seq: 5 });
  assert.deepEqual(asked, []);
  hosting.room_changed(before, { ...before, my_role: "owner" });
  await new Promise(setImmediate);
  assert.deepEqual(asked, ["GET /api/rooms/7"]);
  assert.ok(store.get().allowed.has("export"));
});

test("what happens while it is being asked is asked about once more", async () => {
  const detail = (allowed) => ({ id: 7, participants: [], waiting: [], allowed, closes_at: null });
  const { hosting, store, asked } = host([detail([]), detail(["export"])]);
  await Promise.all([hosting.refresh(), hosting.refresh(), hosting.refresh()]);
  assert.deepEqual(asked, ["GET /api/rooms/7", "GET /api/rooms/7"]);
  assert.ok(store.get().allowed.has("export"));
});

test("an end is near within five minutes", () => {
  const now_ms = Date.parse("2026-01-01T10:00:00.000Z");
  const closes_at = "2026-01-01T10:05:00.000Z";
  assert.equal(closesSoon({ closes_at }, now_ms), closes_at);
  assert.equal(closesSoon({ closes_at }, now_ms - 1), null);
  assert.equal(closesSoon({ closes_at: null }, now_ms), null);
  assert.equal(closesSoon(null, now_ms), null);
});

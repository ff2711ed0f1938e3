import assert from "node:assert/strict";
import test from "node:test";

import { door } from "../../../frontend/static/js/door.js";

const NOW = Date.parse("2026-01-01T10:00:00.000Z");
const room = { visibility: "public", lobby: false, opens_at: null, my_role: null };
const refusal = (code, more = {}) => ({ code, detail: "", opens_at: null, retry_at_ms: null, ...more });

test("an open public room asks for nothing", () => {
  assert.deepEqual(door(room, null, NOW), {
    shut: false,
    asks_password: false,
    asks_host: false,
    why: null,
    opens_at: null,
    opens_by_itself_at_ms: null,
  });
});

test("a password is asked of strangers, and of whoever the server asks it of", () => {
  const secret = { ...room, visibility: "password" };
  assert.equal(door(secret, null, NOW).asks_password, true);
  assert.equal(door({ ...secret, my_role: "participant" }, null, NOW).asks_password, false);
  const asked = door({ ...secret, my_role: "participant" }, refusal("password_required"), NOW);
  assert.equal(asked.asks_password, true);
  assert.equal(asked.why, null);
  assert.equal(door(secret, refusal("wrong_password"), NOW).why, "wrong_password");
});

test("a lobby is announced to those who will wait in it", () => {
  assert.equal(door({ ...room, lobby: true }, null, NOW).asks_host, true);
  assert.equal(door({ ...room, lobby: true, my_role: "participant" }, null, NOW).asks_host, false);
});

test("before its time a room is shut for all but its owner, and opens by itself", () => {
  const later = { ...room, opens_at: "2026-01-01T10:05:00.000Z" };
  const shut = door(later, null, NOW);
  assert.deepEqual([shut.shut, shut.why, shut.opens_by_itself_at_ms], [true, "not_open", NOW + 300_000]);
  assert.equal(door(later, null, NOW + 300_000).shut, false);
  assert.equal(door({ ...later, my_role: "moderator" }, null, NOW).shut, true);
  assert.equal(door({ ...later, my_role: "owner" }, null, NOW).shut, false);
});

test("a clock that is ahead of the server's waits a little more, and then asks again", () => {
  const told = refusal("not_open", { opens_at: "2026-01-01T09:59:59.000Z", retry_at_ms: NOW + 2_000 });
  assert.deepEqual([door(room, told, NOW).shut, door(room, told, NOW).why], [true, "not_open"]);
  assert.deepEqual([door(room, told, NOW + 2_000).shut, door(room, told, NOW + 2_000).why], [false, null]);
});

test("too many attempts shut the door for the seconds that the server named", () => {
  const told = refusal("rate_limited", { retry_at_ms: NOW + 3_000 });
  assert.deepEqual([door(room, told, NOW).shut, door(room, told, NOW).why], [true, "rate_limited"]);
  assert.deepEqual([door(room, told, NOW + 3_000).shut, door(room, told, NOW + 3_000).why], [false, null]);
});

test("a full room can be tried again at once, and what is unknown is said in the server's words", () => {
  assert.deepEqual([door(room, refusal("room_full"), NOW).shut, door(room, refusal("room_full"), NOW).why], [false, "room_full"]);
  assert.equal(door(room, refusal("internal"), NOW).why, "other");
});

import assert from "node:assert/strict";
import test from "node:test";

import { Roster } from "../../../frontend/static/js/roster.js";
import { participant } from "./samples.mjs";

const ids = (people) => people.map((one) => one.user_id);

test("who enters and who leaves is told, once", () => {
  const roster = new Roster();
  assert.equal(roster.apply(participant({ user_id: 1, version: 1 })), "came");
  assert.equal(roster.apply(participant({ user_id: 1, version: 1 })), null);
  assert.equal(roster.apply(participant({ user_id: 1, version: 2, status: "online" })), "went");
  assert.equal(roster.apply(participant({ user_id: 1, version: 3, status: "offline" })), null);
  assert.deepEqual(ids(roster.present), []);
});

test("an older version is ignored, after leaving too", () => {
  const roster = new Roster();
  roster.apply(participant({ user_id: 1, version: 5, status: "offline" }));
  assert.equal(roster.apply(participant({ user_id: 1, version: 4, status: "in_call" })), null);
  assert.deepEqual(ids(roster.inside), []);
});

test("a full list takes out who is missing in it", () => {
  const roster = new Roster();
  roster.reset([participant({ user_id: 1 }), participant({ user_id: 2, status: "online" })]);
  assert.deepEqual(ids(roster.inside), [1]);
  assert.deepEqual(ids(roster.around), [2]);
  roster.reset([participant({ user_id: 2, version: 2 })]);
  assert.deepEqual(ids(roster.present), [2]);
});

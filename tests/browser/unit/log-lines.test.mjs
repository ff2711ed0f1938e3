import assert from "node:assert/strict";
import test from "node:test";

import { layOut } from "../../../frontend/static/js/log-lines.js";
import { message } from "./samples.mjs";

const ME = { id: 7, name: "Me", is_owner: false };
const at = (minutes) => new Date(Date.UTC(2026, 0, 5, 12, minutes)).toISOString();
const shape = (lines) => lines.map((line) => (line.kind === "group" ? line.entries.length : line.kind));
const lay = (messages, unsent = [], unread_after = null) => layOut(messages, unsent, { me: ME, unread_after });

test("messages of one author within five minutes are one group", () => {
  const messages = [0, 4, 9, 15].map((minutes, index) => message({ seq: index + 1, created_at: at(minutes) }));
  assert.deepEqual(shape(lay(messages)), ["day", 3, 1]);
});

test("another author begins a group of his own", () => {
  const messages = [1, 2, 1].map((user_id, index) => message({ seq: index + 1, user_id, created_at: at(index) }));
  assert.deepEqual(shape(lay(messages)), ["day", 1, 1, 1]);
});

test("a new day is said once", () => {
  const day = (seq, date) => message({ seq, created_at: new Date(2026, 0, date, 12).toISOString() });
  assert.deepEqual(shape(lay([day(1, 5), day(2, 6), day(3, 6)])), ["day", 1, "day", 2]);
});

test("the unread line stands once, before the first unseen message of somebody else", () => {
  const messages = [
    message({ seq: 1, created_at: at(0) }),
    message({ seq: 2, user_id: ME.id, created_at: at(1) }),
    message({ seq: 3, created_at: at(2) }),
    message({ seq: 4, created_at: at(3) }),
  ];
  assert.deepEqual(shape(lay(messages, [], 1)), ["day", 1, 1, "unread", 2]);
  assert.deepEqual(shape(lay(messages, [], 4)), ["day", 1, 1, 2]);
});

test("what is unsent stands last, as mine", () => {
  const one = {
    client_msg_id: "a",
    content: "x",
    reply_to: null,
    written_at: at(1),
    state: "pending",
    reason: null,
  };
  const lines = lay([message({ seq: 1, user_id: ME.id, created_at: at(0) })], [one]);
  assert.deepEqual(shape(lines), ["day", 2]);
  assert.equal(lines[1].entries[1].unsent.client_msg_id, "a");
});

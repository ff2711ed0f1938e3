import assert from "node:assert/strict";
import test from "node:test";

import { MessageLog } from "../../../frontend/static/js/message-log.js";
import { message } from "./samples.mjs";

const page = (messages, more = {}) => ({ messages, changed: [], rev: 0, last_seq: messages.at(-1)?.seq ?? 0, ...more });
const seqs = (log) => log.messages.map((one) => one.seq);
const unsent = (client_msg_id) => ({
  client_msg_id,
  content: client_msg_id,
  reply_to: null,
  written_at: new Date(0).toISOString(),
  state: "pending",
  reason: null,
});

/** A small linear congruential generator: the same numbers on every run. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

test("messages in any order, however often, end up once each and in the order of seq", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = numbers(seed);
    const log = new MessageLog();
    log.catch_up(page([]));
    const all = Array.from({ length: 40 }, (_, at) => message({ seq: at + 1 }));
    const stream = [...all, ...all.filter(() => random() < 0.5)]
      .map((one) => ({ one, at: random() }))
      .sort((a, b) => a.at - b.at);
    for (const { one } of stream) log.merge([one]);
    assert.deepEqual(seqs(log), all.map((one) => one.seq));
    assert.equal(log.contiguous_to, 40);
  }
});

test("what lies behind a gap does not move the place to go on from", () => {
  const log = new MessageLog();
  log.catch_up(page([message({ seq: 5 }), message({ seq: 6 })]));
  log.merge([message({ seq: 9 })]);
  assert.equal(log.contiguous_to, 6);
  log.merge([message({ seq: 7 })]);
  assert.equal(log.contiguous_to, 7);
  log.merge([message({ seq: 8 })]);
  assert.equal(log.contiguous_to, 9);
});

test("older pages come before, and do not move the place to go on from", () => {
  const log = new MessageLog();
  log.catch_up(page([message({ seq: 51 }), message({ seq: 52 })]));
  assert.equal(log.has_older, true);
  log.merge([message({ seq: 49 }), message({ seq: 50 })]);
  assert.deepEqual(seqs(log), [49, 50, 51, 52]);
  assert.equal(log.contiguous_to, 52);
});

test("an empty room goes on from nothing", () => {
  const log = new MessageLog();
  log.catch_up(page([], { rev: 3 }));
  assert.equal(log.contiguous_to, 0);
  assert.equal(log.rev, 3);
  assert.equal(log.has_older, false);
});

test("a stored message takes the place of the unsent one of the same name", () => {
  const log = new MessageLog();
  log.catch_up(page([]));
  log.add(unsent("a"));
  log.add(unsent("b"));
  log.merge([message({ seq: 1, client_msg_id: "a" })]);
  assert.deepEqual(log.unsent.map((one) => one.client_msg_id), ["b"]);
});

test("a failed message keeps its name when it is tried again", () => {
  const log = new MessageLog();
  log.add(unsent("a"));
  log.mark("a", { state: "failed", reason: "no" });
  log.mark("a", { state: "pending", reason: null });
  assert.deepEqual(log.unsent, [unsent("a")]);
  log.discard("a");
  assert.deepEqual(log.unsent, []);
});

test("an edit and a tombstone win over what came before, and a late page does not undo them", () => {
  const log = new MessageLog();
  const first = message({ seq: 1 });
  const edited = { ...first, content: "new", edited_at: "2026-01-01T00:00:01.000Z" };
  const deleted = { ...first, content: "", deleted_at: "2026-01-01T00:00:02.000Z" };
  log.catch_up(page([first]));
  log.change({ message: edited, rev: 1 });
  log.merge([first]);
  assert.equal(log.messages[0].content, "new");
  log.change({ message: deleted, rev: 2 });
  log.merge([edited]);
  assert.equal(log.messages[0].deleted_at, deleted.deleted_at);
  assert.equal(log.rev, 2);
});

test("a change of a message that is not held is left out", () => {
  const log = new MessageLog();
  log.catch_up(page([message({ seq: 51 })]));
  log.change({ message: message({ seq: 3, content: "x" }), rev: 1 });
  assert.deepEqual(seqs(log), [51]);
});

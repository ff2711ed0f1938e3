/** What goes out of a chat: in order, each line once, however often the server cannot take it. */

import assert from "node:assert/strict";
import test, { mock } from "node:test";

const storage = { getItem: () => null, setItem() {}, removeItem() {} };
Object.assign(globalThis, {
  document: Object.assign(new EventTarget(), { visibilityState: "visible", documentElement: { dataset: {} } }),
  location: { href: "http://meet.test/r/1" },
  localStorage: storage,
  sessionStorage: storage,
  // Node's would keep the process alive.
  BroadcastChannel: EventTarget,
  addEventListener() {},
});
const { Conversation } = await import("../../../frontend/static/js/conversation.js");
const { createRoomStore } = await import("../../../frontend/static/js/room-state.js");
const { SocketError } = await import("../../../frontend/static/js/socket.js");

mock.timers.enable({ apis: ["setTimeout", "Date"] });

/** Lets what waits for a promise go on. */
const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** A chat over a server that answers as told: an error to refuse with, `null` to store. */
function chat(answers) {
  const store = createRoomStore();
  const asked = [];
  const socket = {
    send() {},
    async request(frame) {
      asked.push(frame.content);
      const refusal = answers.shift() ?? null;
      if (refusal) throw refusal;
      const { content, client_msg_id, reply_to } = frame;
      const id = asked.length;
      return {
        message: { id, room_id: 1, seq: id, rev: 0, user_id: 1, content, client_msg_id, reply_to, created_at: "" },
      };
    },
  };
  store.set({ me: { id: 1 }, room: { id: 1, last_seq: 0, unread: 0 }, caught_up: true });
  return { conversation: new Conversation(store, socket), log: store.get().log, asked };
}

async function later(ms) {
  mock.timers.tick(ms);
  await settle();
}

for (const code of ["unavailable", "overloaded", "storage_full", "timeout", "internal"]) {
  test(`after ${code} the same line is sent again, before the next`, async () => {
    const refusal = new SocketError(code, "not now", code === "overloaded" ? 7 : null);
    const { conversation, log, asked } = chat([refusal, refusal]);
    conversation.send("first");
    conversation.send("second");
    await settle();
    assert.deepEqual(asked, ["first"]);
    if (code === "overloaded") {
      await later(6_900);
      assert.deepEqual(asked, ["first"], "not before the server said");
    }
    for (let turn = 0; turn < 3; turn += 1) await later(20_000);
    assert.deepEqual(asked, ["first", "first", "first", "second"]);
    assert.deepEqual(log.unsent, []);
  });
}

test("what can never be stored fails with the server's words, and the next line goes out", async () => {
  const { conversation, log, asked } = chat([new SocketError("message_too_long", "too long")]);
  conversation.send("first");
  conversation.send("second");
  await settle();
  assert.deepEqual(asked, ["first", "second"]);
  assert.deepEqual(log.unsent.map(({ content, state, reason }) => [content, state, reason]), [["first", "failed", "too long"]]);
});

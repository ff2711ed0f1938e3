/** The search in a chat: what is asked for, and how a find is shown, near or far back. */

import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { message } from "./samples.mjs";
import "./bare-page.mjs";

const { ChatSearch } = await import("../../../frontend/static/js/chat-search.js");
const { createRoomStore } = await import("../../../frontend/static/js/room-state.js");
const { keepToken } = await import("../../../frontend/static/js/token.js");

mock.timers.enable({ apis: ["setTimeout"] });
keepToken("token", 86_400);

const settle = () => new Promise(setImmediate);

/** A chat of `last` messages whose newest fifty are loaded. */
function chat(last) {
  const store = createRoomStore();
  const asked = [];
  globalThis.fetch = async (path) => {
    const { searchParams } = new URL(path, "http://meet.test");
    asked.push(Object.fromEntries(searchParams));
    const before = Number(searchParams.get("before_seq") ?? last + 1);
    const limit = Number(searchParams.get("limit"));
    const all = Array.from({ length: last }, (_, at) => message({ seq: at + 1 }));
    const query = searchParams.get("query");
    const found = all.filter((one) => one.seq < before && (query === null || one.content.includes(query)));
    return new Response(JSON.stringify({ messages: found.slice(-limit), total: found.length }));
  };
  store.set({ me: { id: 1 }, room: { id: 7 } });
  store.get().log.merge(Array.from({ length: Math.min(50, last) }, (_, at) => message({ seq: last - at })));
  return { search: new ChatSearch(store), store, asked, now: () => store.get().search };
}

async function type(search, query) {
  search.type(query);
  mock.timers.tick(250);
  await settle();
}

test("too little is not searched for, and only what was typed last is", async () => {
  const { search, asked, now } = chat(100);
  search.open();
  await type(search, "l");
  assert.equal(now().phase, "short");
  search.type("li");
  search.type("line 7");
  mock.timers.tick(250);
  await settle();
  assert.deepEqual(asked, [{ query: "line 7", limit: "30" }]);
  assert.deepEqual(now().results.map((one) => one.seq), [79, 78, 77, 76, 75, 74, 73, 72, 71, 70, 7]);
  assert.equal(now().more, false);
});

test("an answer that comes late, to an older question, is not shown", async () => {
  const { search, now } = chat(100);
  search.open();
  const answer = globalThis.fetch;
  let release = () => {};
  const held = new Promise((resolve) => (release = resolve));
  globalThis.fetch = async (path) => {
    await held;
    return answer(path);
  };
  await type(search, "line 9");
  globalThis.fetch = answer;
  await type(search, "line 7");
  release();
  await settle();
  assert.equal(now().query, "line 7");
  assert.ok(now().results.every((one) => one.content.includes("line 7")));
});

test("older finds are asked for from the oldest one shown", async () => {
  const { search, asked, now } = chat(100);
  search.open();
  await type(search, "line");
  assert.equal(now().more, true);
  search.more();
  await settle();
  assert.deepEqual(asked[1], { query: "line", limit: "30", before_seq: "71" });
  assert.equal(now().results.length, 60);
});

test("a near find is shown in the chat, without a gap before it", async () => {
  const { search, store } = chat(600);
  search.open();
  await search.show(message({ seq: 100 }));
  assert.equal(store.get().search, null);
  assert.equal(store.get().found_seq, 100);
  const { messages } = store.get().log;
  assert.ok(Number(messages[0]?.seq) <= 92);
  assert.equal(messages.length, 600 - Number(messages[0]?.seq) + 1);
});

test("a find far back is shown by itself, with what stood around it", async () => {
  const { search, store, now } = chat(5_000);
  search.open();
  await search.show(message({ seq: 100 }));
  assert.equal(store.get().log.messages.length, 50);
  assert.equal(now().around.seq, 100);
  assert.deepEqual([now().around.messages.at(0).seq, now().around.messages.at(-1).seq], [92, 108]);
  search.back();
  assert.equal(now().around, null);
});

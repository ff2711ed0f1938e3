import assert from "node:assert/strict";
import test from "node:test";

import { createListing } from "../../../frontend/static/js/listing.js";
import { createNames } from "../../../frontend/static/js/names.js";

/** A server with so many things, and a listing of them by pages of two. */
function shelf(count) {
  const things = Array.from({ length: count }, (_, at) => ({ id: at + 1, name: `thing ${at + 1}` }));
  const asked = [];
  const server = { things, asked, fails: false };
  const listing = createListing({
    page: async ({ skip, query }) => {
      asked.push({ skip, query });
      if (server.fails) throw new Error("away");
      return server.things.filter((one) => one.name.includes(query)).slice(skip, skip + 2);
    },
    size: 2,
    key: (one) => one.id,
  });
  return { server, listing, ids: () => listing.store.get().items.map((one) => one.id) };
}

test("a list comes page by page until there is no more", async () => {
  const { listing, ids } = shelf(5);
  assert.equal(listing.store.get().phase, "loading");
  await listing.load();
  assert.deepEqual([ids(), listing.store.get().more], [[1, 2], true]);
  await listing.load_more();
  await listing.load_more();
  assert.deepEqual([ids(), listing.store.get().more], [[1, 2, 3, 4, 5], false]);
});

test("what was dropped or put here leaves no gap and comes no second time", async () => {
  const { server, listing, ids } = shelf(4);
  await listing.load();
  server.things.splice(0, 1);
  listing.drop({ id: 1 });
  server.things.push({ id: 9, name: "thing 9" });
  listing.put({ id: 9, name: "thing 9" });
  listing.put({ id: 2, name: "other" });
  assert.deepEqual(ids(), [9, 2]);
  await listing.load_more();
  await listing.load_more();
  assert.deepEqual(ids(), [9, 2, 3, 4]);
  assert.equal(listing.store.get().items[1].name, "other");
});

test("a list that is not there says why, and a page that is not there leaves the others", async () => {
  const { server, listing, ids } = shelf(4);
  server.fails = true;
  await listing.load();
  assert.deepEqual([listing.store.get().phase, listing.store.get().error.message], ["failed", "away"]);
  server.fails = false;
  await listing.load();
  server.fails = true;
  await listing.load_more();
  const { phase, more, error } = listing.store.get();
  assert.deepEqual([phase, more, error.message, ids()], ["ready", true, "away", [1, 2]]);
});

test("a late answer to an older question is not shown", async () => {
  /** @type {((items: object[]) => void)[]} */
  const answers = [];
  const listing = createListing({ page: () => new Promise((answer) => answers.push(answer)), size: 2, key: (one) => one.id });
  const first = listing.load();
  const second = listing.load();
  answers[1]([{ id: 2 }]);
  await second;
  answers[0]([{ id: 1 }]);
  await first;
  assert.deepEqual(listing.store.get().items, [{ id: 2 }]);
});

test("names are asked for once each, a few at a time, and a number stays where nobody is known", async () => {
  const asked = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  let came = 0;
  const ask = async (kind, id) => {
    assert.equal(kind, "user");
    asked.push(id);
    await new Promise((go) => waiting.push(go));
    if (id === 2) throw new Error("deleted");
    return `person ${id}`;
  };
  const names = createNames(ask, () => (came += 1));
  for (let id = 1; id <= 6; id += 1) for (const _ of [1, 2]) assert.equal(names.of("user", id), null);
  assert.deepEqual(asked, [1, 2, 3, 4]);
  while (waiting.length > 0) {
    waiting.splice(0).forEach((go) => go());
    await new Promise(setImmediate);
  }
  assert.deepEqual([asked, came], [[1, 2, 3, 4, 5, 6], 5]);
  assert.deepEqual([names.of("user", 1), names.of("user", 2), names.of("user", 6)], ["person 1", null, "person 6"]);
  assert.deepEqual(asked.length, 6);
});

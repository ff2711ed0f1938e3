/** The socket's own life, without a network: what it asks for after a loss, and how it notices one. */

import assert from "node:assert/strict";
import test, { afterEach, mock } from "node:test";

/** @type {FakeSocket[]} */
let made = [];

class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  readyState = 1;
  /** @type {any[]} */
  sent = [];

  constructor(address, protocols) {
    super();
    this.address = String(address);
    this.protocols = protocols;
    made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  /** The server says something. */
  hear(frame) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  /** The connection ends. */
  end(code) {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }

  /** The last frame of a type that was sent. */
  last(type) {
    return this.sent.findLast((frame) => frame.type === type);
  }
}

Object.assign(globalThis, {
  WebSocket: FakeSocket,
  location: { href: "http://meet.test/r/1" },
  document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
  addEventListener() {},
});
const { Socket } = await import("../../../frontend/static/js/socket.js");

mock.timers.enable({ apis: ["setTimeout", "Date"] });
mock.method(Math, "random", () => 0.999);
/** @type {(() => void) | null} */
let stop = null;
afterEach(() => {
  stop?.();
  made = [];
});

/** Lets what waits for a promise go on. */
const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

async function opened() {
  const states = [];
  const frames = [];
  let tickets = 0;
  const socket = new Socket({
    ticket: async () => `t${++tickets}`,
    on_frame: (frame) => frames.push(frame),
    on_state: (state) => states.push(state.phase),
    on_no_ticket: () => 0,
  });
  stop = () => socket.stop();
  socket.start();
  await settle();
  welcome();
  return { socket, states, frames };
}

function welcome() {
  made.at(-1).hear({ type: "welcome", session_id: "s", user_id: 1, heartbeat_s: 20 });
}

async function reopened() {
  mock.timers.tick(30_000);
  await settle();
  welcome();
}

const subscribed = (id, more) => ({
  type: "subscribed",
  id,
  room_id: 1,
  last_seq: 0,
  rev: 0,
  participants: [],
  messages: [],
  changed: [],
  truncated: false,
  ...more,
});

/** Follows a room as the room page does: on from the last message received. */
function follow(socket) {
  const seen = { seq: null, caught_up: 0, refused: [] };
  socket.follow({
    room_id: 1,
    from: () => (seen.seq === null ? { status: "in_call" } : { after_seq: seen.seq, after_rev: 0, status: "in_call" }),
    page: (frame) => {
      seen.seq = frame.messages.at(-1)?.seq ?? seen.seq ?? 0;
    },
    caught_up: () => {
      seen.caught_up += 1;
    },
    refused: (error) => seen.refused.push(error.code),
  });
  return seen;
}

test("a ticket goes into the subprotocols, never into the address", async () => {
  await opened();
  assert.equal(made[0].address, "ws://meet.test/api/ws");
  assert.deepEqual(made[0].protocols, ["cloudmeet.v1", "ticket.t1"]);
});

test("a truncated answer is followed by the next page, until nothing is missing", async () => {
  const { socket } = await opened();
  const seen = follow(socket);
  const wire = made[0];
  wire.hear(subscribed(wire.last("subscribe").id, { messages: [{ seq: 200 }], truncated: true }));
  await settle();
  assert.equal(seen.caught_up, 0);
  assert.equal(wire.last("subscribe").after_seq, 200);
  wire.hear(subscribed(wire.last("subscribe").id, { messages: [{ seq: 260 }] }));
  await settle();
  assert.equal(seen.caught_up, 1);
});

test("after a loss a new ticket is taken and each room is taken up where it was left", async () => {
  const { socket, states } = await opened();
  const seen = follow(socket);
  made[0].hear(subscribed(made[0].last("subscribe").id, { messages: [{ seq: 41 }] }));
  socket.watch_rooms();
  await settle();
  made[0].end(1006);
  assert.equal(states.at(-1), "waiting");
  await reopened();
  assert.deepEqual(made[1].protocols, ["cloudmeet.v1", "ticket.t2"]);
  const { after_seq, status } = made[1].last("subscribe");
  assert.deepEqual({ after_seq, status }, { after_seq: 41, status: "in_call" });
  assert.ok(made[1].last("watch_rooms"));
  made[1].hear(subscribed(made[1].last("subscribe").id));
  await settle();
  assert.equal(seen.caught_up, 2);
});

test("an answer of the old connection does not count on the new one", async () => {
  const { socket } = await opened();
  const seen = follow(socket);
  const { id } = made[0].last("subscribe");
  made[0].end(1012);
  await reopened();
  made[0].hear(subscribed(id));
  await settle();
  assert.equal(seen.caught_up, 0);
});

test("a request whose connection is lost says so", async () => {
  const { socket } = await opened();
  const asked = socket.request({ type: "send" });
  made[0].end(1006);
  await assert.rejects(asked, { code: "disconnected" });
  await assert.rejects(socket.request({ type: "send" }), { code: "disconnected" });
});

test("a refusal carries its code, its words and when to try again", async () => {
  const { socket } = await opened();
  const asked = socket.request({ type: "send" });
  made[0].hear({ type: "error", id: made[0].last("send").id, code: "rate_limited", detail: "slow", retry_after: 3 });
  await assert.rejects(asked, { code: "rate_limited", detail: "slow", retry_after_s: 3 });
});

test("silence is asked about, and a missing answer is a loss", async () => {
  const { states } = await opened();
  mock.timers.tick(12_000);
  assert.ok(made[0].last("ping"));
  made[0].hear({ type: "pong" });
  mock.timers.tick(5_000);
  assert.equal(states.at(-1), "open");
  mock.timers.tick(7_000);
  mock.timers.tick(5_000);
  assert.equal(states.at(-1), "waiting");
});

test("a loss soon after the last one waits longer, a steady connection begins anew", async () => {
  const { socket } = await opened();
  const wait = () => socket.state.retry_at_ms - Date.now();
  made[0].end(1006);
  const first = wait();
  await reopened();
  made[1].end(1006);
  assert.ok(wait() > first * 1.5);
  await reopened();
  mock.timers.tick(6_000);
  made[2].end(1006);
  assert.equal(wait(), first);
});

test("who was told to be quieter waits at least ten seconds", async () => {
  const { socket } = await opened();
  made[0].end(4429);
  assert.ok(socket.state.retry_at_ms - Date.now() >= 10_000);
});

test("nothing comes back after stopping", async () => {
  const { socket } = await opened();
  socket.stop();
  mock.timers.tick(60_000);
  await settle();
  assert.equal(made.length, 1);
});

test("a ticket that comes after stopping opens nothing, also when it was started again meanwhile", async () => {
  /** @type {((ticket: string) => void)[]} */
  const tickets = [];
  const socket = new Socket({
    ticket: () => new Promise((resolve) => tickets.push(resolve)),
    on_frame() {},
    on_state() {},
    on_no_ticket: () => 0,
  });
  stop = () => socket.stop();
  socket.start();
  socket.stop();
  socket.start();
  for (const [at, give] of tickets.entries()) give(`t${at}`);
  await settle();
  assert.deepEqual(made.map((wire) => wire.protocols[1]), ["ticket.t1"]);
});

test("stopped while it connects, a socket is closed once it is open", async () => {
  const { socket } = await opened();
  const [first] = made;
  first.readyState = FakeSocket.CONNECTING;
  socket.stop();
  assert.equal(first.readyState, FakeSocket.CONNECTING);
  first.readyState = FakeSocket.OPEN;
  first.dispatchEvent(new Event("open"));
  assert.equal(first.readyState, 3);
});

import assert from "node:assert/strict";
import test from "node:test";

import {
  NEW_ROOM,
  createBody,
  fromLocal,
  lacksPassword,
  patchBody,
  toLocal,
  valuesOf,
} from "../../../frontend/static/js/room-values.js";

const room = {
  name: "Weekly",
  description: "Mondays",
  visibility: "public",
  capacity: 50,
  lobby: false,
  slug: null,
  opens_at: "2026-01-01T10:00:30.000Z",
  closes_at: null,
};

test("a new room asks only for what is not so anyway", () => {
  assert.deepEqual(createBody({ ...NEW_ROOM, name: " Weekly " }), { name: "Weekly" });
  const whole = { ...NEW_ROOM, name: "W", description: "About", visibility: "password", password: "open sesame", capacity: "12", lobby: true, slug: "weekly" };
  assert.deepEqual(createBody(whole), {
    name: "W",
    description: "About",
    visibility: "password",
    password: "open sesame",
    capacity: 12,
    lobby: true,
    slug: "weekly",
  });
});

test("an unchanged form changes nothing, seconds that it cannot show included", () => {
  assert.deepEqual(patchBody(room, valuesOf(room)), {});
});

test("what is emptied is removed, and what is changed is sent", () => {
  const after = { ...valuesOf(room), description: " ", opens: "", slug: "weekly", lobby: true };
  assert.deepEqual(patchBody(room, after), { description: null, opens_at: null, slug: "weekly", lobby: true });
  assert.deepEqual(patchBody({ ...room, slug: "weekly" }, { ...valuesOf(room), slug: "" }), { slug: null });
});

test("a password goes along only where the room asks for one", () => {
  assert.deepEqual(patchBody(room, { ...valuesOf(room), password: "left over" }), {});
  const secret = { ...room, visibility: "password" };
  assert.deepEqual(patchBody(secret, { ...valuesOf(secret), password: "another one" }), { password: "another one" });
  assert.equal(lacksPassword(secret, valuesOf(secret)), false);
  assert.equal(lacksPassword(room, { ...valuesOf(room), visibility: "password" }), true);
  assert.equal(lacksPassword(null, { ...NEW_ROOM, visibility: "password", password: "x" }), false);
});

test("times go to the form's own zone and back", () => {
  const at = "2026-07-01T22:30:00.000Z";
  assert.match(toLocal(at), /^2026-07-0[12]T\d\d:\d\d$/);
  assert.equal(fromLocal(toLocal(at)), at);
  assert.equal(toLocal(null), "");
  assert.equal(fromLocal(""), null);
});

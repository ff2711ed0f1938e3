import assert from "node:assert/strict";
import test from "node:test";

import { ADMIN_VIEWS, adminPath, adminViewOf, codeOfHash, readRoomLink, roomLink, roomOfAddress, safeNext, splitLinks } from "../../../frontend/static/js/links.js";

const links = (content) => splitLinks(content).filter((part) => part.href !== null).map((part) => part.text);

test("http and https become links, and nothing else does", () => {
  assert.deepEqual(links("see https://example.org/a and HTTP://b.org"), ["https://example.org/a", "HTTP://b.org"]);
  for (const text of ["javascript:alert(1)", "data:text/html,x", "example.org", "ftp://a.org", "https://", "xhttps://a.org"]) {
    assert.deepEqual(links(text), [], text);
  }
});

test("a sentence's punctuation and brackets stay outside", () => {
  assert.deepEqual(links("(https://a.org/b)."), ["https://a.org/b"]);
  assert.deepEqual(links("https://a.org/b_(c)!"), ["https://a.org/b_(c)"]);
  assert.deepEqual(links("Siehe „https://a.org“, https://b.org?"), ["https://a.org“".slice(0, -1), "https://b.org"]);
});

test("no character of the text is lost", () => {
  const text = "a https://a.org/?q=1&r=%20#x b\nhttp://c.d, e";
  assert.equal(splitLinks(text).map((part) => part.text).join(""), text);
});

test("a room is read from a pasted address, path, id or slug", () => {
  const host = "meet.example.org";
  for (const pasted of ["12", " /r/12 ", "http://meet.example.org/r/12", "meet.example.org/r/12", "/room.html?id=12"]) {
    assert.deepEqual(readRoomLink(pasted, host), { room: "12", code: null }, pasted);
  }
  assert.deepEqual(readRoomLink("https://meet.example.org/r/weekly-planning", host), { room: "weekly-planning", code: null });
  assert.deepEqual(readRoomLink("https://other.org/r/12", host), { problem: "foreign" });
  assert.deepEqual(readRoomLink("  ", host), { problem: "empty" });
  for (const pasted of ["https://meet.example.org/rooms", "/r/..%2f", "javascript:1", "two words"]) {
    assert.deepEqual(readRoomLink(pasted, host), { problem: "unreadable" }, pasted);
  }
});

test("the copied link leads to its room", () => {
  const link = new URL(roomLink({ id: 3, slug: null }, "http://a.org"));
  assert.equal(link.href, "http://a.org/r/3");
  assert.equal(roomOfAddress(link.pathname, ""), "3");
  assert.equal(roomLink({ id: 3, slug: "weekly" }, "http://a.org"), "http://a.org/r/weekly");
});

test("signing in returns only to pages of this server", () => {
  const origin = "http://a.org";
  assert.equal(safeNext("/r/5?x=1", origin), "/r/5?x=1");
  for (const next of [null, "", "//evil.org", "/\\evil.org", "/\t/evil.org", "http://evil.org/", "javascript:1", "/", "/?next=/"]) {
    assert.equal(safeNext(next, origin), "/rooms.html", String(next));
  }
});

test("the link code of a private room stays in the fragment, from the copied link to the room's page", () => {
  const link = roomLink({ id: 3, slug: "weekly" }, "http://a.org", "Ab-9_x");
  assert.equal(link, "http://a.org/r/weekly#code=Ab-9_x");
  assert.deepEqual(readRoomLink(link, "a.org"), { room: "weekly", code: "Ab-9_x" });
  assert.equal(codeOfHash("#code=Ab-9_x"), "Ab-9_x");
  for (const hash of ["", "#", "#m-12", "#code=", "#code=a%20b", "#code=<b>"]) assert.equal(codeOfHash(hash), null, hash);
});

test("signing in keeps the link code, and only for a room", () => {
  const origin = "http://a.org";
  assert.equal(safeNext("/r/weekly", origin, "#code=abc"), "/r/weekly#code=abc");
  assert.equal(safeNext("/room.html?id=3", origin, "#code=abc"), "/room.html?id=3#code=abc");
  assert.equal(safeNext("/rooms.html", origin, "#code=abc"), "/rooms.html");
  assert.equal(safeNext("/r/weekly", origin, "#elsewhere"), "/r/weekly");
});

test("a view of the administration is named by its address, and the first where none is", () => {
  for (const view of ADMIN_VIEWS) assert.equal(adminViewOf(adminPath(view)), view);
  for (const path of ["/admin", "/admin/", "/admin.html", "/admin/nothing", "/admin/keys/1"]) assert.equal(adminViewOf(path), "users", path);
  assert.equal(safeNext("/admin/activity", "https://meet.test"), "/admin/activity");
});

/** What the pages promise by their sources: who may fetch, what is never used, what is loaded ahead. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const FRONTEND = join(dirname(fileURLToPath(import.meta.url)), "../../../frontend");
const read = (path) => readFileSync(join(FRONTEND, path), "utf8");
const modules = readdirSync(join(FRONTEND, "static/js"));
const pages = readdirSync(FRONTEND).filter((name) => name.endsWith(".html"));

const withoutComments = (source) => source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");

test("only api.js fetches and only socket.js opens sockets", () => {
  for (const name of modules) {
    const source = withoutComments(read(`static/js/${name}`));
    assert.equal(/\bfetch\(|XMLHttpRequest|EventSource|sendBeacon/.test(source), name === "api.js", name);
    assert.equal(/new WebSocket\(/.test(source), name === "socket.js", name);
  }
});

test("no markup is made of strings, nothing is inline, nothing asks in a box of the browser's", () => {
  for (const name of modules) {
    const source = withoutComments(read(`static/js/${name}`));
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\balert\(|\bconfirm\(|\bprompt\(|\beval\(/, name);
  }
  for (const name of pages) assert.doesNotMatch(read(name), /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)/, name);
  for (const name of readdirSync(join(FRONTEND, "static/css"))) {
    assert.doesNotMatch(read(`static/css/${name}`), /!important|data-demo/, name);
  }
});

test("every page loads all its modules ahead, and no others", () => {
  for (const name of pages) {
    const html = read(name);
    const entry = /<script type="module" src="\/static\/__BUILD__\/js\/([a-z-]+\.js)"/.exec(html)?.[1];
    const ahead = [...html.matchAll(/<link rel="modulepreload" href="\/static\/__BUILD__\/js\/([a-z-]+\.js)"/g)];
    assert.deepEqual(ahead.map((match) => match[1]).sort(), [...reachable(entry)].filter((one) => one !== entry).sort(), name);
  }
});

/** The modules that a module needs, itself included. */
function reachable(entry, found = new Set()) {
  if (found.has(entry)) return found;
  found.add(entry);
  const source = withoutComments(read(`static/js/${entry}`));
  for (const match of source.matchAll(/from "(\.\/[a-z-]+\.js)"/g)) reachable(posix.normalize(match[1]), found);
  return found;
}

test("every icon that is drawn is in the sprite", () => {
  const sprite = new Set([...read("static/icons.svg").matchAll(/<symbol id="([a-z-]+)"/g)].map((match) => match[1]));
  for (const name of modules) {
    for (const match of read(`static/js/${name}`).matchAll(/\b(?:icon\(|symbol: )"([a-z-]+)"/g)) {
      assert.ok(sprite.has(match[1]), `${name} draws ${match[1]}`);
    }
  }
});

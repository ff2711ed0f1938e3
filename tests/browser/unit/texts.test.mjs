import assert from "node:assert/strict";
import test from "node:test";

import { fill } from "../../../frontend/static/js/strings.js";
import { TEXTS } from "../../../frontend/static/js/texts.js";

const LANGUAGES = ["en", "ru"];
const forms = (text) => (typeof text === "string" ? [text] : Object.values(text));
const placeholders = (form) => [...form.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

test("every text is there in every language, with the same placeholders in every form", () => {
  for (const [key, text] of Object.entries(TEXTS)) {
    assert.deepEqual(Object.keys(text).sort(), LANGUAGES, key);
    const wanted = placeholders(forms(text.en)[0]);
    for (const language of LANGUAGES) {
      for (const form of forms(text[language])) {
        assert.notEqual(form.trim(), "", key);
        assert.deepEqual(placeholders(form), wanted, `${key} in ${language}: ${form}`);
      }
    }
  }
});

test("a text with plural forms has all that its language needs", () => {
  for (const [key, text] of Object.entries(TEXTS)) {
    for (const language of LANGUAGES) {
      assert.equal(typeof text[language], typeof text.en, `${key} is plural in one language only`);
      if (typeof text[language] === "string") continue;
      const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      assert.deepEqual(Object.keys(text[language]).sort(), [...needed].sort(), `${key} in ${language}`);
    }
  }
});

test("plural forms follow the language", () => {
  const say = (n) => fill(TEXTS["chat.new"].ru, "ru", { n });
  assert.deepEqual([1, 3, 5, 21, 22].map(say), [
    "1 новое сообщение",
    "3 новых сообщения",
    "5 новых сообщений",
    "21 новое сообщение",
    "22 новых сообщения",
  ]);
  assert.equal(fill(TEXTS["signin.wait"].en, "en", { n: 1 }), "Try again in 1 second.");
});

import assert from "node:assert/strict";
import test from "node:test";

import { deedDetail, deedName, resultName } from "../../../frontend/static/js/deed-words.js";

test("a deed and a refusal are said in words, and what is not known keeps the server's word", () => {
  assert.deepEqual(["grant_admin", "kick", "dance"].map(deedName), ["Made an administrator", "Removed", "dance"]);
  assert.deepEqual(["wrong_password", "rainy"].map(resultName), ["wrong password", "rainy"]);
});

test("of changed settings the fields' names are said", () => {
  assert.equal(deedDetail("change_room", "name, lobby, colour"), "Name, Lobby, colour");
  assert.equal(deedDetail("create_api_key", "operator"), "operator");
  assert.equal(deedDetail("kick", null), null);
});

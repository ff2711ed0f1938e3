import assert from "node:assert/strict";
import test from "node:test";

import { moment, ordinal } from "../../../frontend/static/js/format.js";

test("a place in a row has its English ending", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 103].map(ordinal), [
    "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "103rd",
  ]);
});

test("a moment is said as short as it is clear", () => {
  const now = new Date(2026, 0, 5, 12, 0);
  const at = (...parts) => new Date(...parts).toISOString();
  assert.equal(moment(at(2026, 0, 5, 18, 30), now), "18:30");
  assert.equal(moment(at(2026, 0, 8, 10, 0), now), "Thu 10:00");
  assert.match(moment(at(2026, 1, 20, 10, 0), now), /^20 February(,| at) 10:00$/);
  assert.match(moment(at(2027, 1, 20, 10, 0), now), /^20 February 2027(,| at) 10:00$/);
});

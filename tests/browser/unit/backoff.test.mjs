import assert from "node:assert/strict";
import test from "node:test";

import { RECONNECT, delay_ms, seconds_left } from "../../../frontend/static/js/backoff.js";

test("the wait is anywhere below a ceiling that doubles up to a cap", () => {
  assert.equal(delay_ms(0, () => 0.999_999), 1_000);
  assert.equal(delay_ms(3, () => 0.5), 4_000);
  assert.equal(delay_ms(1_000, () => 0.999_999_9), RECONNECT.cap_ms);
});

test("the wait is never nothing", () => {
  assert.equal(delay_ms(5, () => 0), RECONNECT.floor_ms);
});

test("seconds are whole and never zero", () => {
  assert.equal(seconds_left(10_000, 7_900), 3);
  assert.equal(seconds_left(10_000, 12_000), 1);
});

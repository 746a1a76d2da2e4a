import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./line.ts";

const GOOD = { roundTripMs: 40, longestTripMs: 90, lostPct: 0, downKbitS: 8_000, upKbitS: 2_000 };

test("a line is good, weak or bad by its worst figure", () => {
  assert.equal(judge(GOOD), "good");
  assert.equal(judge({ ...GOOD, upKbitS: 300 }), "weak");
  assert.equal(judge({ ...GOOD, longestTripMs: 1_600 }), "weak");
  assert.equal(judge({ ...GOOD, lostPct: 8 }), "weak");
  assert.equal(judge({ ...GOOD, lostPct: 25 }), "bad");
  assert.equal(judge({ ...GOOD, upKbitS: 0 }), "bad");
  assert.equal(judge({ ...GOOD, roundTripMs: 2_000 }), "bad");
});

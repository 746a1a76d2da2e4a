import assert from "node:assert/strict";
import { test } from "node:test";
import { isRight, LENGTH_MS, middleOf, NAMES, resultsOf, SCRIPT } from "./script.ts";

test("the script fits its ten minutes and its wall, and holds violations, look-alikes and things no detector sees", () => {
  assert.ok(SCRIPT.every(({ at, lasts, place }) => at + lasts < LENGTH_MS && place < NAMES.length));
  assert.equal(new Set(SCRIPT.map(({ id }) => id)).size, SCRIPT.length);
  assert.ok(SCRIPT.some(({ isViolation, hasAlert }) => isViolation && !hasAlert));
  assert.ok(SCRIPT.filter(({ isViolation }) => !isViolation).length >= 5);
  assert.ok(SCRIPT.every(({ isViolation, hasAlert }) => isViolation || hasAlert), "nobody must find what is nothing");
});

test("what was found, missed and wrongly judged is told apart, and the last ruling counts", () => {
  const [violation, lookAlike] = [SCRIPT.find(({ id }) => id === 1), SCRIPT.find(({ id }) => id === 2)];
  assert.ok(violation?.isViolation && lookAlike && !lookAlike.isViolation);
  const judge = (...rulings: { planted: number; is: "confirmed" | "dismissed"; at: number }[]) =>
    new Map(resultsOf(SCRIPT, rulings, LENGTH_MS).map(({ planted, outcome }) => [planted.id, outcome]));
  assert.equal(judge().get(1), "missed");
  assert.equal(judge().get(2), "left_open");
  assert.equal(judge({ planted: 1, is: "dismissed", at: 20_000 }).get(1), "wrongly_dismissed");
  assert.equal(judge({ planted: 1, is: "dismissed", at: 20_000 }, { planted: 1, is: "confirmed", at: 22_000 }).get(1), "found");
  assert.equal(judge({ planted: 2, is: "confirmed", at: 50_000 }).get(2), "wrongly_confirmed");
  assert.equal(judge({ planted: 2, is: "dismissed", at: 50_000 }).get(2), "rightly_dismissed");
  assert.equal(judge({ planted: 5, is: "confirmed", at: 160_000 }).get(5), "noticed");
});

test("what has not happened yet is not held against anybody", () => {
  assert.deepEqual(resultsOf(SCRIPT, [], 16_000).map(({ planted }) => planted.id), [1]);
});

test("speed is the middle ruling from the beginning of what it ruled on", () => {
  const results = resultsOf(SCRIPT, [{ planted: 1, is: "confirmed", at: 25_000 }, { planted: 2, is: "dismissed", at: 49_000 }, { planted: 3, is: "confirmed", at: 110_000 }], LENGTH_MS);
  assert.equal(middleOf(results), 10_000);
  assert.equal(middleOf([]), null);
  assert.equal(results.filter(({ outcome }) => isRight(outcome)).length, 3);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromField, proposedStart, toField } from "./clock.ts";

const proposed = (now: string): string => toField(proposedStart(fromField(now) ?? Number.NaN, 4));

test("a sitting is proposed for the next full hours of a working day at +05:00, never for the night", () => {
  // 2026-11-23 is a Monday.
  assert.equal(proposed("2026-11-23T10:20"), "2026-11-23T12:00");
  assert.equal(proposed("2026-11-23T12:00"), "2026-11-23T13:00");
  assert.equal(proposed("2026-11-23T05:10"), "2026-11-23T09:00");
  assert.equal(proposed("2026-11-23T07:30"), "2026-11-23T09:00");
  assert.equal(proposed("2026-11-23T13:01"), "2026-11-24T09:00");
  assert.equal(proposed("2026-11-23T22:30"), "2026-11-24T09:00");
  assert.equal(proposed("2026-11-27T23:30"), "2026-11-30T09:00");
  assert.equal(proposed("2026-11-28T10:00"), "2026-11-30T09:00");
  assert.equal(proposed("2026-11-29T23:59"), "2026-11-30T09:00");
});

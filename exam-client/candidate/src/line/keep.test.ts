import assert from "node:assert/strict";
import { test } from "node:test";
import { hasRoom, KEPT_PIECES } from "./keep.ts";

const MIB = 1024 * 1024;
const pieces = (count: number, bytes: number): { bytes: number }[] => Array.from({ length: count }, () => ({ bytes }));

test("a device keeps at most 120 pieces and 32 MiB of an exam", () => {
  assert.equal(KEPT_PIECES, 120);
  assert(hasRoom(pieces(119, 1), 1));
  assert(!hasRoom(pieces(120, 1), 1));
  assert(hasRoom(pieces(31, MIB), MIB));
  assert(!hasRoom(pieces(31, MIB), MIB + 1));
  assert(!hasRoom([], 33 * MIB), "one that is too large by itself");
});

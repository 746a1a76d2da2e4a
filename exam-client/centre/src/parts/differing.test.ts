import assert from "node:assert/strict";
import { test } from "node:test";
import { differing } from "./differing.ts";

test("only what two people wrote differently is shown, and a space at an end is no difference", () => {
  const field = (key: string, stored: string, typed: string) => ({ key, name: key, stored, typed });
  const rows = differing([field("same", "a", "a"), field("space", "a", "a "), field("other", "a", "b"), field("emptied", "a", ""), field("none", "", "")]);
  assert.deepEqual(rows.map((row) => row.key), ["other", "emptied"]);
});

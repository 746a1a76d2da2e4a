import assert from "node:assert/strict";
import { test } from "node:test";
import { readDisplay } from "./display.ts";

test("what is kept of the display is read as far as it means something", () => {
  const usual = { size: 100, theme: "system", contrast: false, aloud: false };
  for (const odd of [null, "", "{", "null", "[]", '{"size":7,"theme":"pink","contrast":"yes","aloud":1}']) assert.deepEqual(readDisplay(odd), usual, `${odd}`);
  const kept = { size: 150, theme: "dark", contrast: true, aloud: true };
  assert.deepEqual(readDisplay(JSON.stringify(kept)), kept);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, parseRgb } from "./contrast.ts";

test("contrast is what WCAG's own examples say", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast([7, 7, 7], [7, 7, 7]), 1);
  // #767676 on white is the lightest grey that text may have.
  assert.equal(contrast([118, 118, 118], [255, 255, 255]).toFixed(2), "4.54");
});

test("colours are read as browsers write them", () => {
  assert.deepEqual(parseRgb("rgb(11, 92, 173)"), [11, 92, 173]);
  assert.deepEqual(parseRgb("rgba(0, 0, 0, 0.7)"), [0, 0, 0]);
  assert.deepEqual(parseRgb("rgb(15 18 22 / 62%)"), [15, 18, 22]);
  assert.equal(parseRgb("oklch(0.5 0.1 200)"), null);
});

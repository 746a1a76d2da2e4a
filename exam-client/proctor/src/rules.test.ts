import assert from "node:assert/strict";
import { test } from "node:test";
import { LIVE_TILES_MAX, columnsFor, consequenceOf, liveTiles, neighbour, queueOf, reconnectWait, waitsForIdentity } from "./rules.ts";
import type { Tile } from "../../shared/src/wire/Tile.ts";

const tile = (change: Partial<Tile>): Tile => ({
  session: "s", place: 0, name: "n", version: 1, stage: "running", step: "exam", online: true, media_step: "full", online_changed_at: null,
  video: true, audio: true, deadline: null, answered: 0, total: 40, warnings: 0, open_incidents: 0, ruled_incidents: 0, trouble: "none", rank: 0,
  trouble_since: null, trouble_code: null, end_reason: null, still: 0, ...change,
});

test("the first violation is a warning", () => {
  assert.equal(consequenceOf({ stage: "running", warnings: 0, warningEffectiveAt: null }, 10), "warning");
});

test("a violation that began before the warning took effect has no consequence", () => {
  assert.equal(consequenceOf({ stage: "running", warnings: 1, warningEffectiveAt: 100 }, 99), "none");
  assert.equal(consequenceOf({ stage: "running", warnings: 1, warningEffectiveAt: null }, 1_000), "none");
});

test("a violation that began when the warning was in effect ends the exam", () => {
  assert.equal(consequenceOf({ stage: "running", warnings: 1, warningEffectiveAt: 100 }, 100), "termination");
});

test("nothing follows after the end", () => {
  assert.equal(consequenceOf({ stage: "closed", warnings: 0, warningEffectiveAt: null }, 10), "none");
});

test("the queue is sorted by urgency, then by waiting time, and holds no calm tile", () => {
  const queue = queueOf([
    tile({ session: "calm" }),
    tile({ session: "warned", trouble: "warned", rank: 1 }),
    tile({ session: "late", trouble: "help", rank: 50, trouble_since: 20 }),
    tile({ session: "early", trouble: "help", rank: 50, trouble_since: 10 }),
    tile({ session: "incident", trouble: "incident", rank: 90, trouble_since: 30 }),
  ]);
  assert.deepEqual(queue.map((one) => one.session), ["incident", "early", "late"]);
});

test("photos wait until somebody has ruled on them, whatever else is more urgent", () => {
  const preparing = tile({ stage: "preparing", step: "identity", trouble: "help", rank: 5 });
  const line = (kind: string, seq: number) => ({ seq, at: seq, kind, by: null, what: null });
  assert.equal(waitsForIdentity({ tile: preparing, timeline: [line("help_asked", 9), line("identity_submitted", 8)] }), true);
  assert.equal(waitsForIdentity({ tile: preparing, timeline: [line("identity_asked_again", 9), line("identity_submitted", 8)] }), false);
  assert.equal(waitsForIdentity({ tile: preparing, timeline: [line("admitted", 9), line("identity_submitted", 8)] }), false);
  assert.equal(waitsForIdentity({ tile: tile({ trouble: "identity" }), timeline: [] }), false);
});

test("live pictures go to the tiles in view: looked at, then trouble, then those that are live already", () => {
  const place = (n: number, more: Partial<Tile> = {}): Tile => tile({ session: `s${n}`, place: n, video: true, ...more });
  const many = Array.from({ length: 20 }, (_, n) => place(n));
  const all = new Set(many.map(({ session }) => session));
  const none = new Set<string>();
  assert.deepEqual(liveTiles(many, all, none, null), [], "nothing moves that nobody asked for");
  assert.deepEqual(liveTiles(many, all, none, "s19"), ["s19"]);
  const troubled = [...many];
  troubled[17] = place(17, { trouble: "incident", rank: 80 });
  troubled[18] = place(18, { trouble: "help", rank: 70 });
  assert.deepEqual(liveTiles(troubled, all, none, null), ["s17", "s18"]);
  assert.deepEqual(liveTiles(troubled, new Set(["s18", "s3"]), none, null), ["s18"], "nothing out of view");
  const loud = many.map((_, index) => place(index, { trouble: "help", rank: 70 }));
  assert.equal(liveTiles(loud, all, none, null).length, LIVE_TILES_MAX);
  const live = new Set(loud.slice(-LIVE_TILES_MAX).map(({ session }) => session));
  assert.deepEqual(new Set(liveTiles(loud, all, live, null)), live, "a live picture is not given up for another like it");
  const few = many.slice(0, LIVE_TILES_MAX);
  assert.equal(liveTiles(few, all, none, null).length, few.length, "few are all live");
  assert.deepEqual(liveTiles([place(0, { video: false })], all, none, null), []);
});

test("waiting before a reconnect grows, is bounded and spread", () => {
  assert.equal(reconnectWait(0, 0), 250);
  assert.equal(reconnectWait(0, 1), 500);
  assert.equal(reconnectWait(100, 1), 10_000);
});

test("arrows stop at the edges", () => {
  assert.equal(neighbour(0, "ArrowLeft", 5, 7), 0);
  assert.equal(neighbour(1, "ArrowDown", 5, 7), 6);
  assert.equal(neighbour(2, "ArrowDown", 5, 7), 2);
  assert.equal(neighbour(3, "End", 5, 7), 6);
});

test("the wall has at least two and at most eight columns", () => {
  assert.equal(columnsFor(320, 700, 24), 2);
  assert.equal(columnsFor(1440, 900, 24), 6);
  assert.equal(columnsFor(2560, 1440, 60), 8);
  assert.equal(columnsFor(1440, 900, 1), 3);
});

test("few candidates are shown as large as the height allows", () => {
  assert.equal(columnsFor(1440, 900, 6), 3);
  assert.equal(columnsFor(1440, 560, 6), 6);
  assert.equal(columnsFor(1920, 1080, 12), 6);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { IncidentView } from "../../shared/src/wire/IncidentView.ts";
import type { Tile } from "../../shared/src/wire/Tile.ts";
import { alertsOf, currentOf, lookedAtPct, stepFrom, USUAL_RULING_MS, workLeftMs } from "./triage.ts";

const incident = (no: number, code: string, began_at: number, ended_at: number | null = null): IncidentView => ({
  no, code, class: "human", source: "model", began_at, ended_at, status: "open", by: null, consequence: null, note: null, finding: null, explanation: null,
});

const tile = (session: string, open: IncidentView[], change: Partial<Tile> = {}): Tile => ({
  session, place: 0, name: session, version: 1, stage: "running", step: "exam", online: true, media_step: "full", online_changed_at: null,
  video: true, audio: true, deadline: null, answered: 0, total: 40, warnings: 0, open_incidents: open.length, ruled_incidents: 0, trouble: "incident", rank: 80,
  trouble_since: null, trouble_code: null, end_reason: null, still: 0, open, ...change,
});

test("incidents of one candidate and one code are one alert, oldest first", () => {
  const [alert, ...rest] = alertsOf([tile("a", [incident(1, "NO_FACE", 10), incident(2, "NO_FACE", 50)])]);
  assert.equal(rest.length, 0);
  assert.deepEqual(alert?.incidents.map(({ no }) => no), [1, 2]);
});

test("a person or a thing at hand comes before what goes by signs, the longest wait first, ended exams last", () => {
  const alerts = alertsOf([
    tile("late", [incident(1, "SOUND_HEARD", 30)]),
    tile("early", [incident(1, "SOUND_HEARD", 20)]),
    tile("ended", [incident(1, "SECOND_PERSON", 1)], { stage: "closed" }),
    tile("phone", [incident(1, "FORBIDDEN_ITEM", 90)]),
  ]);
  assert.deepEqual(alerts.map(({ tile: { session } }) => session), ["phone", "early", "late", "ended"]);
});

test("each alert says what confirming it would do", () => {
  const warned = tile("w", [incident(1, "NO_FACE", 50)], { warnings: 1, warning_effective_at: 40 });
  const before = tile("b", [incident(1, "NO_FACE", 30)], { warnings: 1, warning_effective_at: 40 });
  assert.deepEqual(alertsOf([tile("f", [incident(1, "NO_FACE", 1)]), warned, before]).map(({ consequence }) => consequence).sort(), ["none", "termination", "warning"]);
});

test("what is looked at is not taken away by a graver alert, and what was put off comes back", () => {
  const first = alertsOf([tile("a", [incident(1, "SOUND_HEARD", 1)])]);
  const both = alertsOf([tile("a", [incident(1, "SOUND_HEARD", 1)]), tile("b", [incident(1, "SECOND_PERSON", 5)])]);
  const chosen = first[0]?.key ?? "";
  assert.equal(currentOf(both, chosen, new Map(), 10)?.tile.session, "a");
  assert.equal(currentOf(both, chosen, new Map([[chosen, 100]]), 10)?.tile.session, "b");
  assert.equal(currentOf(first, chosen, new Map([[chosen, 100]]), 10), null, "nothing is up while all is put off");
  assert.equal(currentOf(first, null, new Map([[chosen, 100]]), 100)?.tile.session, "a");
});

test("the next alert stops at the ends of the list", () => {
  const both = alertsOf([tile("a", [incident(1, "NO_FACE", 1)]), tile("b", [incident(1, "NO_FACE", 5)])]);
  const [a, b] = both;
  assert.equal(stepFrom(both, a ?? null, 1)?.key, b?.key);
  assert.equal(stepFrom(both, b ?? null, 1)?.key, b?.key);
  assert.equal(stepFrom(both, a ?? null, -1)?.key, a?.key);
  assert.equal(stepFrom([], null, 1), null);
});

test("the share of alerts looked at counts rulings and open ones that were seen here", () => {
  assert.equal(lookedAtPct([tile("a", [])], new Set()), null);
  const tiles = [tile("a", [incident(3, "NO_FACE", 1)], { ruled_incidents: 2 }), tile("b", [incident(1, "NO_FACE", 1)])];
  assert.equal(lookedAtPct(tiles, new Set()), 50);
  assert.equal(lookedAtPct(tiles, new Set(["a#3"])), 75);
});

test("work left is what is open by the middle ruling of this page", () => {
  assert.equal(workLeftMs(3, []), 3 * USUAL_RULING_MS);
  assert.equal(workLeftMs(2, [8_000, 10_000, 600_000]), 20_000);
  assert.equal(workLeftMs(2, [1]), 8_000, "nobody rules faster than they can look");
});

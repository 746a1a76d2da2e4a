import assert from "node:assert/strict";
import { test } from "node:test";
import type { IncidentView } from "../wire/IncidentView.ts";
import type { PlaybackPart } from "../wire/PlaybackPart.ts";
import type { PlaybackView } from "../wire/PlaybackView.ts";
import { gapAt, isIncident, isLocal, markBeside, marksOf, nextRecorded, partAt, place } from "./playback.ts";

const part = (name: string, at: number, ms: number): PlaybackPart => ({ name, at, ms, url: `/${name}`, pictured: true, unfinished: false });
const incident = { no: 1, code: "OTHER", class: "human", source: "proctor", began_at: 4_000, ended_at: null, status: "open", by: null, consequence: null, note: null } as IncidentView;
const event = (seq: number, at: number, kind: string) => ({ seq, at, kind, by: null, what: null });
const view: PlaybackView = {
  session: "s", from: 1_000, to: 11_000, live: false, until: 0,
  tracks: [{ kind: "webcam", parts: [part("a", 1_000, 4_000), part("b", 7_000, 4_000)] }],
  gaps: [{ from: 5_000, to: 7_000, why: "broken" }],
  events: [event(1, 500, "session_created"), event(2, 1_000, "started"), event(3, 3_000, "photo_stored"), event(4, 4_000, "incident_opened"), event(5, 5_100, "disconnected")],
  incidents: [incident],
};
const [track] = view.tracks;

test("each moment has its recording, and a gap has none", () => {
  assert.ok(track);
  const names = [999, 1_000, 4_999, 5_000, 6_999, 7_000, 10_999, 11_000].map((at) => partAt(track, at)?.name ?? null);
  assert.deepEqual(names, [null, "a", "a", null, null, "b", "b", null]);
  assert.deepEqual([4_999, 5_000, 6_999, 7_000].map((at) => gapAt(view, at)?.why ?? null), [null, "broken", "broken", null]);
  assert.equal(nextRecorded(view.tracks, 5_500), 7_000);
  assert.equal(nextRecorded(view.tracks, 8_000), null);
});

test("what the device recorded is seen where the server heard the sound alone", () => {
  const heard = { ...part("webcam-0002.webm", 3_000, 9_000), pictured: false };
  const pieces = { kind: "webcam", parts: [part("local-0001.webm", 2_000, 4_000), heard] };
  assert.deepEqual([2_500, 4_000, 7_000].map((at) => partAt(pieces, at)?.name), ["local-0001.webm", "local-0001.webm", "webcam-0002.webm"]);
  assert.deepEqual(pieces.parts.map(isLocal), [true, false]);
});

test("marks are incidents and what is notable, within the line and in order", () => {
  const kinds = (all: boolean) => marksOf(view, all).map((mark) => (isIncident(mark) ? mark.incident.code : mark.event.kind));
  assert.deepEqual(kinds(false), ["started", "OTHER", "disconnected"]);
  assert.deepEqual(kinds(true), ["started", "photo_stored", "OTHER", "disconnected"]);
});

test("one goes from mark to mark in both directions", () => {
  const marks = marksOf(view, false);
  assert.equal(markBeside(marks, 1_000, 1)?.at, 4_000);
  assert.equal(markBeside(marks, 4_000, -1)?.at, 1_000);
  assert.equal(markBeside(marks, 1_000, -1), null);
  assert.equal(markBeside(marks, 9_000, 1), null);
});

test("places are shares of the line", () => {
  assert.deepEqual([0, 1_000, 6_000, 11_000, 20_000].map((at) => place(view, at)), [0, 0, 50, 100, 100]);
});

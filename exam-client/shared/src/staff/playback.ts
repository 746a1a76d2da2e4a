// Recordings along one line of time. Pure: what plays at a moment, where nothing does, what there is to jump to.
import type { IncidentView } from "../wire/IncidentView.ts";
import type { PlaybackGap } from "../wire/PlaybackGap.ts";
import type { PlaybackPart } from "../wire/PlaybackPart.ts";
import type { PlaybackTrack } from "../wire/PlaybackTrack.ts";
import type { PlaybackView } from "../wire/PlaybackView.ts";
import type { TimelineEntry } from "../wire/TimelineEntry.ts";

/** As fast as browsers play without dropping the picture. */
export const RATES = [1, 2, 4, 8] as const;

/** Something to jump to. */
export type Mark = { at: number; incident: IncidentView } | { at: number; event: TimelineEntry };

/** What stands beside incidents: the rest of the log is a switch away. */
const NOTABLE = ["started", "disconnected", "connected", "media_changed", "evidence_gap", "violation_counted", "warning_displayed", "paused", "resumed", "help_asked", "message_sent", "end_proposed", "closed"];
/** Told by the incident itself. */
const OF_INCIDENTS = ["incident_opened", "incident_seen", "incident_ended", "incident_recorded", "detector_reported"];

export const isIncident = (mark: Mark): mark is { at: number; incident: IncidentView } => "incident" in mark;

function last<T>(list: readonly T[], holds: (entry: T) => boolean): T | null {
  for (let index = list.length - 1; index >= 0; index -= 1) {
    const entry = list[index];
    if (entry !== undefined && holds(entry)) return entry;
  }
  return null;
}

/** The mark that was passed last. */
export function markOf(marks: readonly Mark[], at: number): Mark | null {
  return last(marks, (mark) => mark.at <= at + AT_MARK_MS);
}

/** The recording that holds this moment: one with a picture before sound alone, the newer one where two overlap. */
export function partAt(track: PlaybackTrack, at: number): PlaybackPart | null {
  const holds = (part: PlaybackPart): boolean => part.at <= at && at < part.at + part.ms;
  return last(track.parts, (part) => part.pictured && holds(part)) ?? last(track.parts, holds);
}

/** Recorded by the candidate's device while nothing reached the server. */
export const isLocal = (part: PlaybackPart): boolean => part.name.startsWith("local-");

/** Where the next recording begins after this moment. */
export function nextRecorded(tracks: readonly PlaybackTrack[], at: number): number | null {
  const later = tracks.flatMap((track) => track.parts).filter((part) => part.at > at).map((part) => part.at);
  return later.length > 0 ? Math.min(...later) : null;
}

/** The gap of this moment. */
export function gapAt(view: PlaybackView, at: number): PlaybackGap | null {
  return view.gaps.find((gap) => gap.from <= at && at < gap.to) ?? null;
}

/** Marks in order of time; `all`: every line of the log, not the notable ones alone. */
export function marksOf(view: PlaybackView, all: boolean): Mark[] {
  const events = view.events.filter((event) => !OF_INCIDENTS.includes(event.kind) && (all || NOTABLE.includes(event.kind)));
  const marks: Mark[] = [...view.incidents.map((incident) => ({ at: incident.began_at, incident })), ...events.map((event) => ({ at: event.at, event }))];
  return marks.filter((mark) => mark.at >= view.from && mark.at <= view.to).sort((a, b) => a.at - b.at);
}

/** Half a second: a mark just jumped to is neither before nor after. */
const AT_MARK_MS = 500;

/** The next mark in that direction. */
export function markBeside(marks: readonly Mark[], at: number, direction: 1 | -1): Mark | null {
  if (direction > 0) return marks.find((mark) => mark.at > at + AT_MARK_MS) ?? null;
  return last(marks, (mark) => mark.at < at - AT_MARK_MS);
}

/** Share of the line before a moment, per cent. */
export function place(view: PlaybackView, at: number): number {
  return view.to <= view.from ? 0 : Math.min(100, Math.max(0, ((at - view.from) / (view.to - view.from)) * 100));
}

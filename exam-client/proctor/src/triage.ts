// The queue of incidents that wait for a person: merged, ranked, and how much work they are. Pure.
import type { IncidentView } from "../../shared/src/wire/IncidentView.ts";
import type { Tile } from "../../shared/src/wire/Tile.ts";
import { consequenceOf, type Consequence } from "./rules.ts";

/** Incidents of one candidate and one code: one look judges them. */
export interface Alert {
  readonly key: string;
  readonly tile: Tile;
  readonly code: string;
  /** Oldest first, at least one. */
  readonly incidents: readonly [IncidentView, ...IncidentView[]];
  readonly consequence: Consequence;
}

/** Another person or a thing at hand may be gone in a moment; what goes by signs alone can wait. */
const WEIGHTS: Readonly<Record<string, number>> = {
  IMPERSONATION: 4, FACE_MISMATCH: 4, SECOND_PERSON: 3, FORBIDDEN_ITEM: 3, REMOTE_CONTROL: 3, SECOND_CONNECTION: 3,
  LEFT_PLACE: 2, SPEECH_OTHER: 2, CAMERA_COVERED: 2, CAMERA_CHANGED: 2, CAMERA_FROZEN: 2, NO_FACE: 2, PROCTOR_ORDER_IGNORED: 2,
};
const LEAST_WEIGHT = 1;

const weightOf = (alert: Alert): number => {
  const goesOn = alert.incidents.some(({ ended_at }) => ended_at === null);
  // An exam that is over can wait for those that go on.
  return (alert.tile.stage === "closed" ? 0 : 10) + (WEIGHTS[alert.code] ?? LEAST_WEIGHT) * 2 + (goesOn ? 1 : 0);
};

export const alertKey = (session: string, code: string): string => `${session}/${code}`;

/** All open incidents of the sitting, merged by candidate and code, the most pressing first. */
export function alertsOf(tiles: readonly Tile[]): Alert[] {
  const alerts = tiles.flatMap((tile) => {
    const byCode = new Map<string, IncidentView[]>();
    for (const incident of tile.open ?? []) byCode.set(incident.code, [...(byCode.get(incident.code) ?? []), incident]);
    return [...byCode].flatMap(([code, [first, ...rest]]): Alert[] => {
      if (!first) return [];
      const standing = { stage: tile.stage, warnings: tile.warnings, warningEffectiveAt: tile.warning_effective_at ?? null };
      return [{ key: alertKey(tile.session, code), tile, code, incidents: [first, ...rest], consequence: consequenceOf(standing, first.began_at) }];
    });
  });
  return alerts.sort((a, b) => weightOf(b) - weightOf(a) || a.incidents[0].began_at - b.incidents[0].began_at || a.tile.place - b.tile.place);
}

/** The alert to look at: the one chosen as long as it waits, else the first that nobody put off. */
export function currentOf(alerts: readonly Alert[], chosen: string | null, snoozed: ReadonlyMap<string, number>, now: number): Alert | null {
  const isUp = (alert: Alert): boolean => (snoozed.get(alert.key) ?? 0) <= now;
  const held = alerts.find((alert) => alert.key === chosen && isUp(alert));
  return held ?? alerts.find(isUp) ?? null;
}

/** The alert `steps` further in the list, stopping at its ends. */
export function stepFrom(alerts: readonly Alert[], current: Alert | null, steps: number): Alert | null {
  const at = alerts.findIndex((alert) => alert.key === current?.key);
  return alerts[Math.max(0, Math.min(alerts.length - 1, at + steps))] ?? null;
}

/** Share of alerts that a person has looked at, in percent, that the centre aims for. */
export const LOOKED_AT_TARGET_PCT = 95;

/** Of all alerts so far: ruled on, or open and looked at here. Nothing while there was none. */
export function lookedAtPct(tiles: readonly Pick<Tile, "session" | "ruled_incidents" | "open">[], looked: ReadonlySet<string>): number | null {
  let all = 0;
  let seen = 0;
  for (const tile of tiles) {
    all += tile.ruled_incidents + (tile.open?.length ?? 0);
    seen += tile.ruled_incidents + (tile.open ?? []).filter(({ no }) => looked.has(`${tile.session}#${no}`)).length;
  }
  return all === 0 ? null : Math.floor((seen * 100) / all);
}

/** One look and ruling before anything was measured. */
export const USUAL_RULING_MS = 20_000;
const SHORTEST_MS = 4_000;
const LONGEST_MS = 120_000;

/** What the open alerts will take, by the middle one of this page's own rulings. */
export function workLeftMs(alerts: number, took: readonly number[]): number {
  const sorted = [...took].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? USUAL_RULING_MS;
  return alerts * Math.max(SHORTEST_MS, Math.min(LONGEST_MS, middle));
}

// What the wall shows, as pure functions: the server decides, this only words it before the button is pressed.
import type { Detail } from "../../shared/src/wire/Detail.ts";
import type { IncidentView } from "../../shared/src/wire/IncidentView.ts";
import type { Stage } from "../../shared/src/wire/Stage.ts";
import type { Tile } from "../../shared/src/wire/Tile.ts";

/** What confirming a violation does (NB-20). */
export type Consequence = "warning" | "termination" | "none";

/** What is known of the candidate when a violation is about to be confirmed. */
export interface Standing {
  stage: Stage;
  warnings: number;
  warningEffectiveAt: number | null;
}

/** What a violation that began at `beganAt` would do now. Only one that began after the warning took effect ends the exam. */
export function consequenceOf(standing: Standing, beganAt: number): Consequence {
  if (standing.stage === "closed") return "none";
  if (standing.warnings === 0) return "warning";
  return standing.warningEffectiveAt !== null && beganAt >= standing.warningEffectiveAt ? "termination" : "none";
}

/** How loud a tile is. */
export type Tone = "calm" | "attention" | "critical";

const CRITICAL: readonly string[] = ["incident", "end_proposal"];
/** What is left over after the end has a lower rank: nobody waits for it. */
const LEAST_RANK = 2;
const CALM: readonly string[] = ["none", "warned"];

/** Critical: a ruling is due that may warn or end. Attention: somebody waits or something is missing. */
export function toneOf(tile: Pick<Tile, "trouble" | "rank">): Tone {
  if (CRITICAL.includes(tile.trouble)) return "critical";
  return tile.rank >= LEAST_RANK && !CALM.includes(tile.trouble) ? "attention" : "calm";
}

/** The queue: most urgent first, then whoever has waited longest. Calm tiles are not in it. */
export function queueOf(tiles: readonly Tile[]): Tile[] {
  return tiles
    .filter((tile) => toneOf(tile) !== "calm")
    .sort(
      (a, b) =>
        b.rank - a.rank || (a.trouble_since ?? Infinity) - (b.trouble_since ?? Infinity) || a.place - b.place,
    );
}

/** Incidents that wait for a person, the one begun first on top. */
export function awaitingPerson(incidents: readonly IncidentView[]): IncidentView[] {
  return incidents
    .filter((incident) => incident.class === "human" && incident.status === "open")
    .sort((a, b) => a.began_at - b.began_at || a.no - b.no);
}

const IDENTITY_KINDS: readonly string[] = ["identity_submitted", "identity_asked_again", "admitted"];

/** The photos were sent and nobody has ruled on them; the trouble shown may be another, more urgent one. */
export function waitsForIdentity(detail: Pick<Detail, "tile" | "timeline">): boolean {
  if (detail.tile.stage !== "preparing") return false;
  if (detail.tile.trouble === "identity") return true;
  const newest = detail.timeline.find((entry) => IDENTITY_KINDS.includes(entry.kind));
  return newest?.kind === "identity_submitted";
}

/** So many live pictures at once: each is decoded by the proctor's machine. */
export const LIVE_TILES_MAX = 8;

const LOUDNESS: Readonly<Record<Tone, number>> = { critical: 2, attention: 1, calm: 0 };

/**
 * Whose picture is live: of the tiles in view with a camera the one looked at, then the loudest, then those that are
 * live already, so that pictures do not come and go, then by place. All others show stills. On a wall of so few that all
 * may be live all are; on a larger one nothing moves that nobody asked for.
 */
export function liveTiles(
  tiles: readonly Pick<Tile, "session" | "video" | "trouble" | "rank" | "place">[],
  inView: ReadonlySet<string>,
  live: ReadonlySet<string>,
  lookedAt: string | null,
): string[] {
  const weight = (tile: (typeof tiles)[number]): number =>
    (tile.session === lookedAt ? 8 : 0) + LOUDNESS[toneOf(tile)] * 2 + (live.has(tile.session) ? 1 : 0);
  const isFew = tiles.length <= LIVE_TILES_MAX;
  const isAskedFor = (tile: (typeof tiles)[number]): boolean => isFew || tile.session === lookedAt || toneOf(tile) !== "calm";
  return tiles
    .filter((tile) => tile.video && inView.has(tile.session) && isAskedFor(tile))
    .sort((a, b) => weight(b) - weight(a) || a.place - b.place)
    .slice(0, LIVE_TILES_MAX)
    .map((tile) => tile.session);
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** How long to wait before attempt number `attempt` (from 0); `chance` in 0..1 spreads a whole shift's browsers. */
export function reconnectWait(attempt: number, chance: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 8));
  return Math.round(longest * (0.5 + chance / 2));
}

/** The column beside the wall: wide enough to judge a clip from two metres, never narrower than its words. */
const queueOfWidth = (width: number): number => Math.max(300, Math.min(432, width * 0.208));
const TILE_PX = 190;
const FEWEST_COLUMNS = 3;
const MOST_COLUMNS = 8;
/** Below a picture of 4:3: two lines of the name, two of facts, the gap. */
const CAPTION_PX = 100;
/** The lines above the wall and its own edges. */
const HEAD_PX = 125;

/** Columns of the wall: as few, and so as large, as all tiles fit the height with; kept while a candidate is open. */
export function columnsFor(width: number, height: number, tiles: number): number {
  if (width < 900) return Math.max(2, Math.min(4, Math.floor(width / 160)));
  const room = width - queueOfWidth(width);
  const most = Math.max(FEWEST_COLUMNS, Math.min(MOST_COLUMNS, Math.floor(room / TILE_PX)));
  for (let columns = FEWEST_COLUMNS; columns < most; columns++) {
    const rows = Math.ceil(tiles / columns);
    if (rows * ((room / columns) * 0.75 + CAPTION_PX) <= height - HEAD_PX) return columns;
  }
  return most;
}

/** The tile `key` leads to from `index`; the same one at an edge. */
export function neighbour(index: number, key: string, columns: number, count: number): number {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -index,
    End: count - 1 - index,
  };
  const next = index + (steps[key] ?? 0);
  return next >= 0 && next < count ? next : index;
}

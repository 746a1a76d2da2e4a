// The ladder between full video and signals only, as a pure rule: no DOM, no clock of its own. Answers come first at
// every step; going down is quick, going up is careful, and what failed once is tried later the next time.
import type { MediaStep } from "../../../shared/src/wire/MediaStep.ts";
import type { StepWhy } from "../../../shared/src/wire/StepWhy.ts";

/** From most to least. */
const STEPS: readonly MediaStep[] = ["full", "small", "stills", "signals"];

/** What a second of the line looked like; null: not known. */
export interface Sample {
  /** The exam's own connection is there */
  readonly socket: boolean;
  /** Sound and picture have a way to the server that answers */
  readonly live: boolean;
  /** What the browser's congestion control allows, bits per second */
  readonly outgoing: number | null;
  readonly rttMs: number | null;
  /** Lost of what was sent, 0 to 1 */
  readonly loss: number | null;
  /** Age of the oldest answer that is still on its way */
  readonly answerMs: number;
  /** How long the newest still took; Infinity when it failed */
  readonly stillMs: number | null;
}

export interface Ladder {
  readonly step: MediaStep;
  readonly why: StepWhy;
  /** Since when the line has been too weak for this step, or good enough for the next one; or has had no way */
  readonly badSince: number | null;
  readonly goodSince: number | null;
  readonly lostSince: number | null;
  /** When the last step up was; a fall soon after makes the next try wait longer */
  readonly upAt: number;
  readonly patience: number;
}

export const BOTTOM_UP: Ladder = { step: "full", why: "recovered", badSince: null, goodSince: null, lostSince: null, upAt: -Infinity, patience: 1 };

/** Longer than a burst, shorter than a person's patience with a page. */
const DOWN_MS = 4_000;
const NO_PATH_MS = 3_000;
/** Times the patience. */
const UP_MS: Readonly<Record<MediaStep, number>> = { full: 0, small: 8_000, stills: 8_000, signals: 10_000 };
/** A fall within this after a step up says that the step was wrong. */
const TRIED_MS = 20_000;
const PATIENCE_MAX = 8;

/** An answer that waits this long on a living connection waits for the video. */
const ANSWER_LATE_MS = 3_000;
const ANSWER_FINE_MS = 1_000;
/** Beyond these the step cannot be held: half of the video's own rate, and what makes a talk impossible. */
const LIMITS = {
  full: { outgoing: 160_000, rttMs: 1_500, loss: 0.1 },
  small: { outgoing: 50_000, rttMs: 3_000, loss: 0.25 },
} as const;
/** A still has to be there well before the next one. */
const STILL_LATE_MS = 4_500;
const STILL_FINE_MS = 2_000;
const FINE = { rttMs: 800, loss: 0.03 } as const;

/** The step after `sample`; another `step` than before means that it changed, `why` says why. */
export function climb(before: Ladder, sample: Sample, at: number): Ladder {
  // Nothing can be told or sent without the exam's connection: the step waits with everything else.
  if (!sample.socket) return { ...before, badSince: null, goodSince: null, lostSince: null };
  const waits = sample.answerMs > ANSWER_LATE_MS;
  const since = (held: number | null, holds: boolean): number | null => (holds ? (held ?? at) : null);
  const now: Ladder = {
    ...before,
    lostSince: since(before.lostSince, !sample.live),
    badSince: since(before.badSince, waits || isBad(before.step, sample)),
    goodSince: since(before.goodSince, isGood(before.step, sample)),
  };
  const lasted = (start: number | null, ms: number): boolean => start !== null && at - start >= ms;
  const withVideo = before.step === "full" || before.step === "small";
  if (withVideo && lasted(now.lostSince, NO_PATH_MS)) return moved(now, "stills", "no_path", at);
  if (lasted(now.badSince, DOWN_MS)) return moved(now, below(before.step), waits ? "answers_first" : "weak_line", at);
  // A way that was gone says nothing of what the line carries: no patience is asked for once it is back.
  const careful = before.why === "no_path" ? NO_PATH_MS : UP_MS[before.step] * now.patience;
  if (lasted(now.goodSince, careful)) return moved(now, above(before.step), "recovered", at);
  return now;
}

/** A still that takes less leaves room beside it. */
const STILL_FAST_MS = 1_500;

/** Whether what the device recorded may be brought now. A way that is gone for the video alone leaves the rest of the line
 *  to it, whatever the last step was for: through "signals" and back it is gone all the same. */
export function isFree({ step, lostSince }: Ladder, stillMs: number | null): boolean {
  return step === "full" || (step === "stills" && lostSince !== null && (stillMs ?? Infinity) < STILL_FAST_MS);
}

function isBad(step: MediaStep, { live, outgoing, rttMs, loss, stillMs }: Sample): boolean {
  if (step === "signals") return false;
  if (step === "stills") return (stillMs ?? 0) > STILL_LATE_MS;
  const limit = LIMITS[step];
  return live && ((outgoing ?? Infinity) < limit.outgoing || (rttMs ?? 0) > limit.rttMs || (loss ?? 0) > limit.loss);
}

function isGood(step: MediaStep, { live, rttMs, loss, answerMs, stillMs }: Sample): boolean {
  if (step === "full" || answerMs > ANSWER_FINE_MS) return false;
  if (step === "signals") return true;
  if (step === "stills") return live && stillMs !== null && stillMs < STILL_FINE_MS;
  return live && (rttMs ?? 0) < FINE.rttMs && (loss ?? 0) < FINE.loss;
}

function moved(now: Ladder, step: MediaStep, why: StepWhy, at: number): Ladder {
  const up = STEPS.indexOf(step) < STEPS.indexOf(now.step);
  if (step === now.step) return { ...now, badSince: null, goodSince: null };
  // Nor is a way that is gone a step up that failed.
  const failed = !up && why !== "no_path" && at - now.upAt < TRIED_MS;
  const patience = failed ? Math.min(PATIENCE_MAX, now.patience * 2) : up || why === "no_path" ? now.patience : 1;
  return { step, why, badSince: null, goodSince: null, lostSince: null, upAt: up ? at : now.upAt, patience };
}

const below = (step: MediaStep): MediaStep => STEPS[STEPS.indexOf(step) + 1] ?? step;
const above = (step: MediaStep): MediaStep => STEPS[STEPS.indexOf(step) - 1] ?? step;

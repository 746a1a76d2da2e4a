import type { TrialReport } from "../../../shared/src/wire/TrialReport.ts";

/** What the device check of a trial run finds; the rest of the note is what was practised. */
export type Facts = Omit<TrialReport, "practised" | "warned" | "reconnected">;

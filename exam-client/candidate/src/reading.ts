// What the session's state means for a screen. Pure, like session.ts.
import type { CandidateCommand } from "../../shared/src/wire/CandidateCommand.ts";
import type { SessionState } from "./session.ts";

export type Screen =
  | "connecting"
  | "queue"
  | "stopped"
  | "other_device"
  | "language"
  | "consent"
  | "device"
  | "photos"
  | "identity"
  | "texts"
  | "ready"
  | "exam"
  | "end";

/** The steps shown to the candidate, in order. */
export const STEPS = ["language", "consent", "device", "photos", "texts", "ready"] as const;

/** The language of the questions: readers of English sit the Russian paper. Null before it is chosen. */
export function paperLang(state: Pick<SessionState, "view">): "kk" | "ru" | null {
  const lang = state.view?.steps.lang ?? null;
  return lang === "en" ? "ru" : lang;
}

/** Server time as this device knows it. */
export function serverNow(state: Pick<SessionState, "offsetMs">, at: number): number {
  return at + state.offsetMs;
}

/** The server decides where the candidate stands; this only names it. */
export function screenOf(state: SessionState): Screen {
  const { view } = state;
  if (state.connection.is === "stopped" && view?.stage !== "closed") return "stopped";
  if (state.queue !== null && (!view || view.stage === "preparing")) return "queue";
  if (!view) return "connecting";
  if (view.stage === "closed") return "end";
  if (view.attach === "waiting") return "other_device";
  if (view.stage === "running" || view.stage === "paused") return "exam";
  const { steps } = view;
  if (!steps.lang) return "language";
  if (!steps.consent) return "consent";
  if (!steps.device_check) return "device";
  if (steps.identity === "missing" || steps.identity === "asked_again") return "photos";
  if (steps.identity === "submitted") return "identity";
  return steps.acknowledged.length < 4 ? "texts" : "ready";
}

/** Left on the clock; stands still while paused; null before the start. */
export function remainingMs(state: SessionState, at: number): number | null {
  const clock = state.view?.clock;
  if (!clock) return null;
  return Math.max(0, clock.paused ? clock.remaining_ms : clock.deadline - serverNow(state, at));
}

/** `sending` lasts a moment; then the answers are honestly only here. */
const SENDING_MS = 4_000;

export type Saving = { readonly is: "saved" } | { readonly is: "sending" } | { readonly is: "device"; readonly answers: number };

/** The line that tells the truth about saving. */
export function savingOf(state: SessionState, at: number): Saving {
  const pending = state.outbox.filter((p) => p.command.do === "answer");
  if (pending.length === 0) return { is: "saved" };
  const live = state.connection.is === "open" && at >= state.holdUntil;
  const fresh = pending.every((p) => serverNow(state, at) - p.client_at < SENDING_MS || (p.sentAt !== null && at - p.sentAt < SENDING_MS));
  if (live && fresh) return { is: "sending" };
  return { is: "device", answers: unsentAnswers(state) };
}

/** Chosen positions of a question: the newest this device knows. */
export function shownOf(state: SessionState, question: number): readonly number[] {
  for (let i = state.outbox.length - 1; i >= 0; i--) {
    const command = state.outbox[i]?.command;
    if (command?.do === "answer" && command.question === question) return command.shown;
  }
  const mark = state.view?.questions[question];
  const acked = state.acked[question];
  if (acked && acked.epoch === state.epoch && acked.client_seq > (mark?.client_seq ?? 0)) return acked.shown;
  return mark?.shown ?? [];
}

/** Whether the newest answer of a question waits for the server. */
export function isUnsaved(state: SessionState, question: number): boolean {
  return state.outbox.some((p) => p.command.do === "answer" && p.command.question === question);
}

export function flaggedOf(state: SessionState, question: number): boolean {
  for (let i = state.outbox.length - 1; i >= 0; i--) {
    const command = state.outbox[i]?.command;
    if (command?.do === "flag" && command.question === question) return command.on;
  }
  return state.view?.questions[question]?.flagged ?? false;
}

/** How the paper stands, for the hand-in dialog and the navigator. */
export function summaryOf(state: SessionState): { readonly total: number; readonly open: readonly number[]; readonly flagged: readonly number[] } {
  const all = (state.view?.questions ?? []).map((_, question) => question);
  return {
    total: all.length,
    open: all.filter((question) => shownOf(state, question).length === 0),
    flagged: all.filter((question) => flaggedOf(state, question)),
  };
}

/** Answers that have not reached the server, one per question. */
export function unsentAnswers(state: SessionState): number {
  return new Set(state.outbox.flatMap(({ command }) => (command.do === "answer" ? [command.question] : []))).size;
}

/** A command of that kind is on its way. */
export function isUnderWay(state: SessionState, kind: CandidateCommand["do"]): boolean {
  return state.outbox.some((p) => p.command.do === kind);
}

/** The hand-in was pressed; `sent` tells whether it can still be taken back. */
export function handInOf(state: SessionState): "none" | "kept" | "sent" {
  const pending = state.outbox.find((p) => p.command.do === "hand_in");
  if (!pending) return "none";
  return pending.sentAt === null && state.connection.is !== "open" ? "kept" : "sent";
}

/** The questions are covered by the warning: until the button, at the latest until the server's time. */
export function warningOpen(state: SessionState, at: number): boolean {
  const warning = state.view?.warning;
  if (!warning || warning.acknowledged || isUnderWay(state, "acknowledge_warning")) return false;
  if (state.view?.stage !== "running") return false;
  return warning.covered_until === null ? !warning.displayed : serverNow(state, at) < warning.covered_until;
}

/** Whose outage it is, as far as this page can know. Only the server's own is given back to the candidate. */
export type Outage = "server" | "device" | "unknown";

/** `online`: what the browser says of its own network; that there is one does not prove that it leads anywhere. */
export function outageOf(state: SessionState, online: boolean): Outage {
  const restarts = state.cutBecause === "shutting_down";
  if (restarts === !online) return "unknown";
  return restarts ? "server" : "device";
}

/** Long enough without a connection to say so; short cuts pass unseen. */
const CUT_SEEN_MS = 2_000;

/** The connection is gone for longer than a blink. */
export function isCut(state: SessionState, at: number): boolean {
  const { connection } = state;
  if (state.queue !== null) return false;
  if (connection.is === "connecting") return state.attempt > 1;
  return connection.is === "waiting" && (state.attempt > 1 || at - connection.since > CUT_SEEN_MS);
}

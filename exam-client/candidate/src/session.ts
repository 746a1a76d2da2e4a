// The candidate's session as a pure reducer: no DOM, no fetch, no clock, no chance of its own.
// `step` takes what happened, when (device milliseconds) and a number in [0, 1); it answers the new state and
// what to do. Everything a person decided waits in the outbox until the server's durable acknowledgement.
import type { CandidateCommand } from "../../shared/src/wire/CandidateCommand.ts";
import type { CandidateFrame } from "../../shared/src/wire/CandidateFrame.ts";
import type { CandidateServerFrame } from "../../shared/src/wire/CandidateServerFrame.ts";
import type { CandidateView } from "../../shared/src/wire/CandidateView.ts";
import type { Code } from "../../shared/src/wire/Code.ts";
import type { ItemView } from "../../shared/src/wire/ItemView.ts";
import type { Receipt } from "../../shared/src/wire/Receipt.ts";
import type { SignalPhase } from "../../shared/src/wire/SignalPhase.ts";
import { remainingMs, screenOf, serverNow } from "./reading.ts";

/** wire/limits.rs HEARTBEAT_MS */
const PING_EVERY_MS = 5_000;
/** wire/limits.rs SILENCE_MS */
const SILENCE_MS = 15_000;
/**
 * Full jitter below min(cap, base * 2^attempt): thousands of browsers come back after one cut. At the cap ten thousand are
 * 2,000 a second, which one server bears (PERFORMANCE.md), and none looks later than 5 s after a server is back.
 */
const RETRY_BASE_MS = 300;
const RETRY_CAP_MS = 5_000;
/** A command that is refused because the server is busy waits no longer than this, unless told. */
const BUSY_CAP_MS = 10_000;
/** A picture that falters at the very press of the button: within this it is pressed again, and nobody is told. */
const BEGIN_PATIENCE_MS = 10_000;
const BEGIN_AGAIN_MS = 500;
/** A command without an answer on a living socket is sent again; a repeated one yields the earlier receipt. */
const ANSWER_LATE_MS = 10_000;
/** A question is asked for again after this. */
const QUESTION_LATE_MS = 3_000;
/** Minutes before the end that are said aloud, once each. */
const SAID_ALOUD_MIN = [10, 5, 1] as const;
/** A paper that was not drawn is asked for again after this. */
const DRAW_LATE_MS = 10_000;
/** A place in the queue is asked for no more often. */
const QUEUE_ASK_MS = 1_000;
/** Copying is for the record only; one entry per half minute says enough. */
const SEEN_EVERY_MS = 30_000;

/** A command the server has not acknowledged. */
export interface Pending {
  readonly client_seq: number;
  readonly epoch: number;
  /** Server time as this device knew it when the person acted. */
  readonly client_at: number;
  readonly command: CandidateCommand;
  /** It survives a reload. */
  readonly stored: boolean;
  /** Device time of the last sending on this socket. */
  readonly sentAt: number | null;
}

/** `stopped` does not come back by itself; `code` says why. */
export type Connection =
  | { readonly is: "off" }
  | { readonly is: "connecting" }
  | { readonly is: "open"; readonly heardAt: number; readonly pingedAt: number; readonly welcomed: boolean }
  | { readonly is: "waiting"; readonly retryAt: number; readonly since: number }
  | { readonly is: "stopped"; readonly code: Code };

/** Something to tell the person in kind words. */
export interface Note {
  readonly id: number;
  readonly code: Code;
  readonly about: CandidateCommand["do"] | null;
}

/** Both halves of the draw as this browser saw them. */
export interface Draw {
  readonly commitment: string;
  readonly nonce: string;
}

/** What outlives a reload, outbox apart. */
export interface Kept {
  readonly view: CandidateView | null;
  readonly items: Readonly<Record<number, ItemView>>;
  readonly current: number;
  readonly epoch: number | null;
  readonly nextSeq: number;
  readonly offsetMs: number;
  readonly receipts: number;
  /** The newest receipt: it covers everything before it; none where an older version of this page kept the state. */
  readonly head?: Receipt | undefined;
  readonly draw: Draw | null;
  readonly drained: boolean;
}

export interface SessionState extends Kept {
  readonly connection: Connection;
  readonly attempt: number;
  readonly outbox: readonly Pending[];
  /** Acknowledged answers that the view does not show yet. */
  readonly acked: Readonly<Record<number, { readonly shown: readonly number[]; readonly client_seq: number; readonly epoch: number }>>;
  /** Nothing is sent before; the server said it is busy. */
  readonly holdUntil: number;
  readonly busyRow: number;
  readonly asked: Readonly<Record<number, number>>;
  /** All seats are taken: the place in the queue, 1 is next; null when the queue is full too. */
  readonly queue: { readonly position: number | null } | null;
  /** Device time of the last try to have the paper drawn. */
  readonly drawAskedAt: number | null;
  readonly pingN: number;
  readonly pingSentAt: number;
  readonly roundTripMs: number | null;
  /** Behaviours that go on now, by incident code, with the device time of their beginning. */
  readonly held: Readonly<Record<string, number>>;
  readonly seenAt: Readonly<Record<string, number>>;
  readonly lastRemainingMs: number | null;
  readonly notes: readonly Note[];
  readonly nextNote: number;
  /** Answers of an earlier binding that the server took as evidence; they are not receipts. */
  readonly keptAsEvidence: number;
  /** Another tab or device took over: this page comes back to hand over its answers, or stays and waits. */
  readonly superseded: "no" | "hands_over" | "waits";
  /** What the server said when it ended the connection that is missing now; null: nothing. */
  readonly cutBecause: Code | null;
}

export type SessionEvent =
  | { readonly on: "restored"; readonly kept: Kept | null; readonly outbox: readonly Pending[] }
  | { readonly on: "connect" }
  | { readonly on: "opened" }
  | { readonly on: "closed"; readonly code?: Code; readonly retryAfterMs?: number; readonly position?: number }
  | { readonly on: "online" }
  | { readonly on: "frame"; readonly frame: CandidateServerFrame }
  | { readonly on: "stored"; readonly epoch: number; readonly client_seq: number }
  | { readonly on: "tick" }
  | { readonly on: "command"; readonly command: CandidateCommand }
  | { readonly on: "ready"; readonly nonce: string }
  | { readonly on: "show"; readonly question: number }
  | { readonly on: "withdraw_hand_in" }
  | { readonly on: "signal"; readonly code: string; readonly phase: SignalPhase }
  | { readonly on: "dismiss"; readonly id: number };

export type Effect =
  | { readonly do: "connect" }
  | { readonly do: "disconnect" }
  | { readonly do: "send"; readonly frame: CandidateFrame }
  | { readonly do: "store"; readonly pending: Pending }
  | { readonly do: "forget"; readonly epoch: number; readonly client_seq: number }
  | { readonly do: "save" }
  | { readonly do: "say_minutes"; readonly minutes: number }
  /** Chance comes in as an event: `ready` with this browser's half of the draw. */
  | { readonly do: "make_nonce" }
  | { readonly do: "reload" };

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly Effect[];
}

export const EMPTY: SessionState = {
  view: null,
  items: {},
  current: 0,
  epoch: null,
  nextSeq: 1,
  offsetMs: 0,
  receipts: 0,
  draw: null,
  drained: false,
  connection: { is: "off" },
  attempt: 0,
  outbox: [],
  acked: {},
  holdUntil: 0,
  busyRow: 0,
  asked: {},
  queue: null,
  drawAskedAt: null,
  pingN: 0,
  pingSentAt: 0,
  roundTripMs: null,
  held: {},
  seenAt: {},
  lastRemainingMs: null,
  notes: [],
  nextNote: 1,
  keptAsEvidence: 0,
  superseded: "no",
  cutBecause: null,
};

/** The part of the state that is stored. */
export function keptOf(state: SessionState): Kept {
  const { view, items, current, epoch, nextSeq, offsetMs, receipts, head, draw, drained } = state;
  return { view, items, current, epoch, nextSeq, offsetMs, receipts, head, draw, drained };
}

/** Comes back by itself after these; after any other one a person has to do something. */
const PASSING: ReadonlySet<Code> = new Set<Code>(["busy", "store_unavailable", "shutting_down", "too_many_requests", "internal"]);
/** Ends the connection until the person acts. */
const FINAL: ReadonlySet<Code> = new Set<Code>(["credential_invalid", "link_invalid", "link_expired", "called_off", "other_device", "superseded_epoch"]);
/** The page sends these itself; nobody is told when one is refused. */
const QUIET: ReadonlySet<CandidateCommand["do"]> = new Set<CandidateCommand["do"]>(["signal", "prompt", "warning_displayed", "drained", "step_media", "keep_local", "ask_break", "withdraw_break", "return_from_break", "answer_gesture"]);
/** Said again under a new binding they would be said twice, or come too late to mean anything. */
const NOT_REISSUED: ReadonlySet<CandidateCommand["do"]> = new Set<CandidateCommand["do"]>(["signal", "prompt", "warning_displayed", "say", "call_proctor", "step_media", "keep_local"]);

/** The whole machine. */
export function step(before: SessionState, event: SessionEvent, at: number, chance: number): Step {
  const work = new Work(before, at, chance);
  work.take(event);
  work.settle();
  return work.done(before);
}

/** One step under way; local to `step`. */
class Work {
  readonly #effects: Effect[] = [];
  #s: SessionState;
  readonly #at: number;
  readonly #chance: number;

  constructor(state: SessionState, at: number, chance: number) {
    this.#s = state;
    this.#at = at;
    this.#chance = chance;
  }

  done(before: SessionState): Step {
    const [old, now] = [keptOf(before), keptOf(this.#s)];
    if ((Object.keys(now) as (keyof Kept)[]).some((key) => old[key] !== now[key])) this.#effects.push({ do: "save" });
    return { state: this.#s, effects: this.#effects };
  }

  take(event: SessionEvent): void {
    switch (event.on) {
      case "restored":
        return this.#restore(event.kept, event.outbox);
      case "connect":
        if (this.#s.superseded !== "no") this.#set({ superseded: "waits" });
        return this.#connect();
      case "opened":
        return this.#set({ queue: null, connection: { is: "open", heardAt: this.#at, pingedAt: this.#at, welcomed: false }, pingSentAt: 0 });
      case "closed":
        if (event.code === "exam_full_queue") return this.#queued(event.position ?? null, event.retryAfterMs ?? 0);
        return this.#closed(event.code, event.retryAfterMs ?? 0);
      case "online":
        if (this.#s.connection.is === "waiting") this.#connect();
        return;
      case "frame":
        return this.#frame(event.frame);
      case "stored":
        return this.#patch(event.epoch, event.client_seq, { stored: true });
      case "tick":
        return this.#tick();
      case "command":
        return this.#command(event.command);
      case "ready":
        this.#set({ draw: { nonce: event.nonce, commitment: this.#s.view?.draw_commitment ?? "" } });
        return this.#command({ do: "ready", nonce: event.nonce });
      case "show":
        return this.#set({ current: Math.max(0, Math.min(event.question, (this.#s.view?.questions.length ?? 1) - 1)) });
      case "withdraw_hand_in":
        for (const p of this.#s.outbox) if (p.command.do === "hand_in" && p.sentAt === null) this.#forget(p);
        return;
      case "signal":
        return this.#signal(event.code, event.phase);
      case "dismiss":
        return this.#set({ notes: this.#s.notes.filter((note) => note.id !== event.id) });
    }
  }

  /** After every event: questions that are missing, commands that may go, the last word after the end. */
  settle(): void {
    this.#drained();
    this.#leaveHandedOver();
    const { connection } = this.#s;
    if (connection.is !== "open" || !connection.welcomed) return;
    this.#flush();
    this.#ask();
    this.#drawPaper();
  }

  #set(change: Partial<SessionState>): void {
    this.#s = { ...this.#s, ...change };
  }

  #now(): number {
    return serverNow(this.#s, this.#at);
  }

  #restore(kept: Kept | null, outbox: readonly Pending[]): void {
    const waiting = outbox.map((p) => ({ ...p, stored: true, sentAt: null })).sort((a, b) => a.epoch - b.epoch || a.client_seq - b.client_seq);
    const highest = waiting.reduce((most, p) => Math.max(most, p.client_seq), 0);
    this.#set({ ...(kept ?? {}), outbox: waiting, nextSeq: Math.max(kept?.nextSeq ?? 1, highest + 1) });
  }

  #connect(): void {
    this.#set({ connection: { is: "connecting" } });
    this.#effects.push({ do: "connect" });
  }

  /** All seats are taken. Asking again is no trouble with the line, so it neither slows down nor is shown as a cut. */
  #queued(position: number | null, retryAfterMs: number): void {
    const retryAt = this.#at + Math.max(retryAfterMs, QUEUE_ASK_MS) * (1 + this.#chance / 10);
    this.#set({ queue: { position }, attempt: 0, connection: { is: "waiting", retryAt, since: this.#at } });
  }

  #closed(code: Code | undefined, retryAfterMs: number): void {
    const outbox = this.#s.outbox.map((p) => (p.sentAt === null ? p : { ...p, sentAt: null }));
    if (this.#s.connection.is === "stopped") return this.#set({ outbox });
    this.#set({ queue: null });
    if (code === "superseded_epoch") this.#set({ superseded: this.#s.superseded === "waits" ? "waits" : "hands_over" });
    const handsOver = code === "superseded_epoch" && takesEvidence(this.#s.view) && answersIn(outbox);
    if (code && FINAL.has(code) && !handsOver) return this.#set({ outbox, connection: { is: "stopped", code } });
    if (code) this.#set({ cutBecause: code });
    const most = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** this.#s.attempt);
    const retryAt = this.#at + Math.max(retryAfterMs, this.#chance * most);
    const since = this.#s.connection.is === "waiting" ? this.#s.connection.since : this.#at;
    this.#set({ outbox, asked: {}, attempt: this.#s.attempt + 1, connection: { is: "waiting", retryAt, since } });
  }

  #tick(): void {
    const { connection } = this.#s;
    if (connection.is === "waiting" && this.#at >= connection.retryAt) this.#connect();
    if (connection.is === "open") this.#heartbeat(connection);
    const late = (p: Pending): boolean => p.sentAt !== null && this.#at - p.sentAt > ANSWER_LATE_MS;
    if (this.#s.outbox.some(late)) this.#set({ outbox: this.#s.outbox.map((p) => (late(p) ? { ...p, sentAt: null } : p)) });
    this.#sayMinutes();
  }

  #heartbeat(connection: Extract<Connection, { is: "open" }>): void {
    if (this.#at - connection.heardAt >= SILENCE_MS) {
      this.#effects.push({ do: "disconnect" });
      return this.#closed(undefined, 0);
    }
    if (this.#at - connection.pingedAt < PING_EVERY_MS && this.#s.pingSentAt !== 0) return;
    const n = (this.#s.pingN + 1) % 2 ** 31;
    this.#set({ pingN: n, pingSentAt: this.#at, connection: { ...connection, pingedAt: this.#at } });
    this.#effects.push({ do: "send", frame: { type: "ping", n } });
  }

  #sayMinutes(): void {
    const left = screenOf(this.#s) === "exam" ? remainingMs(this.#s, this.#at) : null;
    const before = this.#s.lastRemainingMs;
    if (left === before) return;
    if (left !== null && before !== null) {
      const crossed = SAID_ALOUD_MIN.filter((minutes) => before > minutes * 60_000 && left <= minutes * 60_000);
      const least = crossed.at(-1);
      if (least !== undefined) this.#effects.push({ do: "say_minutes", minutes: least });
    }
    this.#set({ lastRemainingMs: left });
  }

  #frame(frame: CandidateServerFrame): void {
    if (this.#s.connection.is !== "open") return;
    this.#set({ connection: { ...this.#s.connection, heardAt: this.#at } });
    switch (frame.type) {
      case "welcome":
        return this.#welcome(frame);
      case "state":
        return this.#newView(frame.view, frame.server_time);
      case "ack":
        return this.#acked(frame.epoch, frame.client_seq, frame.receipt);
      case "refused":
        return this.#refused(frame.client_seq, frame.problem.code, frame.problem.retry_after_ms ?? 0);
      case "question":
        return this.#set({ items: { ...this.#s.items, [frame.question.index]: frame.question } });
      case "pong": {
        if (frame.n !== this.#s.pingN) return;
        const trip = this.#at - this.#s.pingSentAt;
        return this.#set({ roundTripMs: trip, offsetMs: Math.round(frame.server_time + trip / 2 - this.#at) });
      }
      case "bye":
        this.#effects.push({ do: "disconnect" });
        return this.#closed(frame.problem.code, frame.problem.retry_after_ms ?? 0);
    }
  }

  #welcome({ epoch, last_client_seq: lastSeq, last_question, view, server_time }: Extract<CandidateServerFrame, { type: "welcome" }>): void {
    const old = this.#s;
    if (old.connection.is === "open") this.#set({ connection: { ...old.connection, welcomed: true } });
    // A device that was never in charge knows of no place in the paper.
    if (old.epoch === null && last_question !== undefined) this.#set({ current: last_question });
    this.#set({ view, offsetMs: server_time - this.#at, attempt: 0, busyRow: 0, holdUntil: 0, cutBecause: null });
    // A waiting tab keeps what the tab in charge stored: it must not touch counter or outbox.
    if (epoch === null) {
      if (old.epoch !== null && old.superseded === "no") this.#set({ superseded: "hands_over" });
      return;
    }
    this.#set({ superseded: "no" });
    if (epoch === old.epoch) {
      this.#set({ nextSeq: Math.max(old.nextSeq, lastSeq + 1) });
    } else {
      // Above what this device has queued under that binding too: a number never means two commands.
      const queued = old.outbox.filter((p) => p.epoch === epoch).map((p) => p.client_seq);
      this.#set({ epoch, nextSeq: Math.max(lastSeq, ...queued) + 1 });
      this.#reissue(old, view, epoch);
    }
    // A fresh socket has to say what still goes on (core's RESUME_GRACE).
    if (view.stage === "running") for (const code of Object.keys(old.held)) this.#queueSignal(code, "seen", this.#at);
  }

  /** Commands of an earlier binding that nobody saw durable: given again, unless another device moved on. */
  #reissue(old: SessionState, view: CandidateView, epoch: number): void {
    for (const p of old.outbox) {
      if (p.epoch === epoch) continue;
      this.#forget(p);
      if (NOT_REISSUED.has(p.command.do) || (p.command.do === "ready" && view.steps.paper)) continue;
      if (p.command.do === "answer") {
        const mark = (v: CandidateView | null, q: number): string => JSON.stringify(v?.questions[q]?.shown ?? []);
        if (mark(old.view, p.command.question) !== mark(view, p.command.question)) {
          this.#note("superseded_epoch", "answer");
          continue;
        }
      }
      this.#command(p.command, p.client_at);
    }
  }

  #newView(view: CandidateView, serverTime: number): void {
    const old = this.#s.view;
    if (old && view.version < old.version) return;
    this.#set({ view });
    if (this.#s.roundTripMs === null) this.#set({ offsetMs: serverTime - this.#at });
    // Admitted while this page waited: what the other tab left on this device is read again.
    if (old?.attach === "waiting" && view.attach === "in_charge") this.#effects.push({ do: "reload" });
    if (old?.stage !== "running" && view.stage === "running") {
      for (const code of Object.keys(this.#s.held)) this.#queueSignal(code, "begin", this.#at);
    }
  }

  #acked(epoch: number, clientSeq: number, receipt: Receipt): void {
    const p = this.#find(epoch, clientSeq);
    if (!p) return;
    this.#forget(p);
    // A repeated command is answered with its earlier receipt.
    const head = receipt.seq > (this.#s.head?.seq ?? 0) ? receipt : this.#s.head;
    this.#set({ busyRow: 0, receipts: this.#s.receipts + 1, head });
    const { command } = p;
    if (command.do === "answer") {
      this.#set({ acked: { ...this.#s.acked, [command.question]: { shown: command.shown, client_seq: clientSeq, epoch } } });
    }
    if (command.do === "flag" && this.#s.view) {
      const questions = this.#s.view.questions.map((q, i) => (i === command.question ? { ...q, flagged: command.on } : q));
      this.#set({ view: { ...this.#s.view, questions } });
    }
    if (command.do === "drained") this.#set({ drained: true });
  }

  #refused(clientSeq: number | null, code: Code, retryAfterMs: number): void {
    if (clientSeq === null) return PASSING.has(code) ? undefined : this.#note(code, null);
    const p = this.#s.outbox.find((each) => each.client_seq === clientSeq && each.sentAt !== null);
    if (!p) return;
    // What waits may hand over answers of an earlier binding only; one of the current binding stays here.
    if (code === "other_device" && this.#s.view?.attach === "waiting") return;
    if (PASSING.has(code)) {
      const wait = Math.min(BUSY_CAP_MS, RETRY_BASE_MS * 2 ** this.#s.busyRow);
      this.#set({ busyRow: this.#s.busyRow + 1, holdUntil: this.#at + Math.max(retryAfterMs, wait * (0.5 + this.#chance / 2)) });
      return this.#patch(p.epoch, clientSeq, { sentAt: null });
    }
    if (code === "media_missing" && p.command.do === "begin" && this.#now() - p.client_at < BEGIN_PATIENCE_MS) {
      this.#set({ holdUntil: this.#at + BEGIN_AGAIN_MS });
      return this.#patch(p.epoch, clientSeq, { sentAt: null });
    }
    this.#forget(p);
    // The server has another command under this number: nothing of this one is stored, so it goes under a new one.
    if (code === "client_seq_reused" && this.#s.view?.attach === "in_charge") return this.#command(p.command, p.client_at);
    if (p.command.do === "drained") this.#set({ drained: true });
    // The draw did not happen: a later attempt makes a fresh half.
    if (p.command.do === "ready") this.#set({ draw: null });
    if (code === "superseded_epoch" && p.command.do === "answer" && takesEvidence(this.#s.view)) {
      return this.#set({ keptAsEvidence: this.#s.keptAsEvidence + 1 });
    }
    if (!QUIET.has(p.command.do)) this.#note(code, p.command.do);
  }

  #note(code: Code, about: Note["about"]): void {
    const kept = this.#s.notes.filter((note) => note.code !== code || note.about !== about).slice(-2);
    this.#set({ notes: [...kept, { id: this.#s.nextNote, code, about }], nextNote: this.#s.nextNote + 1 });
  }

  #command(command: CandidateCommand, clientAt = this.#now()): void {
    const { epoch, nextSeq } = this.#s;
    if (epoch === null || this.#s.view?.attach === "waiting") return;
    if (command.do === "hand_in" && this.#s.outbox.some((p) => p.command.do === "hand_in")) return;
    // Only the last choice counts; one never sent needs no place in the queue.
    for (const p of this.#s.outbox) if (p.sentAt === null && replaces(command, p.command)) this.#forget(p);
    const pending: Pending = { client_seq: nextSeq, epoch, client_at: Math.round(clientAt), command, stored: false, sentAt: null };
    this.#set({ nextSeq: nextSeq + 1, outbox: [...this.#s.outbox, pending] });
    this.#effects.push({ do: "store", pending });
  }

  #signal(code: string, phase: SignalPhase): void {
    const since = this.#s.held[code];
    if (phase === "begin") {
      if (since !== undefined) return;
      this.#set({ held: { ...this.#s.held, [code]: this.#at } });
    }
    if (phase === "end") {
      if (since === undefined) return;
      const { [code]: _gone, ...rest } = this.#s.held;
      this.#set({ held: rest });
    }
    if (phase === "seen") {
      if (this.#at - (this.#s.seenAt[code] ?? -SEEN_EVERY_MS) < SEEN_EVERY_MS) return;
      this.#set({ seenAt: { ...this.#s.seenAt, [code]: this.#at } });
    }
    if (this.#s.view?.stage === "running") this.#queueSignal(code, phase, this.#at);
  }

  /** `ago_ms` holds the device time of the fact until it is sent; see `#flush`. */
  #queueSignal(code: string, phase: SignalPhase, happenedAt: number): void {
    this.#command({ do: "signal", code, phase, ago_ms: 0 }, happenedAt + this.#s.offsetMs);
  }

  /** After time ran out the server waits for late answers until the device says there are none left. */
  #drained(): void {
    const { view, outbox, drained } = this.#s;
    if (drained || outbox.length > 0 || view?.end?.reason !== "time_expired") return;
    if (this.#s.connection.is === "open") this.#command({ do: "drained" });
  }

  /** Nothing more to do here: a page that stays would look to the proctor like a device that wants to be let in. */
  #leaveHandedOver(): void {
    const { connection, outbox, superseded, view } = this.#s;
    if (superseded !== "hands_over" || connection.is !== "open" || !connection.welcomed) return;
    if (view?.attach !== "waiting" || answersIn(outbox)) return;
    this.#effects.push({ do: "disconnect" });
    this.#set({ connection: { is: "stopped", code: "superseded_epoch" } });
  }

  #flush(): void {
    if (this.#at < this.#s.holdUntil) return;
    const { view } = this.#s;
    const waiting = view?.attach === "waiting";
    // Nothing is taken while the clock stands.
    if (waiting && view.stage === "paused") return;
    for (const [place, p] of this.#s.outbox.entries()) {
      if (p.sentAt !== null || !p.stored) continue;
      // Superseded: the answers given here before are handed over as evidence, nothing else is.
      if (waiting && p.command.do !== "answer") continue;
      // Nothing may be behind the hand-in: an answer told "busy" would come after the end.
      if (p.command.do === "hand_in" && place > 0) continue;
      this.#effects.push({ do: "send", frame: this.#commandFrame(p) });
      this.#patch(p.epoch, p.client_seq, { sentAt: this.#at });
    }
  }

  #commandFrame(p: Pending): CandidateFrame {
    const { client_seq, epoch, command } = p;
    if (command.do !== "signal") return { type: "command", client_seq, epoch, client_at: p.client_at, command };
    // The server counts back from the arrival, so a signal says anew at each sending how old it is.
    const now = Math.round(this.#now());
    return { type: "command", client_seq, epoch, client_at: now, command: { ...command, ago_ms: Math.max(0, now - p.client_at) } };
  }

  /** The question on the screen and the next one; not more, so that a screen shows no more than it must. */
  #ask(): void {
    if (screenOf(this.#s) !== "exam") return;
    const total = this.#s.view?.questions.length ?? 0;
    for (const index of [this.#s.current, this.#s.current + 1]) {
      if (index >= total || this.#s.items[index] || this.#at - (this.#s.asked[index] ?? -Infinity) < QUESTION_LATE_MS) continue;
      this.#set({ asked: { ...this.#s.asked, [index]: this.#at } });
      this.#effects.push({ do: "send", frame: { type: "question", index } });
    }
  }

  /** Once nothing but the start is missing: the paper is drawn before the bell, and nobody has to press anything. */
  #drawPaper(): void {
    const { view, drawAskedAt, outbox } = this.#s;
    if (screenOf(this.#s) !== "ready" || view?.steps.paper !== false) return;
    if (outbox.some((p) => p.command.do === "ready")) return;
    if (drawAskedAt !== null && this.#at - drawAskedAt < DRAW_LATE_MS) return;
    this.#set({ drawAskedAt: this.#at });
    this.#effects.push({ do: "make_nonce" });
  }

  #find(epoch: number, clientSeq: number): Pending | undefined {
    return this.#s.outbox.find((p) => p.epoch === epoch && p.client_seq === clientSeq);
  }

  #patch(epoch: number, clientSeq: number, change: Partial<Pending>): void {
    this.#set({ outbox: this.#s.outbox.map((p) => (p.epoch === epoch && p.client_seq === clientSeq ? { ...p, ...change } : p)) });
  }

  #forget(p: Pending): void {
    this.#set({ outbox: this.#s.outbox.filter((each) => each.epoch !== p.epoch || each.client_seq !== p.client_seq) });
    this.#effects.push({ do: "forget", epoch: p.epoch, client_seq: p.client_seq });
  }
}

function answersIn(outbox: readonly Pending[]): boolean {
  return outbox.some((p) => p.command.do === "answer");
}

/** When the server keeps a superseded device's answers: core's `evidence_still_taken`. */
function takesEvidence(view: CandidateView | null): boolean {
  return view?.stage === "running" || view?.end?.reason === "time_expired";
}

function replaces(newer: CandidateCommand, older: CandidateCommand): boolean {
  if (newer.do === "answer" && older.do === "answer") return newer.question === older.question;
  if (newer.do === "flag" && older.do === "flag") return newer.question === older.question;
  return newer.do === "choose_language" && older.do === "choose_language";
}

// A practice exam: the exam's own screens over the exam's own reducer, with a server played by the page itself. Nothing
// of it leaves this device.
import type { CandidateCommand } from "../../../shared/src/wire/CandidateCommand.ts";
import type { CandidateFrame } from "../../../shared/src/wire/CandidateFrame.ts";
import type { CandidateServerFrame } from "../../../shared/src/wire/CandidateServerFrame.ts";
import type { CandidateView } from "../../../shared/src/wire/CandidateView.ts";
import type { ItemView } from "../../../shared/src/wire/ItemView.ts";
import { chance } from "../entropy.ts";
import { EMPTY, step, type Effect, type SessionEvent, type SessionState } from "../session.ts";

const TICK_MS = 500;
const MINUTES = 10;
/** A real one counts after ten seconds; here nobody should sit and wait. */
const COUNTS_AFTER_MS = 5_000;
/** As core's cover of the questions. */
const COVERED_MS = 60_000;
/** How long the page keeps the practice line cut: long enough to answer a question meanwhile. */
export const CUT_MS = 15_000;
const EPOCH = 1;

export class Practice {
  state = $state.raw<SessionState>(EMPTY);
  now = $state(Date.now());
  minutesSaid = $state<number | null>(null);
  /** When the practice cut ends by itself */
  cutUntil = $state<number | null>(null);
  warned = $state(false);
  reconnected = $state(false);
  handedIn = $state(false);
  /** As the screens of the exam ask for them. */
  readonly durable = true;
  readonly screen = null;
  readonly asksForScreen = false;
  readonly media = { cameraOff: false, microphoneOff: false, trouble: null, step: "full", kept: 0, published: true, stream: null, opening: false };
  readonly #items: readonly ItemView[];
  #view: CandidateView;
  #seq = 0;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #tick: ReturnType<typeof setInterval>;

  constructor(items: readonly ItemView[]) {
    this.#items = items;
    const now = Date.now();
    const total = MINUTES * 60_000;
    this.#view = {
      version: 1,
      stage: "running",
      attach: "in_charge",
      steps: { lang: null, consent: true, device_check: false, face_photo: true, document_photo: true, identity: "admitted", asked_again: null, acknowledged: [], paper: true, ready: true },
      draw_commitment: "",
      opens_at: now,
      closes_at: now + total,
      clock: { deadline: now + total, version: 1, remaining_ms: total, total_ms: total, paused: false },
      questions: items.map(() => ({ shown: [], client_seq: 0, flagged: false })),
      warning: null,
      attention: null,
      media: { video: true, audio: true },
      local_waits: 0,
      proctor_present: false,
      watched_live: false,
      messages: [],
      help_asked: false,
      end: null,
    };
    this.#tick = setInterval(() => this.#ticks(), TICK_MS);
    this.dispatch({ on: "connect" });
  }

  dispatch(event: SessionEvent): void {
    const at = Date.now();
    const { state, effects } = step(this.state, event, at, chance());
    this.state = state;
    this.now = at;
    for (const effect of effects) this.#do(effect);
  }

  command(command: CandidateCommand): void {
    this.dispatch({ on: "command", command });
  }

  signal(code: string, phase: "begin" | "seen" | "restore_failed" | "end"): void {
    this.dispatch({ on: "signal", code, phase });
  }

  /** The line is cut by the page itself and comes back by itself. */
  cut(): void {
    if (this.cutUntil !== null) return;
    this.cutUntil = Date.now() + CUT_MS;
    this.dispatch({ on: "closed" });
  }

  /** For a browser without full screen, or for whoever does not want to leave it. */
  showWarning(): void {
    if (!this.#view.warning) this.#warn("FULLSCREEN_EXIT", Date.now());
  }

  close(): void {
    clearInterval(this.#tick);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #ticks(): void {
    const now = Date.now();
    if (this.cutUntil !== null && now >= this.cutUntil) {
      this.cutUntil = null;
      this.reconnected = true;
      this.dispatch({ on: "connect" });
    }
    const { attention } = this.#view;
    if (attention?.counts_at != null && now >= attention.counts_at) this.#warn(attention.code, attention.since);
    this.dispatch({ on: "tick" });
  }

  #do(effect: Effect): void {
    if (effect.do === "connect") this.#later(() => this.#connect());
    else if (effect.do === "store") this.#later(() => this.dispatch({ on: "stored", epoch: effect.pending.epoch, client_seq: effect.pending.client_seq }));
    else if (effect.do === "send") this.#later(() => this.#hear(effect.frame));
    else if (effect.do === "say_minutes") this.minutesSaid = effect.minutes;
  }

  #later(act: () => void, ms = 0): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #connect(): void {
    if (this.cutUntil !== null) return this.dispatch({ on: "closed" });
    if (this.state.connection.is !== "connecting") return;
    this.dispatch({ on: "opened" });
    this.#say({ type: "welcome", server_time: Date.now(), epoch: EPOCH, last_client_seq: this.#seq, view: this.#view });
  }

  #say(frame: CandidateServerFrame): void {
    if (this.cutUntil === null) this.dispatch({ on: "frame", frame });
  }

  #change(change: Partial<CandidateView>): void {
    this.#view = { ...this.#view, ...change, version: this.#view.version + 1 };
    this.#say({ type: "state", server_time: Date.now(), view: this.#view });
  }

  #hear(frame: CandidateFrame): void {
    if (this.cutUntil !== null) return;
    if (frame.type === "ping") return this.#say({ type: "pong", n: frame.n, server_time: Date.now() });
    if (frame.type === "question") {
      const question = this.#items[frame.index];
      if (question) this.#say({ type: "question", question });
      return;
    }
    this.#seq = Math.max(this.#seq, frame.client_seq);
    this.#say({ type: "ack", client_seq: frame.client_seq, epoch: frame.epoch, receipt: { seq: frame.client_seq, at: Date.now(), hash: "" } });
    this.#obey(frame.command, frame.client_seq);
  }

  #obey(command: CandidateCommand, clientSeq: number): void {
    const { questions, warning } = this.#view;
    const mark = (index: number, change: object): void => {
      this.#view = { ...this.#view, questions: questions.map((question, at) => (at === index ? { ...question, ...change } : question)) };
    };
    if (command.do === "answer") mark(command.question, { shown: command.shown, client_seq: clientSeq });
    else if (command.do === "flag") mark(command.question, { flagged: command.on });
    else if (command.do === "signal") this.#signalled(command.code, command.phase);
    else if (command.do === "warning_displayed" && warning) this.#change({ warning: { ...warning, displayed: true } });
    else if (command.do === "acknowledge_warning" && warning) {
      this.warned = true;
      this.#change({ warning: { ...warning, acknowledged: true, covered_until: null } });
    } else if (command.do === "hand_in") {
      this.handedIn = true;
      this.close();
    }
  }

  #signalled(code: string, phase: string): void {
    if (code !== "FULLSCREEN_EXIT" && code !== "WINDOW_BLUR") return;
    const { attention, warning } = this.#view;
    const now = Date.now();
    if (phase === "begin" && !warning && !attention) this.#change({ attention: { code, since: now, counts_at: now + COUNTS_AFTER_MS, would_end: false } });
    if (phase === "end" && attention?.code === code) this.#change({ attention: null });
  }

  #warn(code: string, began: number): void {
    const now = Date.now();
    this.#change({
      attention: null,
      warning: { ordinal: 1, code, note: null, began_at: began, given_at: now, displayed: false, acknowledged: false, covered_until: now + COVERED_MS },
    });
  }
}

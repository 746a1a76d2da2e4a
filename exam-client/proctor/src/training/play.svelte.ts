// The server of a sitting that exists only in this page: it speaks the wall's own frames, so that wall, queue and panel are
// the very ones of an exam day.
import type { Detail } from "../../../shared/src/wire/Detail.ts";
import type { IncidentView } from "../../../shared/src/wire/IncidentView.ts";
import type { Lang } from "../../../shared/src/wire/Lang.ts";
import type { ProctorCommand } from "../../../shared/src/wire/ProctorCommand.ts";
import type { ProctorFrame } from "../../../shared/src/wire/ProctorFrame.ts";
import type { ProctorServerFrame } from "../../../shared/src/wire/ProctorServerFrame.ts";
import type { Tile } from "../../../shared/src/wire/Tile.ts";
import type { Feed } from "../feed.ts";
import { drawn } from "./drawing.ts";
import { CALLS, LENGTH_MS, NAMES, type Planted, type Ruling, type Scene, SCRIPT } from "./script.ts";

const TICK_MS = 250;
const BEAT_MS = 1_000;
/** The exam began a while ago and goes on after the training. */
const BEGAN_BEFORE_MS = 900_000;
const EXAM_MS = 3_600_000;
/** A detector looks at several pictures before it says something. */
const ALERT_AFTER_MS = 4_000;
/** What a proctor records belongs to what was seen up to this long before. */
const RECORDED_WITHIN_MS = 45_000;
const WARNING_GRACE_MS = 10_000;
export const SPEEDS = [1, 2, 5, 20] as const;

interface Seat {
  tile: Tile;
  incidents: IncidentView[];
  messages: Detail["messages"];
  timeline: Detail["timeline"];
}

const CODES = ["FORBIDDEN_ITEM", "SECOND_PERSON", "LEFT_PLACE", "HEADPHONES", "NO_FACE", "CAMERA_COVERED", "SPEECH_OTHER", "OTHER"] as const;

export class Play implements Feed {
  /** By the sitting's clock, from its beginning. */
  time = $state(0);
  speed = $state<number>(1);
  over = $state(false);
  rulings = $state.raw<readonly Ruling[]>([]);
  /** Recorded although nothing was there to see. */
  unfounded = $state(0);
  readonly happened = new Set<number>();

  readonly #base = Date.now();
  readonly #lang: Lang;
  readonly #seats: Seat[];
  readonly #byIncident = new Map<string, Planted>();
  #tell: (frame: ProctorServerFrame) => void = () => undefined;
  #opened: string | null = null;
  #timer: number | undefined;
  #beat = 0;
  #beatAt = 0;
  #seq = 1;

  constructor(lang: Lang) {
    this.#lang = lang;
    this.#seats = NAMES.map((name, place) => ({
      tile: {
        session: `training-${place}`, place, name, version: 1, stage: "running", step: "exam", online: true, online_changed_at: this.#base - BEGAN_BEFORE_MS,
        video: true, audio: true, media_step: "full", deadline: this.#base - BEGAN_BEFORE_MS + EXAM_MS, answered: (place * 7) % 11, total: 40, warnings: 0, open_incidents: 0,
        ruled_incidents: 0, started_at: this.#base - BEGAN_BEFORE_MS, trouble: "none", rank: 0, trouble_since: null, trouble_code: null, end_reason: null, still: 1,
      },
      incidents: [], messages: [], timeline: [],
    }));
  }

  start(tell: (frame: ProctorServerFrame) => void): void {
    this.#tell = tell;
    // Not before the wall has come to life.
    queueMicrotask(() => {
      tell({
        type: "wall", server_time: this.#now(), tiles: this.#seats.map(({ tile }) => tile), codes: CODES.map((code) => ({ code, class: "human", technical: false })),
        sitting: { sitting: "training", title: this.title, programme: { kk: "", ru: "" }, opens_at: this.#base, closes_at: this.#base + LENGTH_MS, candidates: NAMES.length, capacity: null, cancelled: false },
      });
    });
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
  }

  title = "";

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Ends before its time: what has not begun is not asked about. */
  end(): void {
    this.over = true;
    this.stop();
  }

  scene(place: number): Scene {
    const now = SCRIPT.find((planted) => planted.place === place && this.happened.has(planted.id) && planted.at <= this.time && this.time < planted.at + planted.lasts);
    return now?.scene ?? "calm";
  }

  picture(session: string, n: number): string {
    const place = this.#place(session);
    return drawn(place, this.scene(place), n);
  }

  plantedOf(session: string, incident: number): Planted | undefined {
    return this.#byIncident.get(`${session}#${incident}`);
  }

  take(frame: ProctorFrame): void {
    if (frame.type === "open") {
      this.#opened = frame.session;
      this.#detail();
    } else if (frame.type === "command") {
      this.#command(frame.session, frame.command);
      this.#tell({ type: "done", re: frame.re });
    }
  }

  #now(): number {
    return this.#base + this.time;
  }

  #place(session: string): number {
    return Number(session.slice("training-".length));
  }

  #tick(): void {
    const before = this.time;
    this.time = Math.min(LENGTH_MS, before + TICK_MS * this.speed);
    for (const planted of SCRIPT) this.#play(planted, before);
    for (const call of CALLS) if (call.at > before && call.at <= this.time) this.#call(call.place, call.text[this.#lang]);
    this.#tell({ type: "pong", n: 0, server_time: this.#now() });
    const real = Date.now();
    if (real - this.#beatAt >= BEAT_MS) {
      this.#beatAt = real;
      this.#beat += 1;
      this.#tell({ type: "pulse", pulses: this.#seats.map(({ tile }) => ({ session: tile.session, level: (tile.place * 13 + this.#beat * 7) % 30, still: this.#beat + 1 })) });
    }
    if (this.time >= LENGTH_MS) this.end();
  }

  #play(planted: Planted, before: number): void {
    const seat = this.#seats[planted.place];
    if (!seat) return;
    const passes = (at: number): boolean => at > before && at <= this.time;
    if (passes(planted.at) && seat.tile.stage === "running") this.happened.add(planted.id);
    if (!planted.hasAlert || !this.happened.has(planted.id)) return;
    if (passes(planted.at + ALERT_AFTER_MS) && seat.tile.stage === "running") this.#alert(seat, planted);
    if (passes(planted.at + planted.lasts)) {
      const incident = seat.incidents.find(({ no }) => this.plantedOf(seat.tile.session, no) === planted);
      if (incident) this.#change(seat, incident.no, { ended_at: this.#base + planted.at + planted.lasts });
    }
  }

  #alert(seat: Seat, planted: Planted): void {
    const no = seat.incidents.length + 1;
    this.#byIncident.set(`${seat.tile.session}#${no}`, planted);
    const incident: IncidentView = {
      no, code: planted.code, class: "human", source: "model", began_at: this.#base + planted.at, ended_at: null, status: "open", by: null, consequence: null, note: null, finding: null, explanation: null,
    };
    seat.incidents = [incident, ...seat.incidents];
    this.#log(seat, "incident_opened", `#${no} ${planted.code}`);
    this.#show(seat, {});
  }

  #call(place: number, text: string): void {
    const seat = this.#seats[place];
    if (!seat || seat.tile.stage !== "running") return;
    seat.messages = [...seat.messages, { seq: this.#seq++, at: this.#now(), from_candidate: true, text }];
    this.#log(seat, "help_asked", null);
    this.#show(seat, { trouble: "help", trouble_since: this.#now() });
  }

  #command(session: string, command: ProctorCommand): void {
    const seat = this.#seats[this.#place(session)];
    if (!seat) return;
    switch (command.do) {
      case "confirm":
        return this.#confirm(seat, command.incident, command.began_at);
      case "record":
        return this.#record(seat, command.code, command.began_at);
      case "dismiss":
        return this.#rule(seat, command.incident, "dismissed");
      case "undo_dismiss":
        return this.#change(seat, command.incident, { status: "open" });
      case "say":
        seat.messages = [...seat.messages, { seq: this.#seq++, at: this.#now(), from_candidate: false, text: command.text }];
        return this.#show(seat, seat.tile.trouble === "help" ? { trouble: "none", trouble_since: null } : {});
      case "pause":
        return this.#show(seat, { stage: "paused", paused_for: ["staff"] });
      case "resume":
        return this.#show(seat, { stage: "running", paused_for: [] });
      case "end":
        return this.#show(seat, { stage: "closed", end_reason: command.why });
      default:
        return;
    }
  }

  #rule(seat: Seat, no: number, is: Ruling["is"]): void {
    const planted = this.plantedOf(seat.tile.session, no);
    if (planted) this.rulings = [...this.rulings, { planted: planted.id, is, at: this.time }];
    this.#log(seat, is === "confirmed" ? "incident_confirmed" : "incident_dismissed", `#${no}`);
    this.#change(seat, no, { status: is === "confirmed" ? "confirmed_human" : "dismissed" });
  }

  #confirm(seat: Seat, no: number, beganAt: number): void {
    this.#rule(seat, no, "confirmed");
    this.#count(seat, beganAt);
  }

  /** What no detector saw; a proctor did. */
  #record(seat: Seat, code: string, beganAt: number): void {
    const seen = SCRIPT.find((planted) => planted.place === seat.tile.place && this.happened.has(planted.id) && planted.isViolation
      && this.time <= planted.at + planted.lasts + RECORDED_WITHIN_MS && planted.at <= this.time && !this.rulings.some((ruling) => ruling.planted === planted.id));
    if (seen) this.rulings = [...this.rulings, { planted: seen.id, is: "confirmed", at: this.time }];
    else this.unfounded += 1;
    const open = seen && seat.incidents.find(({ no, status }) => status === "open" && this.plantedOf(seat.tile.session, no) === seen);
    if (open) this.#change(seat, open.no, { status: "confirmed_human" });
    this.#log(seat, "incident_confirmed", code);
    this.#count(seat, beganAt);
  }

  /** The first warns, a repeated one ends the exam, as everywhere. */
  #count(seat: Seat, beganAt: number): void {
    const { tile } = seat;
    if (tile.warnings === 0) return this.#show(seat, { warnings: 1, warning_effective_at: this.#now() + WARNING_GRACE_MS });
    if (tile.warning_effective_at !== undefined && beganAt >= tile.warning_effective_at) this.#show(seat, { stage: "closed", end_reason: "violation", online: false });
  }

  #change(seat: Seat, no: number, change: Partial<IncidentView>): void {
    seat.incidents = seat.incidents.map((incident) => (incident.no === no ? { ...incident, ...change } : incident));
    this.#show(seat, {});
  }

  #log(seat: Seat, kind: string, what: string | null): void {
    seat.timeline = [{ seq: this.#seq++, at: this.#now(), kind, by: null, what }, ...seat.timeline];
  }

  #show(seat: Seat, change: Partial<Tile>): void {
    const open = seat.incidents.filter(({ status }) => status === "open").reverse();
    const tile: Tile = { ...seat.tile, ...change, open, open_incidents: open.length, version: seat.tile.version + 1, ruled_incidents: seat.incidents.length - open.length };
    const calls = tile.trouble === "help";
    const [first] = open;
    if (first) seat.tile = { ...tile, trouble: "incident", rank: 80, trouble_code: first.code, trouble_since: first.began_at };
    else if (calls) seat.tile = { ...tile, rank: 70, trouble_code: null };
    else seat.tile = { ...tile, trouble: tile.warnings > 0 ? "warned" : "none", rank: tile.warnings > 0 ? 10 : 0, trouble_code: null, trouble_since: null };
    this.#tell({ type: "tile", server_time: this.#now(), tile: seat.tile });
    if (this.#opened === seat.tile.session) this.#detail();
  }

  #detail(): void {
    const seat = this.#seats.find(({ tile }) => tile.session === this.#opened);
    if (!seat) return;
    const { tile } = seat;
    const detail: Detail = {
      tile, lang: this.#lang, device: null, face_photo: null, document_photo: null, device_waits: false, waiting: null, incidents: seat.incidents, end_proposed_by: null,
      end_proposed_by_me: false, messages: seat.messages, timeline: seat.timeline, unsupervised_ms: 0, warning_effective_at: tile.warning_effective_at ?? null, started_at: tile.started_at ?? null,
      break_minutes: 10, break_stops_clock: false, gestures_off: true,
    };
    this.#tell({ type: "detail", server_time: this.#now(), detail });
  }
}

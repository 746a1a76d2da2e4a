// The wall's state and its socket. The server's frames are whole values, so applying one is replacing one.
import { type Fault, faultOf, post } from "../../shared/src/staff/api.ts";
import type { CodeRow } from "../../shared/src/wire/CodeRow.ts";
import type { Detail } from "../../shared/src/wire/Detail.ts";
import type { DutyRow } from "../../shared/src/wire/DutyRow.ts";
import type { EverybodyAct } from "../../shared/src/wire/EverybodyAct.ts";
import type { ProctorCommand } from "../../shared/src/wire/ProctorCommand.ts";
import type { ProctorFrame } from "../../shared/src/wire/ProctorFrame.ts";
import type { ProctorServerFrame } from "../../shared/src/wire/ProctorServerFrame.ts";
import type { SittingRow } from "../../shared/src/wire/SittingRow.ts";
import type { Ticket } from "../../shared/src/wire/Ticket.ts";
import type { Tile } from "../../shared/src/wire/Tile.ts";
import type { Feed } from "./feed.ts";
import { belongs, type Group, isNamed } from "./filter.ts";
import { queueOf, reconnectWait, toneOf } from "./rules.ts";
import { Undo } from "./undo.svelte.ts";

/** The client says something at least this often (limits.rs). */
const HEARTBEAT_MS = 5_000;
/** Silence after which the socket is given up (limits.rs). */
const SILENCE_MS = 15_000;

/** One place on the wall. Level and still change several times a second and touch nothing else. */
export class Place {
  tile: Tile = $state.raw() as Tile;
  level = $state<number | null>(null);
  still = $state(0);
  /** Percent left, while the device runs on its battery */
  battery = $state<number | null>(null);

  /** Server time at which the newest still was first heard of. */
  stillAt = $state(0);

  constructor(tile: Tile, at: number) {
    this.tile = tile;
    this.show(tile.still, at);
  }

  show(still: number, at: number): void {
    if (still > this.still || this.stillAt === 0) this.stillAt = at;
    this.still = Math.max(this.still, still);
  }
}

export type DialogName =
  | "ask_again" | "record" | "pause" | "time" | "end" | "keys"
  | "refuse_break" | "recheck" | "gesture" | "link" | "everybody" | "duty";

/** Shown once to whoever acts: what came of it. */
export type Notice = { id: number; kind: "ok" | "fault"; key: string; fault?: Fault };

/** What came of an act for everybody: for how many it was done, and whom it does not concern. */
export type Everybody = { done: number; refused: number } | { fault: Fault };

type Waiting = { resolve: (fault: Fault | null, everybody?: Everybody) => void };

/** Stopped with the whole sitting, such as by a fire alarm. */
export const isStopped = (tile: Tile): boolean => tile.stage !== "closed" && (tile.paused_for?.includes("everybody") ?? false);
/** Whom stopping the whole sitting would stop now. */
export const canStop = (tile: Tile): boolean => (tile.stage === "running" || tile.stage === "paused") && !isStopped(tile);

/** A sitting's wall. */
export class Wall {
  link = $state<"connecting" | "live" | "lost" | "over">("connecting");
  /** Server time of the last frame before the connection was lost. */
  lostSince = $state<number | null>(null);
  /** The server said before it left that it comes back. */
  restarts = $state(false);
  fault = $state.raw<Fault | null>(null);
  sitting = $state.raw<SittingRow | null>(null);
  /** All that stand on this wall; more than one are a pool. */
  sittings = $state.raw<SittingRow[]>([]);
  codes = $state.raw<CodeRow[]>([]);
  places = $state.raw<Place[]>([]);
  detail = $state.raw<Detail | null>(null);
  opened = $state<string | null>(null);
  dialog = $state<DialogName | null>(null);
  notices = $state.raw<Notice[]>([]);
  readonly undo = new Undo();
  /** Who watches whom. */
  duty = $state.raw<{ proctors: DutyRow[]; mine: ReadonlySet<string>; unwatched: number } | null>(null);
  onDuty = $derived(this.duty?.proctors.some((row) => row.me && row.on) ?? false);
  /** Announced once, politely: the newest critical trouble. */
  alarm = $state.raw<Tile | null>(null);
  /** Server time, moving once a second. */
  now = $state(Date.now());

  /** Only those this proctor watches, while on duty. */
  onlyMine = $state(false);
  /** Only those of one sitting of the pool. */
  hall = $state<string | null>(null);
  /** Only those with such a name. */
  find = $state("");
  /** Only those who are so far. */
  group = $state<Group | null>(null);
  /** Whose troubles are in the queue: looking for somebody puts nobody's off. */
  watched = $derived(this.places.filter(({ tile }) => this.#isWatched(tile)));
  shown = $derived(this.watched.filter(({ tile }) => isNamed(tile.name, this.find.trim()) && (this.group === null || belongs(tile, this.group))));
  hidden = $derived(this.places.length - this.shown.length);

  /** Of everybody: what is not shown is counted all the same. */
  #troubled = $derived(queueOf(this.places.map((place) => place.tile)));
  queue = $derived(this.#troubled.filter((tile) => this.#isWatched(tile)));
  critical = $derived(this.#troubled.filter((tile) => toneOf(tile) === "critical").length);
  attention = $derived(this.#troubled.length - this.critical);
  /** Whose clock stands with everybody's, and whose goes on beside them. */
  stopped = $derived(this.places.filter(({ tile }) => isStopped(tile)).length);
  notStopped = $derived.by(() => {
    const halls = new Set(this.places.filter(({ tile }) => isStopped(tile)).map(({ tile }) => tile.sitting));
    return this.places.filter(({ tile }) => halls.has(tile.sitting) && canStop(tile)).length;
  });
  online = $derived(this.places.filter((place) => place.tile.online).length);

  #bySession = $derived(new Map(this.places.map((place) => [place.tile.session, place])));
  readonly #sittingIds: readonly [string, ...string[]];
  #socket: WebSocket | null = null;
  #offset = 0;
  #heardAt = 0;
  #attempt = 0;
  #re = 0;
  #ping = 0;
  #noticeId = 0;
  #waiting = new Map<number, Waiting>();
  #timers: number[] = [];
  #closed = false;

  /** Played in the page: there is nothing to ask a server for. */
  readonly isSimulated: boolean;
  readonly #feed: Feed | null;

  /** `sittings`: one id, or several with commas between. */
  constructor(sittings: string, feed: Feed | null = null) {
    const [first = "", ...beside] = sittings.split(",");
    this.#sittingIds = [first, ...beside];
    this.#feed = feed;
    this.isSimulated = feed !== null;
    this.#timers.push(window.setInterval(() => this.#tick(), 1_000), window.setInterval(() => this.#beat(), HEARTBEAT_MS));
    if (feed) feed.start((frame) => this.#hear(frame));
    else void this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#feed?.stop();
    this.#timers.forEach((timer) => clearInterval(timer));
    this.#socket?.close();
    this.#failWaiting();
  }

  #isWatched(tile: Tile): boolean {
    if (this.hall !== null && tile.sitting !== this.hall) return false;
    return !this.onlyMine || !this.onDuty || this.duty === null || this.duty.mine.has(tile.session);
  }

  countOf = (group: Group): number => this.watched.filter(({ tile }) => belongs(tile, group)).length;

  /** Nobody is left out any more. */
  showAll(): void {
    this.onlyMine = false;
    this.hall = null;
    this.find = "";
    this.group = null;
  }

  /** The sitting a candidate belongs to, where the wall shows several. */
  hallOf(tile: Tile): SittingRow | null {
    return this.sittings.find(({ sitting }) => sitting === tile.sitting) ?? null;
  }

  placeOf = (session: string): Place | undefined => this.#bySession.get(session);

  /** Server time to the millisecond, for what is sent: `now` is up to a second old. */
  exactNow(): number {
    return Date.now() + this.#offset;
  }

  open(session: string | null): void {
    if (this.opened === session) return;
    this.opened = session;
    this.detail = null;
    this.dialog = null;
    this.#send({ type: "open", session });
  }

  /** Does it and says what came of it: nothing, or the fault. */
  async command(session: string, command: ProctorCommand): Promise<Fault | null> {
    if (this.link !== "live") return { is: "network" };
    const re = ++this.#re;
    const answer = new Promise<Fault | null>((resolve) => this.#waiting.set(re, { resolve }));
    this.#send({ type: "command", re, session, command });
    return answer;
  }

  /** As `command`; the outcome becomes a notice on the wall. */
  async act(session: string, command: ProctorCommand): Promise<boolean> {
    const tile = this.placeOf(session)?.tile;
    const fault = await this.command(session, command);
    if (fault === null && command.do === "dismiss" && command.undo) {
      const code = tile?.open?.find(({ no }) => no === command.incident)?.code ?? "";
      this.undo.remember({ session, incident: command.incident, name: tile?.name ?? "", code });
    } else this.notice(command.do, fault);
    return fault === null;
  }

  /** For everybody of one sitting, or of all on this wall. */
  async everybody(act: EverybodyAct, sitting: string | null): Promise<Everybody> {
    if (this.link !== "live") return { fault: { is: "network" } };
    const re = ++this.#re;
    const answer = new Promise<Everybody>((resolve) => {
      this.#waiting.set(re, { resolve: (fault, everybody) => resolve(everybody ?? { fault: fault ?? { is: "unreadable" } }) });
    });
    this.#send({ type: "everybody", re, act, ...(sitting === null ? {} : { sitting }) });
    return answer;
  }

  setDuty(on: boolean): void {
    this.#send({ type: "duty", on });
  }

  notice(key: string, fault: Fault | null): void {
    const next: Notice = fault
      ? { id: ++this.#noticeId, kind: "fault", key, fault }
      : { id: ++this.#noticeId, kind: "ok", key };
    this.notices = [...this.notices.filter((old) => old.kind === "fault"), next].slice(-3);
  }

  dismissNotice(id: number): void {
    this.notices = this.notices.filter((old) => old.id !== id);
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    try {
      const { ticket } = await post<Ticket>("/api/v1/staff/ticket");
      if (this.#closed) return;
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const socket = new WebSocket(`${scheme}://${location.host}/api/v1/proctor/socket?ticket=${encodeURIComponent(ticket)}`);
      this.#socket = socket;
      this.#heardAt = Date.now();
      const [sitting, ...beside] = this.#sittingIds;
      socket.onopen = () => this.#send({ type: "watch", sitting, ...(beside.length > 0 ? { beside } : {}) });
      socket.onmessage = (event) => this.#receive(String(event.data));
      socket.onclose = () => this.#lost(socket);
    } catch (thrown) {
      this.fault = faultOf(thrown);
      this.#lost(null);
    }
  }

  #lost(socket: WebSocket | null): void {
    if (this.#socket !== socket && socket !== null) return;
    this.#socket = null;
    this.#failWaiting();
    if (this.#closed) return;
    if (this.link === "live") this.lostSince = this.#heardAt + this.#offset;
    if (this.link !== "over") this.link = this.sitting ? "lost" : "connecting";
    if (this.link === "over") return;
    window.setTimeout(() => void this.#connect(), reconnectWait(this.#attempt++, Math.random()));
  }

  #failWaiting(): void {
    this.#waiting.forEach((waiting) => waiting.resolve({ is: "network" }));
    this.#waiting.clear();
  }

  #send(frame: ProctorFrame): void {
    this.#feed?.take(frame);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #beat(): void {
    this.#send({ type: "ping", n: (this.#ping = (this.#ping + 1) % 1_000_000) });
  }

  #tick(): void {
    this.now = Date.now() + this.#offset;
    const socket = this.#socket;
    if (socket && Date.now() - this.#heardAt > SILENCE_MS) {
      socket.close();
      this.#lost(socket);
    }
  }

  #setClock(serverTime: number): void {
    this.#offset = serverTime - Date.now();
  }

  #receive(data: string): void {
    this.#heardAt = Date.now();
    this.#hear(JSON.parse(data) as ProctorServerFrame);
  }

  #hear(frame: ProctorServerFrame): void {
    switch (frame.type) {
      case "wall":
        this.#setClock(frame.server_time);
        return this.#wall([frame.sitting, ...(frame.beside ?? [])], frame.tiles, frame.codes);
      case "tile":
        this.#setClock(frame.server_time);
        return this.#tile(frame.tile);
      case "pulse":
        for (const pulse of frame.pulses) {
          const place = this.placeOf(pulse.session);
          if (!place) continue;
          place.level = pulse.level;
          place.show(pulse.still, this.exactNow());
          place.battery = pulse.battery ?? null;
        }
        return;
      case "detail":
        this.#setClock(frame.server_time);
        if (frame.detail.tile.session === this.opened) this.detail = frame.detail;
        return;
      case "duty":
        this.duty = { proctors: frame.proctors, mine: new Set(frame.mine), unwatched: frame.unwatched };
        return;
      case "done_all":
        this.#waiting.get(frame.re)?.resolve(null, { done: frame.done, refused: frame.refused });
        this.#waiting.delete(frame.re);
        return;
      case "done":
        return this.#settle(frame.re, null);
      case "refused":
        if (frame.re === null) return this.#refusedWhole({ is: "problem", problem: frame.problem });
        return this.#settle(frame.re, { is: "problem", problem: frame.problem });
      case "pong":
        return this.#setClock(frame.server_time);
      case "bye":
        this.fault = { is: "problem", problem: frame.problem };
        this.restarts = frame.problem.code === "shutting_down";
        if (frame.problem.status === 403 || frame.problem.status === 404) this.link = "over";
        return;
    }
  }

  /** A refusal of no command of ours: before the wall is there, it is the wall that was refused. */
  #refusedWhole(fault: Fault): void {
    if (this.sitting) this.notice("frame", fault);
    else this.fault = fault;
  }

  #settle(re: number, fault: Fault | null): void {
    this.#waiting.get(re)?.resolve(fault);
    this.#waiting.delete(re);
  }

  #wall(sittings: SittingRow[], tiles: Tile[], codes: CodeRow[]): void {
    this.sittings = sittings;
    this.sitting = sittings[0] ?? null;
    this.codes = codes;
    const before = this.#bySession;
    this.places = [...tiles]
      .sort((a, b) => this.#order(a, b))
      .map((tile) => {
        const place = before.get(tile.session) ?? new Place(tile, this.exactNow());
        place.tile = tile;
        place.show(tile.still, this.exactNow());
        return place;
      });
    this.link = "live";
    this.fault = null;
    this.lostSince = null;
    this.restarts = false;
    this.#attempt = 0;
    this.now = Date.now() + this.#offset;
    if (this.opened) this.#send({ type: "open", session: this.opened });
  }

  /** Sitting by sitting, by place. */
  #order(a: Tile, b: Tile): number {
    const hall = (tile: Tile): number => this.sittings.findIndex(({ sitting }) => sitting === tile.sitting);
    return hall(a) - hall(b) || a.place - b.place;
  }

  #tile(tile: Tile): void {
    const place = this.placeOf(tile.session);
    if (!place) {
      this.places = [...this.places, new Place(tile, this.exactNow())].sort((a, b) => this.#order(a.tile, b.tile));
    } else {
      if (tile.version < place.tile.version) return;
      const before = place.tile;
      place.tile = tile;
      place.show(tile.still, this.exactNow());
      const isNews = before.trouble !== tile.trouble || before.open_incidents < tile.open_incidents;
      if (!isNews) return;
    }
    if (toneOf(tile) === "critical") this.alarm = tile;
  }
}

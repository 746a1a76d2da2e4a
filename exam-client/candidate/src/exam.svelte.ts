// Runs the reducer: gives it what happened and does what it asks. One per page.
import type { CandidateCommand } from "../../shared/src/wire/CandidateCommand.ts";
import type { CandidateServerFrame } from "../../shared/src/wire/CandidateServerFrame.ts";
import type { LinkInfo } from "../../shared/src/wire/LinkInfo.ts";
import type { Code } from "../../shared/src/wire/Code.ts";
import { Api, Failure } from "./api.ts";
import { chance, deviceKey, nonce } from "./entropy.ts";
import type { Line } from "./line/line.ts";
import { Media } from "./media.svelte.ts";
import type { Share } from "./screen/share.svelte.ts";
import { screenOf, serverNow } from "./reading.ts";
import { EMPTY, keptOf, step, type Effect, type SessionEvent, type SessionState } from "./session.ts";
import { openStore, type Device, type Store } from "./store.ts";
import { anotherTabIsOpen, tabId } from "./tab.ts";

const TICK_MS = 500;

export type Phase =
  | { readonly is: "starting" }
  /** `at`: device time of the look at the link */
  | { readonly is: "info"; readonly info: LinkInfo; readonly at: number; readonly busy: boolean; readonly failed: Code | "unreachable" | null }
  | { readonly is: "failed"; readonly code: Code | "unreachable" }
  | { readonly is: "session"; readonly info: LinkInfo };

export class Exam {
  phase = $state.raw<Phase>({ is: "starting" });
  state = $state.raw<SessionState>(EMPTY);
  now = $state(Date.now());
  /** False: this browser keeps nothing after a reload. */
  durable = $state(true);
  /** The last announcement of the clock, in minutes. */
  minutesSaid = $state<number | null>(null);
  readonly api = new Api();
  readonly media: Media;
  readonly link: string;
  #store: Store | undefined;
  #session = "";
  #tab = "";
  /** What is stored of this session belongs to this tab. */
  #owns = true;
  /** What shares the screen, where the exam asks for it */
  screen = $state.raw<(Omit<typeof import("./screen/index.ts"), "default"> & { readonly share: Share }) | null>(null);
  #loadingScreen = false;
  #socket: WebSocket | undefined;
  #line: Promise<Line | undefined> | undefined;
  /** Said with each sign of life, while the device runs on it */
  #battery: number | undefined;
  /** Writes of one session in the order they were asked for. */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(link: string) {
    this.link = link;
    this.media = new Media(this.api, {
      lost: (code) => this.signal(code, "begin"),
      back: (code) => this.signal(code, "end"),
      restoreFailed: (code) => this.signal(code, "restore_failed"),
      prompt: (open) => this.#prompt(open),
      wantsScreen: () => this.asksForScreen,
    });
  }

  #prompt(open: boolean): void {
    if (this.state.view?.stage === "running") this.command({ do: "prompt", open });
  }

  /** What the server says counts; before it has, what the link said. */
  get asksForScreen(): boolean {
    const { view } = this.state;
    if (view) return view.media.screen !== undefined;
    return (this.phase.is === "info" || this.phase.is === "session") && this.phase.info.screen;
  }

  /** Loads what an exam with a shared screen needs; a line too weak for it now is tried again. */
  async #loadScreen(): Promise<void> {
    if (this.screen || this.#loadingScreen || !this.asksForScreen) return;
    this.#loadingScreen = true;
    try {
      const parts = await import("./screen/index.ts");
      const tell = (phase: "begin" | "end" | "restore_failed") => () => this.signal("SCREEN_SHARE_ENDED", phase);
      const share = new parts.Share({
        changed: (track) => this.media.share(track),
        lost: tell("begin"),
        back: tell("end"),
        restoreFailed: tell("restore_failed"),
        prompt: (open) => this.#prompt(open),
      });
      this.screen = { ...parts, share };
    } catch {
      // The next tick asks again.
    } finally {
      this.#loadingScreen = false;
    }
  }

  async start(): Promise<void> {
    setInterval(() => {
      this.dispatch({ on: "tick" });
      this.#followLine();
      void this.#loadScreen();
    }, TICK_MS);
    addEventListener("online", () => {
      this.dispatch({ on: "online" });
      this.media.hurry();
    });
    addEventListener("pagehide", () => this.media.leave());
    // A page taken out of the back-forward cache has lost socket and devices.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    const store = await openStore();
    this.#store = store;
    this.durable = store.durable;
    this.#tab = await tabId();
    const device = await store.device(this.link).catch(() => undefined);
    if (device?.bound) return this.#enter(device);
    await this.lookUp();
  }

  /** What the link leads to; changes nothing. */
  async lookUp(): Promise<void> {
    try {
      const info = await this.api.open(this.link);
      this.phase = { is: "info", info, at: Date.now(), busy: false, failed: null };
    } catch (error) {
      this.phase = { is: "failed", code: codeOf(error) };
    }
  }

  /** The button: from here on this browser is the candidate's device. */
  async bind(): Promise<void> {
    const { phase } = this;
    if (phase.is !== "info" || phase.busy || !this.#store) return;
    this.phase = { ...phase, busy: true, failed: null };
    try {
      // The key is on the disk before the server hears of it; else a crash would lock the candidate out.
      const known = await this.#store.device(this.link).catch(() => undefined);
      const device: Device = { link: this.link, info: phase.info, deviceKey: known?.deviceKey ?? deviceKey(), bound: false };
      await this.#store.putDevice(device);
      const bound = await this.api.bind(this.link, device.deviceKey, this.#tab);
      const info = { ...phase.info, session: bound.session };
      await this.#store.putDevice({ ...device, info, bound: true });
      await this.#enter({ ...device, info, bound: true });
    } catch (error) {
      this.phase = { ...phase, busy: false, failed: codeOf(error) };
    }
  }

  async #enter(device: Device): Promise<void> {
    this.#session = device.info.session;
    this.api.authorise(this.#session, device.deviceKey);
    const owner = await this.#store?.owner(this.#session).catch(() => undefined);
    this.#owns = owner === undefined || owner === this.#tab;
    if (this.#owns) {
      await this.#write((store) => store.own(this.#session, this.#tab));
      const kept = await this.#store?.load(this.#session).catch(() => undefined);
      this.dispatch({ on: "restored", kept: kept?.kept ?? null, outbox: kept?.outbox ?? [] });
    }
    this.phase = { is: "session", info: device.info };
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

  /** The line is watched while the exam runs; what waits on this device is brought after it too. */
  #followLine(): void {
    const screen = this.phase.is === "session" ? screenOf(this.state) : null;
    const waits = this.state.view?.local_waits ?? 0;
    if (screen === "exam" || (screen === "end" && waits > 0)) this.#line ??= this.#watchLine();
    if (screen === "end") void this.#line?.then((line) => line?.end());
    if (screen === "stopped" || screen === "other_device") {
      void this.#line?.then((line) => line?.close());
      this.#line = undefined;
    }
  }

  async #watchLine(): Promise<Line | undefined> {
    try {
      const { Line } = await import("./line/line.ts");
      return new Line({
        api: this.api,
        session: this.#session,
        peer: () => this.media.peer,
        stream: () => this.media.stream,
        socket: () => this.#load(),
        serverTime: (at) => serverNow(this.state, at),
        command: (command) => this.command(command),
        waits: () => this.state.view?.local_waits ?? 0,
        battery: (percent) => {
          this.#battery = percent;
        },
        show: (step, kept) => {
          this.media.step = step;
          this.media.kept = kept;
        },
      });
    } catch {
      // Not loaded: the line is too weak for it now.
      this.#line = undefined;
      return undefined;
    }
  }

  #load(): { open: boolean; answerMs: number; buffered: number; told: boolean } {
    const { connection, outbox, busyRow } = this.state;
    // A server that asks to wait is no weak line.
    const oldest = busyRow > 0 ? undefined : outbox.find(({ command }) => command.do === "answer")?.client_at;
    return {
      open: connection.is === "open" && connection.welcomed,
      answerMs: oldest === undefined ? 0 : Math.max(0, serverNow(this.state, Date.now()) - oldest),
      buffered: this.#socket?.bufferedAmount ?? 0,
      told: !outbox.some(({ command }) => command.do === "keep_local"),
    };
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case "connect":
        void this.#connect();
        return;
      case "disconnect":
        this.#letGo();
        return;
      case "send":
        if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(effect.frame.type === "ping" ? { ...effect.frame, battery: this.#battery } : effect.frame));
        return;
      case "store": {
        const { epoch, client_seq } = effect.pending;
        this.#write((store) => store.put(this.#session, effect.pending)).then(() => this.dispatch({ on: "stored", epoch, client_seq }));
        return;
      }
      case "forget":
        void this.#write((store) => store.forget(this.#session, effect.epoch, effect.client_seq));
        return;
      case "save":
        // A waiting tab leaves the notes of the tab in charge alone.
        if (this.#owns && this.state.view?.attach === "in_charge") void this.#write((store) => store.save(this.#session, this.#tab, keptOf(this.state)));
        return;
      case "say_minutes":
        this.minutesSaid = effect.minutes;
        return;
      case "make_nonce":
        this.dispatch({ on: "ready", nonce: nonce() });
        return;
      case "reload":
        this.#takeOver();
    }
  }

  /** In charge from now on: what the other tab left on this device is read by a fresh start. */
  #takeOver(): void {
    this.#letGo();
    void this.#write((store) => store.own(this.#session, this.#tab)).then(() => location.reload());
  }

  #hear(frame: CandidateServerFrame): void {
    if (frame.type === "welcome" && frame.epoch !== null) {
      if (!this.#owns) return this.#takeOver();
      // Another tab may have been in charge meanwhile; from here on this one's notes are kept again.
      void this.#write((store) => store.own(this.#session, this.#tab));
    }
    const before = this.state.superseded;
    this.dispatch({ on: "frame", frame });
    if (before === "no" && this.state.superseded !== "no") void this.#superseded();
  }

  /** What is stored belongs to whoever took over; in charge again, this page reads it anew. */
  async #superseded(): Promise<void> {
    if (this.durable) this.#owns = false;
    // Another tab of this very browser: when it is closed, the exam goes on here, so this page keeps its place.
    if (await anotherTabIsOpen(this.#tab)) this.dispatch({ on: "connect" });
  }

  /** A full disk must not stop the exam: what cannot be stored is sent all the same, and the page says so. */
  #write(act: (store: Store) => Promise<void>): Promise<void> {
    const done = this.#writes.then(async () => {
      if (!this.#store) return;
      try {
        await act(this.#store);
      } catch {
        this.durable = false;
      }
    });
    this.#writes = done;
    return done;
  }

  async #connect(): Promise<void> {
    this.#letGo();
    try {
      const { ticket } = await this.api.ticket(this.#tab);
      if (this.state.connection.is !== "connecting") return;
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const socket = new WebSocket(`${scheme}://${location.host}/api/v1/candidate/socket?ticket=${encodeURIComponent(ticket)}`);
      this.#socket = socket;
      const mine = (act: () => void) => (): void => void (this.#socket === socket && act());
      socket.onopen = mine(() => this.dispatch({ on: "opened" }));
      socket.onclose = mine(() => {
        this.#socket = undefined;
        this.dispatch({ on: "closed" });
      });
      socket.onmessage = (message: MessageEvent<string>) => {
        if (this.#socket === socket) this.#hear(JSON.parse(message.data) as CandidateServerFrame);
      };
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure({});
      const { code, position } = failure;
      this.dispatch({ on: "closed", retryAfterMs: failure.retryAfterMs, ...(code ? { code } : {}), ...(position === undefined ? {} : { position }) });
    }
  }

  #letGo(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}

function codeOf(error: unknown): Code | "unreachable" {
  return (error instanceof Failure ? error.code : undefined) ?? "unreachable";
}

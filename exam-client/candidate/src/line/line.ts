// What the line carries of the supervision: looks at it every second, goes up and down the ladder, sends stills,
// records on the device what does not arrive, and brings that later. Answers always go first. Loaded when the exam runs.
import type { CandidateCommand } from "../../../shared/src/wire/CandidateCommand.ts";
import type { MediaStep } from "../../../shared/src/wire/MediaStep.ts";
import type { Api, Failure } from "../api.ts";
import { hasRoom, KEPT_PIECES, Recorder, Shelf, type Recorded } from "./keep.ts";
import { BOTTOM_UP, climb, isFree } from "./ladder.ts";
import { Probe } from "./stats.ts";
import { Camera } from "./still.ts";

const LOOK_MS = 1_000;
/** Until the server says otherwise. */
const STILL_EVERY_MS = 5_000;
/** After a failure of the line. */
const AGAIN_MS = 3_000;
/** What waits in the socket's own buffer waits for the line. */
const BUFFER_BYTES = 16 * 1024;
const BUFFERED_MS = 5_000;

/** What the encoder is asked for at each step; the sound goes on as long as there is a way. */
const SENT: Readonly<Record<MediaStep, { active: boolean; maxBitrate: number; maxFramerate: number; scaleResolutionDownBy: number }>> = {
  full: { active: true, maxBitrate: 300_000, maxFramerate: 12, scaleResolutionDownBy: 1 },
  small: { active: true, maxBitrate: 90_000, maxFramerate: 6, scaleResolutionDownBy: 2 },
  stills: { active: false, maxBitrate: 90_000, maxFramerate: 6, scaleResolutionDownBy: 2 },
  signals: { active: false, maxBitrate: 90_000, maxFramerate: 6, scaleResolutionDownBy: 2 },
};
/** A shared screen gives way first: it keeps its size, or nothing on it could be read. */
const SCREEN: typeof SENT = {
  full: { active: true, maxBitrate: 250_000, maxFramerate: 5, scaleResolutionDownBy: 1 },
  small: { active: true, maxBitrate: 50_000, maxFramerate: 1, scaleResolutionDownBy: 1 },
  stills: { active: false, maxBitrate: 50_000, maxFramerate: 1, scaleResolutionDownBy: 1 },
  signals: { active: false, maxBitrate: 50_000, maxFramerate: 1, scaleResolutionDownBy: 1 },
};
const SOUND: Readonly<Record<MediaStep, number>> = { full: 40_000, small: 24_000, stills: 16_000, signals: 16_000 };

/** What the page knows and does for the line. */
export interface Host {
  readonly api: Api;
  readonly session: string;
  peer(): RTCPeerConnection | undefined;
  stream(): MediaStream | null;
  /** `told`: the server knows how many pieces wait */
  socket(): { open: boolean; answerMs: number; buffered: number; told: boolean };
  /** Device time to server time */
  serverTime(at: number): number;
  command(command: CandidateCommand): void;
  /** Pieces that the server waits for */
  waits(): number;
  show(step: MediaStep, kept: number): void;
  /** Percent left; nothing on mains */
  battery(percent: number | undefined): void;
}

/** Not every browser tells. */
interface Battery {
  readonly level: number;
  readonly charging: boolean;
  onlevelchange: (() => void) | null;
  onchargingchange: (() => void) | null;
}

async function followBattery(tell: Host["battery"]): Promise<void> {
  const battery = await (navigator as { getBattery?: () => Promise<Battery> }).getBattery?.();
  if (!battery) return;
  const look = (): void => tell(battery.charging ? undefined : Math.round(battery.level * 100));
  battery.onlevelchange = battery.onchargingchange = look;
  look();
}

export class Line {
  readonly #host: Host;
  readonly #probe = new Probe();
  readonly #camera = new Camera();
  #ladder = BOTTOM_UP;
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;
  #shelf: Shelf | undefined;
  #recorder: Recorder | undefined;
  /** Device time up to which the server, or a piece, has everything */
  #wholeUntil = Date.now();
  #applied: { peer: RTCPeerConnection; step: MediaStep } | undefined;
  #stillMs: number | null = null;
  #stillAt = 0;
  #sending = false;
  #bringAt = 0;
  #bringing = false;
  #kept = 0;
  /** Being recorded, or on their way to the disk */
  #begun = 0;
  #said: number;
  /** Whether the piece in front may be at the server already: its answer was lost, or this page is fresh */
  #unsure = true;
  #ended = false;
  /** What changes the pieces on the disk, one after the other: counts are never taken in between */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
    this.#said = host.waits();
    followBattery((percent) => host.battery(percent)).catch(() => undefined);
    this.#timer = setInterval(() => {
      this.#look().catch(() => undefined);
    }, LOOK_MS);
    if (Recorder.able()) {
      // What a page before this one left is brought first; without a disk nothing is kept.
      const open = async (): Promise<{ brought: number }> => {
        this.#shelf = await Shelf.open(host.session);
        return { brought: 0 };
      };
      this.#inTurn(open).catch(() => undefined);
    }
  }

  /** The exam is over: nothing more is looked at, what is kept here is still brought. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopRecorder();
    this.#camera.close();
    this.#bringAt = 0;
  }

  /** Another page is in charge. */
  close(): void {
    this.end();
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      if (!this.#ended) await this.#climb(Date.now());
      this.#bring();
    } finally {
      this.#looking = false;
    }
  }

  async #climb(at: number): Promise<void> {
    const { peer, socket, stream } = this.#host;
    const [way, exam] = [await this.#probe.look(peer.call(this.#host), at), socket.call(this.#host)];
    if (this.#ended) return;
    const live = way.fresh && peer.call(this.#host)?.connectionState === "connected";
    const answerMs = Math.max(exam.answerMs, exam.buffered > BUFFER_BYTES ? BUFFERED_MS : 0);
    const sample = { ...way, live, socket: exam.open, answerMs, stillMs: this.#stillMs };
    const before = this.#ladder.step;
    this.#ladder = climb(this.#ladder, sample, at);
    const { step, why } = this.#ladder;
    if (step !== before) {
      this.#stillMs = null;
      this.#host.command({ do: "step_media", step, why });
      this.#show();
    }
    await this.#apply(step);
    const arrives = live && SENT[step].active;
    if (arrives && !this.#recorder) this.#wholeUntil = way.heardAt;
    if (arrives) this.#stopRecorder();
    else if (stream.call(this.#host)) this.#record();
    if (step === "stills" && exam.open && exam.answerMs === 0) void this.#still(at);
  }

  /** Also onto a connection that came up anew. */
  async #apply(step: MediaStep): Promise<void> {
    const peer = this.#host.peer();
    if (!peer || peer.connectionState !== "connected") return void (this.#applied = undefined);
    if (this.#applied?.peer === peer && this.#applied.step === step) return;
    for (const [place, sender] of peer.getSenders().entries()) {
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings;
      if (!encoding) continue;
      // Behind camera and microphone stands the screen, shared at the moment or not.
      if (place === 2) Object.assign(encoding, SCREEN[step]);
      else if (sender.track?.kind === "video") Object.assign(encoding, SENT[step]);
      else if (sender.track?.kind === "audio") encoding.maxBitrate = SOUND[step];
      await sender.setParameters(parameters).catch(() => undefined);
    }
    this.#applied = { peer, step };
  }

  async #still(at: number): Promise<void> {
    const stream = this.#host.stream();
    if (this.#sending || at < this.#stillAt || !stream) return;
    this.#sending = true;
    const began = Date.now();
    try {
      const picture = await this.#camera.still(stream);
      if (!picture) return;
      const { next_ms } = await this.#host.api.still(picture);
      this.#stillMs = Date.now() - began;
      this.#stillAt = Date.now() + next_ms;
    } catch {
      this.#stillMs = Infinity;
      this.#stillAt = Date.now() + STILL_EVERY_MS;
    } finally {
      this.#sending = false;
    }
  }

  #record(): void {
    const stream = this.#host.stream();
    if (this.#recorder?.over) this.#stopRecorder();
    if (this.#recorder || !this.#shelf || !stream || this.#kept >= KEPT_PIECES) return;
    try {
      this.#recorder = new Recorder(stream, {
        began: () => {
          this.#begun++;
          this.#tell();
        },
        done: (recorded) => {
          const keep = async (): Promise<{ brought: number }> => {
            if (recorded) await this.#keep(recorded);
            return { brought: 0 };
          };
          // A disk that refuses: what is not there is said to be lost.
          this.#inTurn(keep, 1).catch(() => undefined);
        },
      });
    } catch {
      // Tracks that ended in this very moment; the next look tries again.
    }
  }

  #stopRecorder(): void {
    this.#recorder?.stop();
    this.#recorder = undefined;
  }

  async #keep({ blob, from, spanMs }: Recorded): Promise<void> {
    const shelf = this.#shelf;
    // Full: what is not kept is said with the next piece that is.
    if (!shelf || !hasRoom(await shelf.pieces(), blob.size)) return;
    const missingMs = Math.max(0, from - this.#wholeUntil);
    await shelf.put(await blob.arrayBuffer(), { from: Math.round(this.#host.serverTime(from)), spanMs, missingMs });
    this.#wholeUntil = Math.max(this.#wholeUntil, from + spanMs);
  }

  /** A change of the pieces, then all counts at once: `finished` were begun before, so many were brought. */
  #inTurn(change: () => Promise<{ brought: number }>, finished = 0): Promise<void> {
    const turn = this.#writes.then(async () => {
      let brought = 0;
      try {
        ({ brought } = await change());
      } finally {
        const pieces = await this.#shelf?.pieces().catch(() => undefined);
        this.#kept = pieces?.length ?? this.#kept;
        this.#begun -= finished;
        // The server counts what came by itself.
        this.#said = Math.max(0, this.#said - brought);
        this.#tell();
      }
    });
    this.#writes = turn.catch(() => undefined);
    return turn;
  }

  /** The server waits for as many as this before it seals. */
  #tell(): void {
    const waiting = this.#kept + this.#begun;
    if (waiting !== this.#said) this.#host.command({ do: "keep_local", pieces: waiting });
    this.#said = waiting;
    this.#show();
  }

  #show(): void {
    this.#host.show(this.#ladder.step, this.#kept);
  }

  /** One piece at a time, in order, while nothing more important needs the line; it leaves the line to others for as long
   *  as it took. */
  #bring(): void {
    const { open, answerMs, told } = this.#host.socket();
    const may = this.#kept > 0 && open && told && answerMs === 0 && (this.#ended || isFree(this.#ladder, this.#stillMs));
    if (this.#bringing || !may || Date.now() < this.#bringAt) return;
    this.#bringing = true;
    const began = Date.now();
    void this.#bringOne()
      .then(
        () => (this.#bringAt = this.#ended ? 0 : Date.now() + (Date.now() - began)),
        () => {
          this.#unsure = true;
          this.#bringAt = Date.now() + AGAIN_MS;
        },
      )
      .finally(() => (this.#bringing = false));
  }

  async #bringOne(): Promise<void> {
    const shelf = this.#shelf;
    const piece = (await shelf?.pieces())?.[0];
    if (!shelf || !piece) return;
    let brought = 0;
    try {
      const plain = await shelf.plain(piece);
      if (!this.#unsure || !(await this.#isThere(plain))) await this.#host.api.local(plain, piece);
      brought = 1;
    } catch (error) {
      // What the server will never take must not stand in the way of the next one.
      if (!isFinal(error)) throw error;
    }
    this.#unsure = false;
    await this.#inTurn(async () => {
      await shelf.drop(piece);
      return { brought };
    });
  }

  /** The answer to an earlier try of it may have been lost. */
  async #isThere(plain: ArrayBuffer): Promise<boolean> {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", plain));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return (await this.#host.api.localHeld()).stored.includes(hex);
  }
}

const FINAL = ["exam_ended", "out_of_limits", "body_too_large", "wrong_stage", "other_device", "credential_invalid"];

function isFinal(error: unknown): boolean {
  // A piece that cannot be decrypted is none any more.
  if (error instanceof DOMException) return error.name === "OperationError";
  return FINAL.includes((error as Partial<Failure>).code ?? "");
}

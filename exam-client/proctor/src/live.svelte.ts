// Live pictures over WHEP (draft-ietf-wish-whep): one connection per candidate, shared by whoever shows it.
import { begin, relaysOf } from "../../shared/src/relay.ts";
import { Failed, type Fault, faultOf, send } from "../../shared/src/staff/api.ts";
import { reconnectWait } from "./rules.ts";

/** A connection that the browser calls disconnected is made anew after this: it takes half a minute to call it failed. */
const BROKEN_MS = 3_000;
/** A tile that is left and entered again keeps its connection. */
const LINGER_MS = 1_500;

/** `webcam` comes with the sound, the shared `screen` by itself. */
export type Track = "webcam" | "screen";

/** `small`, for a tile: every other picture where the candidate's browser sends them in layers, and no sound. */
export type Size = "small" | "whole";

/** One candidate's live picture. */
export class LiveView {
  stream = $state.raw<MediaStream | null>(null);
  /** Nothing comes any more: what is seen is not of now. */
  isBroken = $state(false);
  fault = $state.raw<Fault | null>(null);
  readonly #session: string;
  readonly #track: Track;
  #peer: RTCPeerConnection | null = null;
  #resource: string | null = null;
  #closed = false;
  #attempt = 0;
  #timer: number | undefined;
  #size: Size;

  constructor(session: string, track: Track, size: Size) {
    this.#session = session;
    this.#track = track;
    this.#size = size;
    void this.#connect();
  }

  /** How closely it is looked at from now on; the picture goes on meanwhile. */
  resize(size: Size): void {
    if (this.#size === size) return;
    this.#size = size;
    if (this.#resource) this.#tellSize(this.#resource);
  }

  #tellSize(resource: string): void {
    // One that has gone is made anew by itself, in the size that is wanted then.
    void send(`${resource}?size=${this.#size}`, { method: "PUT" }).catch(() => undefined);
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const peer = this.#peer;
    this.#peer = null;
    this.stream = null;
    this.isBroken = false;
    const resource = this.#resource;
    this.#resource = null;
    if (!resource) return peer?.close();
    // The request first: told by our closing, the server would have forgotten what it is asked to end.
    void send(resource, { method: "DELETE", keepalive: true })
      .catch(() => undefined)
      .finally(() => peer?.close());
  }

  #again(): void {
    this.#drop();
    if (this.#closed) return;
    this.#timer = window.setTimeout(() => void this.#connect(), reconnectWait(2 + this.#attempt++, Math.random()));
  }

  async #connect(): Promise<void> {
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    const stream = new MediaStream();
    peer.addTransceiver("video", { direction: "recvonly" });
    if (this.#track === "webcam") peer.addTransceiver("audio", { direction: "recvonly" });
    peer.ontrack = (event) => {
      stream.addTrack(event.track);
      this.stream = stream;
    };
    peer.onconnectionstatechange = () => {
      if (this.#peer !== peer) return;
      const state = peer.connectionState;
      clearTimeout(this.#timer);
      this.isBroken = state === "disconnected" || state === "failed";
      if (state === "connected") this.#attempt = 0;
      if (state === "failed") this.#again();
      if (state === "disconnected") this.#timer = window.setTimeout(() => this.#again(), BROKEN_MS);
    };
    try {
      // The server takes no candidates: nothing is gathered before its answer has named the relay.
      const offer = await peer.createOffer();
      const { answer, relays } = await this.#offer(offer.sdp ?? "");
      if (this.#peer !== peer) return;
      await begin(peer, offer, relays, answer);
      this.fault = null;
    } catch (thrown) {
      if (this.#closed || this.#peer !== peer) return;
      this.fault = thrown instanceof DOMException ? { is: "unreadable" } : faultOf(thrown);
      this.#again();
    }
  }

  async #offer(sdp: string): Promise<{ answer: string; relays: RTCIceServer[] }> {
    const size = this.#size;
    const path = `/api/v1/proctor/sessions/${this.#session}/whep?track=${this.#track}&size=${size}`;
    const response = await send(path, { method: "POST", headers: { "content-type": "application/sdp" }, body: sdp });
    const location = response.headers.get("location");
    if (!location) throw new Failed({ is: "unreadable" });
    const resource = new URL(location, response.url).pathname;
    if (this.#closed) void send(resource, { method: "DELETE", keepalive: true }).catch(() => undefined);
    else this.#resource = resource;
    if (!this.#closed && this.#size !== size) this.#tellSize(resource);
    return { answer: await response.text(), relays: relaysOf(response.headers.get("link")) };
  }
}

type Entry = { view: LiveView; users: Record<Size, number>; timer: number | undefined };

const open = new Map<string, Entry>();

const keyOf = (session: string, track: Track): string => `${session}/${track}`;

/** The closest look that anybody takes. */
const sizeFor = ({ users }: Entry): Size => (users.whole > 0 ? "whole" : "small");

/** The live view of a candidate; `release` must follow once for each. */
export function acquire(session: string, track: Track, size: Size): LiveView {
  const key = keyOf(session, track);
  let entry = open.get(key);
  if (!entry) open.set(key, (entry = { view: new LiveView(session, track, size), users: { small: 0, whole: 0 }, timer: undefined }));
  clearTimeout(entry.timer);
  entry.users[size] += 1;
  entry.view.resize(sizeFor(entry));
  return entry.view;
}

/** Nobody shows it any more: it is closed a little later. */
export function release(session: string, track: Track, size: Size): void {
  const key = keyOf(session, track);
  const entry = open.get(key);
  if (!entry) return;
  entry.users[size] -= 1;
  if (entry.users.small + entry.users.whole > 0) return entry.view.resize(sizeFor(entry));
  entry.timer = window.setTimeout(() => {
    entry.view.close();
    open.delete(key);
  }, LINGER_MS);
}

// Publishes camera and microphone by WHIP (RFC 9725) and comes back by itself when the connection dies.
import { begin } from "../../shared/src/relay.ts";
import { chance } from "./entropy.ts";
import { Failure, type Api } from "./api.ts";
import type { Code } from "../../shared/src/wire/Code.ts";

/** Total of one candidate stays within a weak home uplink. */
const MAX_BITRATE = 300_000;
const FRAME_RATE = 12;
/** A desktop is mostly still. When both cannot have what they want, the webcam goes first: the law asks for it. */
const SCREEN = { maxBitrate: 250_000, maxFramerate: 5, priority: "very-low" } as const;
const RETRY_BASE_MS = 500;
const RETRY_CAP_MS = 10_000;
/** ICE may heal by itself; longer than this it rarely does. */
const HEAL_MS = 4_000;
/** ICE over UDP and TCP is done in far less, also on a poor line. */
const CONNECT_MS = 12_000;

/** `blocked`: the server answered over HTTPS, but picture and sound find no way to it. `port` is the one to open. */
export type Published =
  | { readonly is: "live" }
  | { readonly is: "off"; readonly code: Code | undefined }
  | { readonly is: "blocked"; readonly port: string };

export class Publisher {
  readonly #api: Api;
  readonly #tell: (published: Published) => void;
  #stream: MediaStream | undefined;
  /** Undefined where the exam does not ask for the screen; null while it is not shared. */
  #screen: MediaStreamTrack | null | undefined;
  #screenSender: RTCRtpSender | undefined;
  #peer: RTCPeerConnection | undefined;
  #resource: string | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #port = "";

  constructor(api: Api, tell: (published: Published) => void) {
    this.#api = api;
    this.#tell = tell;
  }

  get peer(): RTCPeerConnection | undefined {
    return this.#peer;
  }

  /** The shared screen from now on; its line stands from the first offer on, so that no new one is needed. */
  async share(track: MediaStreamTrack | null): Promise<void> {
    this.#screen = track;
    await this.#screenSender?.replaceTrack(track).catch(() => undefined);
  }

  /** Starts, or swaps tracks in place when the devices were opened again; `screen`: the exam asks for that too. */
  async publish(stream: MediaStream, screen: boolean): Promise<void> {
    this.#stream = stream;
    if (screen) this.#screen ??= null;
    const peer = this.#peer;
    if (peer && peer.connectionState !== "failed" && peer.connectionState !== "closed") {
      for (const sender of peer.getSenders()) {
        if (sender === this.#screenSender) continue;
        const fresh = stream.getTracks().find((track) => track.kind === sender.track?.kind && track.readyState === "live");
        if (fresh && fresh !== sender.track) await sender.replaceTrack(fresh);
      }
      return;
    }
    clearTimeout(this.#timer);
    await this.#connect();
  }

  /** At once, without the back-off: the browser says the network is back. */
  hurry(): void {
    if (this.#timer !== undefined) this.retry();
  }

  /** A person asked: also in the middle of an attempt. */
  retry(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#connect();
  }

  /** `ended`: the server has closed its end with the exam, there is nothing left to delete. */
  leave(ended: boolean): void {
    clearTimeout(this.#timer);
    this.#stream = undefined;
    this.#drop(ended);
  }

  #drop(gone = false): void {
    const peer = this.#peer;
    this.#peer = undefined;
    this.#screenSender = undefined;
    const resource = gone ? null : this.#resource;
    this.#resource = null;
    // The request first: told by our closing, the server would have forgotten what it is asked to end.
    if (resource) void this.#api.endWhip(resource).then(() => peer?.close());
    else peer?.close();
  }

  async #connect(): Promise<void> {
    const stream = this.#stream;
    if (!stream) return;
    this.#drop();
    this.#timer = undefined;
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#peer = peer;
    try {
      this.#addTracks(peer, stream);
      // The server takes no candidates: nothing is gathered before its answer has named the relay.
      const offer = await peer.createOffer();
      const { answer, resource, relays } = await this.#api.whip(offer.sdp ?? "");
      if (this.#peer !== peer) {
        if (resource) void this.#api.endWhip(resource);
        return;
      }
      this.#resource = resource;
      this.#port = portOf(answer);
      await begin(peer, offer, relays, answer);
      this.#watch(peer);
    } catch (error) {
      const failure = error instanceof Failure ? error : undefined;
      if (this.#peer === peer) this.#again({ is: "off", code: failure?.code }, failure?.retryAfterMs);
    }
  }

  #addTracks(peer: RTCPeerConnection, stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      if (track.kind === "video") track.contentHint = "motion";
      const limits = track.kind === "video" ? { sendEncodings: [{ maxBitrate: MAX_BITRATE, maxFramerate: FRAME_RATE }] } : {};
      peer.addTransceiver(track, { direction: "sendonly", streams: [stream], ...limits });
    }
    if (this.#screen === undefined) return;
    // Behind the webcam: the server takes the second picture for the screen.
    this.#screenSender = peer.addTransceiver(this.#screen ?? "video", { direction: "sendonly", sendEncodings: [SCREEN] }).sender;
  }

  /** After a clean close by the server no connection state follows, only the DTLS transport tells. */
  #watch(peer: RTCPeerConnection): void {
    const dtls = peer.getSenders()[0]?.transport;
    let wasLive = false;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const wait = (ms: number, act: () => void): void => {
      waiting ??= setTimeout(() => this.#peer === peer && peer.connectionState !== "connected" && act(), ms);
    };
    const broken = (): void => (wasLive ? this.#again({ is: "off", code: undefined }) : this.#again({ is: "blocked", port: this.#port }));
    const look = (): void => {
      if (this.#peer !== peer) return;
      const state = peer.connectionState;
      if (dtls?.state === "closed") {
        clearTimeout(waiting);
        this.#drop(true);
        this.#again({ is: "off", code: undefined });
      } else if (state === "connected" && dtls?.state !== "failed") {
        clearTimeout(waiting);
        waiting = undefined;
        wasLive = true;
        this.#attempt = 0;
        this.#tell({ is: "live" });
      } else if (state === "failed" || state === "closed" || dtls?.state === "failed") {
        clearTimeout(waiting);
        broken();
      } else if (wasLive && state === "disconnected") {
        wait(HEAL_MS, broken);
      } else if (!wasLive) {
        wait(CONNECT_MS, broken);
      }
    };
    peer.onconnectionstatechange = look;
    if (dtls) dtls.onstatechange = look;
    look();
  }

  #again(why: Published, retryAfterMs = 0): void {
    this.#drop();
    this.#tell(why);
    if (!this.#stream) return;
    const most = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** this.#attempt++);
    const wait = Math.max(retryAfterMs, RETRY_BASE_MS / 2 + chance() * most);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }
}

/** RFC 8839: foundation, component, transport, priority, address, port. */
function portOf(answer: string): string {
  return /^a=candidate:\S+ \d+ \S+ \d+ \S+ (\d+)/m.exec(answer)?.[1] ?? "";
}

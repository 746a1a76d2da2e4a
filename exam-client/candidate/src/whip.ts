// Publishes camera and microphone by WHIP (RFC 9725) and comes back by itself when the connection dies.
import { chance } from "./entropy.ts";
import { Failure, type Api } from "./api.ts";
import type { Code } from "../../shared/src/wire/Code.ts";

/** No trickle: whatever was gathered by then goes into the offer; host candidates are there at once. */
const GATHER_MS = 1_000;
/** Total of one candidate stays within a weak home uplink. */
const MAX_BITRATE = 300_000;
const FRAME_RATE = 12;
const RETRY_BASE_MS = 500;
const RETRY_CAP_MS = 10_000;
/** ICE may heal by itself; longer than this it rarely does. */
const HEAL_MS = 4_000;

export class Publisher {
  readonly #api: Api;
  readonly #tell: (live: boolean, code: Code | undefined) => void;
  #stream: MediaStream | undefined;
  #peer: RTCPeerConnection | undefined;
  #resource: string | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api, tell: (live: boolean, code: Code | undefined) => void) {
    this.#api = api;
    this.#tell = tell;
  }

  /** Starts, or swaps tracks in place when the devices were opened again. */
  async publish(stream: MediaStream): Promise<void> {
    this.#stream = stream;
    const peer = this.#peer;
    if (peer && peer.connectionState !== "failed" && peer.connectionState !== "closed") {
      for (const sender of peer.getSenders()) {
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
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#connect();
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#stream = undefined;
    this.#drop();
  }

  #drop(): void {
    const peer = this.#peer;
    this.#peer = undefined;
    peer?.close();
    if (this.#resource) this.#api.endWhip(this.#resource);
    this.#resource = null;
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
      await peer.setLocalDescription();
      await gathered(peer);
      const { answer, resource } = await this.#api.whip(peer.localDescription?.sdp ?? "");
      if (this.#peer !== peer) {
        if (resource) this.#api.endWhip(resource);
        return;
      }
      this.#resource = resource;
      await peer.setRemoteDescription({ type: "answer", sdp: answer });
      this.#watch(peer);
    } catch (error) {
      if (this.#peer === peer) this.#again(error instanceof Failure ? error : undefined);
    }
  }

  #addTracks(peer: RTCPeerConnection, stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      if (track.kind === "video") track.contentHint = "motion";
      const limits = track.kind === "video" ? { sendEncodings: [{ maxBitrate: MAX_BITRATE, maxFramerate: FRAME_RATE }] } : {};
      peer.addTransceiver(track, { direction: "sendonly", streams: [stream], ...limits });
    }
  }

  /** After a clean close by the server no connection state follows, only the DTLS transport tells. */
  #watch(peer: RTCPeerConnection): void {
    const dtls = peer.getSenders()[0]?.transport;
    let healing: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      if (this.#peer !== peer) return;
      const state = peer.connectionState;
      if (state === "connected" && dtls?.state !== "closed" && dtls?.state !== "failed") {
        clearTimeout(healing);
        healing = undefined;
        this.#attempt = 0;
        this.#tell(true, undefined);
      } else if (state === "failed" || state === "closed" || dtls?.state === "closed" || dtls?.state === "failed") {
        clearTimeout(healing);
        this.#again();
      } else if (state === "disconnected") {
        healing ??= setTimeout(() => this.#peer === peer && peer.connectionState !== "connected" && this.#again(), HEAL_MS);
      }
    };
    peer.onconnectionstatechange = look;
    if (dtls) dtls.onstatechange = look;
    look();
  }

  #again(failure?: Failure): void {
    this.#drop();
    this.#tell(false, failure?.code);
    if (!this.#stream) return;
    const most = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** this.#attempt++);
    const wait = Math.max(failure?.retryAfterMs ?? 0, RETRY_BASE_MS / 2 + chance() * most);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((done) => {
    const end = setTimeout(done, GATHER_MS);
    const look = (): void => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(end);
      done();
    };
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
}

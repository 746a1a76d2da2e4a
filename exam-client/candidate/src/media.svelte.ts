// Camera and microphone of this device: opened, measured, published, opened again when somebody switches them off.
import type { Code } from "../../shared/src/wire/Code.ts";
import type { MediaStep } from "../../shared/src/wire/MediaStep.ts";
import type { Api } from "./api.ts";
import { Publisher } from "./whip.ts";

const VIDEO: MediaTrackConstraints = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 12, max: 15 } };
// The browser's cleaning would hide a voice in the background.
const AUDIO: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const LEVEL_EVERY_MS = 100;
/** 170 ms at 48 kHz: longer than the interval, so that no short sound falls between two looks. */
const WINDOW_SAMPLES = 8192;
/** An AudioContext that sleeps for so many looks has nothing to play on: two seconds. */
const ASLEEP_LOOKS = 20;
/** dBFS: room tone lies at -61 to -64, speech peaks at -10 to -15 (measured). */
const QUIET_DB = -60;
const MOVED_DB = -50;
/** A picture that stalls for a moment is muted too. */
const MUTE_PASSES_MS = 1_500;

/** Why no device could be opened, for a text that says what to do. */
export type Trouble = "denied" | "missing" | "no_camera" | "no_microphone" | "in_use" | "insecure" | "other";

/** A device that was on and is off. */
export type Lost = "CAMERA_OFF" | "MIC_OFF";

export interface MediaEvents {
  lost(code: Lost): void;
  back(code: Lost): void;
  restoreFailed(code: Lost): void;
  /** A permission prompt of ours may be open: it hides the page's focus. */
  prompt(open: boolean): void;
  /** The exam asks for the screen too */
  wantsScreen(): boolean;
}

export class Media {
  stream = $state.raw<MediaStream | null>(null);
  trouble = $state<Trouble | null>(null);
  opening = $state(false);
  level = $state(0);
  moved = $state(false);
  published = $state(false);
  publishCode = $state<Code | undefined>(undefined);
  /** Port of the server that picture and sound cannot reach from here; stays until they do. */
  blockedPort = $state<string | null>(null);
  /** How much of the picture goes out */
  step = $state.raw<MediaStep>("full");
  /** Pieces of recording that wait on this device */
  kept = $state(0);
  cameraOff = $state(false);
  microphoneOff = $state(false);
  readonly #publisher: Publisher;
  readonly #events: MediaEvents;
  #audio: AudioContext | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #meter: ReturnType<typeof setInterval> | undefined;
  #hearing: (() => void) | undefined;
  #left = false;

  readonly #sends: boolean;

  /** `sends`: false where nobody is to see it but the one before the camera. */
  constructor(api: Api, events: MediaEvents, sends = true) {
    this.#events = events;
    this.#sends = sends;
    this.#publisher = new Publisher(api, (published) => {
      this.published = published.is === "live";
      this.publishCode = published.is === "off" ? published.code : undefined;
      if (published.is === "live") this.blockedPort = null;
      if (published.is === "blocked") this.blockedPort = published.port;
    });
  }

  get peer(): RTCPeerConnection | undefined {
    return this.#publisher.peer;
  }

  get cameraLabel(): string {
    return this.stream?.getVideoTracks()[0]?.label ?? "";
  }

  /** The shared screen from now on. */
  share(track: MediaStreamTrack | null): void {
    void this.#publisher.share(track);
  }

  /** Opens both devices and publishes them. Also the answer to a device that was switched off. */
  async open(): Promise<boolean> {
    if (this.opening || this.#left) return false;
    this.opening = true;
    this.#events.prompt(true);
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "InsecureContext");
      const stream = await navigator.mediaDevices.getUserMedia({ video: VIDEO, audio: AUDIO });
      for (const track of this.stream?.getTracks() ?? []) track.stop();
      this.stream = stream;
      this.trouble = null;
      for (const track of stream.getTracks()) this.#watch(track);
      this.#measure(stream);
      for (const track of stream.getTracks()) this.#judge(track);
      if (this.#sends) await this.#publisher.publish(stream, this.#events.wantsScreen());
      return true;
    } catch (error) {
      const trouble = troubleOf(error);
      this.trouble = trouble === "missing" ? await whatIsMissing() : trouble;
      if (this.cameraOff) this.#events.restoreFailed("CAMERA_OFF");
      if (this.microphoneOff) this.#events.restoreFailed("MIC_OFF");
      return false;
    } finally {
      this.opening = false;
      this.#events.prompt(false);
    }
  }

  hurry(): void {
    this.#publisher.hurry();
  }

  /** Tries the video connection again now. */
  retry(): void {
    this.#publisher.retry();
  }

  /** Another device is in charge: camera and microphone are switched off here; `open` may follow. */
  release(): void {
    this.#deafen();
    this.#publisher.leave(true);
    const stream = this.stream;
    this.stream = null;
    for (const track of stream?.getTracks() ?? []) track.stop();
    this.published = false;
  }

  /** `ended`: the exam is over, the server has let go by itself. */
  leave(ended = false): void {
    this.#left = true;
    this.#deafen();
    this.#publisher.leave(ended);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  /** Ended: unplugged, taken away or permission withdrawn. Muted: switched off by a key or by the system. */
  #watch(track: MediaStreamTrack): void {
    const code = codeOf(track);
    const ours = (): boolean => !this.#left && (this.stream?.getTracks().includes(track) ?? false);
    const lost = (): void => {
      if (!ours()) return;
      this.#mark(code, true);
      this.#events.lost(code);
      // The first attempt to restore is ours; the button is for the next ones.
      setTimeout(() => ours() && this.#isOff(code) && void this.open(), track.readyState === "ended" ? 0 : MUTE_PASSES_MS);
    };
    track.addEventListener("ended", lost);
    track.addEventListener("mute", lost);
    track.addEventListener("unmute", () => {
      if (!ours()) return;
      this.#mark(code, false);
      this.#events.back(code);
    });
  }

  /** What opening brought: a device switched off by a key opens, but stays mute. */
  #judge(track: MediaStreamTrack): void {
    const code = codeOf(track);
    if (!this.#isOff(code)) return;
    if (track.muted) return this.#events.restoreFailed(code);
    this.#mark(code, false);
    this.#events.back(code);
  }

  #isOff(code: Lost): boolean {
    return code === "CAMERA_OFF" ? this.cameraOff : this.microphoneOff;
  }

  #mark(code: Lost, off: boolean): void {
    if (code === "CAMERA_OFF") this.cameraOff = off;
    else this.microphoneOff = off;
  }

  #measure(stream: MediaStream): void {
    this.#deafen();
    const audio = new AudioContext();
    this.#audio = audio;
    const analyser = audio.createAnalyser();
    analyser.fftSize = WINDOW_SAMPLES;
    const source = audio.createMediaStreamSource(stream);
    source.connect(analyser);
    // Held by us: nothing else refers to it, and a collected source is silent.
    this.#source = source;
    const samples = new Float32Array(analyser.fftSize);
    let asleep = 0;
    this.#meter = setInterval(() => {
      if (audio.state === "running") {
        this.#hearing?.();
        this.#hearing = undefined;
        analyser.getFloatTimeDomainData(samples);
        return this.#heard(samples);
      }
      // Some browsers keep it asleep until the first click.
      void audio.resume().catch(() => undefined);
      if (++asleep === ASLEEP_LOOKS && !this.moved) void this.#hearPieces(audio, stream);
    }, LEVEL_EVERY_MS);
  }

  /** Until something was heard: that is what it is for. */
  async #hearPieces(audio: AudioContext, stream: MediaStream): Promise<void> {
    const { hear } = await import("./hear/pieces.ts");
    if (this.#audio !== audio || this.#hearing) return;
    this.#hearing = hear(stream, (samples) => {
      this.#heard(samples);
      if (!this.moved) return;
      this.#hearing?.();
      this.#hearing = undefined;
    });
  }

  #heard(samples: Float32Array): void {
    const db = 10 * Math.log10(samples.reduce((sum, x) => sum + x * x, 0) / samples.length + 1e-12);
    this.level = Math.max(0, Math.min(1, (db - QUIET_DB) / -QUIET_DB));
    if (db > MOVED_DB) this.moved = true;
  }

  #deafen(): void {
    clearInterval(this.#meter);
    this.#source?.disconnect();
    void this.#audio?.close().catch(() => undefined);
    this.#audio = undefined;
    this.#hearing?.();
    this.#hearing = undefined;
  }
}

function codeOf(track: MediaStreamTrack): Lost {
  return track.kind === "video" ? "CAMERA_OFF" : "MIC_OFF";
}

/** The browser does not say which of the two it did not find. */
async function whatIsMissing(): Promise<Trouble> {
  const found = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const has = (kind: MediaDeviceKind): boolean => found.some((device) => device.kind === kind);
  if (has("videoinput") === has("audioinput")) return "missing";
  return has("audioinput") ? "no_camera" : "no_microphone";
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  if (name === "NotReadableError" || name === "AbortError") return "in_use";
  return name === "InsecureContext" ? "insecure" : "other";
}

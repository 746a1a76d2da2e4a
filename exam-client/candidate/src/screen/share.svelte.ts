// The shared screen of this device: asked for, looked at whether it is the whole one, missed when it ends. Only a person's
// click can begin it, so what ends by a reload is asked for again and nothing is held against anybody for that.

/** A desktop with text stays readable at this size; more costs the line, fewer pictures a second cost nothing. */
const SIZE_MAX = 1_280;
const PICTURES_A_SECOND = 5;
/** How long the page's request may stand: the first attempt to restore, as the table of codes wants one. */
const ASKED_MS = 15_000;
/** After a reload: time to read, to find the button, and to choose. */
const REOPENED_MS = 60_000;

export type ShareTrouble = "not_whole" | "declined" | "other";

export interface ShareEvents {
  /** It goes out, or no longer does */
  changed(track: MediaStreamTrack | null): void;
  lost(): void;
  back(): void;
  restoreFailed(): void;
  /** The browser's own window for the choice takes the page's focus */
  prompt(open: boolean): void;
}

type Wanted = DisplayMediaStreamOptions & {
  monitorTypeSurfaces: "include";
  selfBrowserSurface: "exclude";
  surfaceSwitching: "exclude";
  systemAudio: "exclude";
};

export class Share {
  track = $state.raw<MediaStreamTrack | null>(null);
  /** What the browser says it shows; not every browser does */
  surface = $state<"monitor" | "unknown" | null>(null);
  trouble = $state<ShareTrouble | null>(null);
  opening = $state(false);
  /** It was shared on this page and ended */
  ended = $state(false);
  readonly #events: ShareEvents;
  #asked: ReturnType<typeof setTimeout> | undefined;
  #claimed = false;
  #over = false;

  constructor(events: ShareEvents) {
    this.#events = events;
  }

  /** Whether this browser can at all: phones cannot. */
  static able(): boolean {
    return typeof navigator.mediaDevices?.getDisplayMedia === "function";
  }

  /** Only from a click. */
  async open(): Promise<void> {
    if (this.opening || this.#over) return;
    this.opening = true;
    this.#events.prompt(true);
    try {
      const wanted: Wanted = {
        video: { displaySurface: "monitor", width: { max: SIZE_MAX }, height: { max: SIZE_MAX }, frameRate: { max: PICTURES_A_SECOND } },
        audio: false,
        monitorTypeSurfaces: "include",
        selfBrowserSurface: "exclude",
        surfaceSwitching: "exclude",
        systemAudio: "exclude",
      };
      const [track] = (await navigator.mediaDevices.getDisplayMedia(wanted)).getVideoTracks();
      if (track) this.#take(track);
    } catch (error) {
      this.#refuse(error instanceof DOMException && error.name === "NotAllowedError" ? "declined" : "other");
    } finally {
      this.opening = false;
      this.#events.prompt(false);
    }
  }

  /** The page was opened anew in the middle of the exam: whoever never answers is asked no longer. */
  reopened(): void {
    if (this.#claimed || this.#asked !== undefined || this.track) return;
    this.#asked = setTimeout(() => this.#miss(), REOPENED_MS);
  }

  /** Another device is in charge: nothing is shown from here, and nothing is missed. */
  release(): void {
    clearTimeout(this.#asked);
    this.#asked = undefined;
    const track = this.track;
    this.track = null;
    this.ended = false;
    track?.stop();
  }

  /** The exam is over. */
  close(): void {
    this.#over = true;
    this.release();
  }

  /** Hints are hints: what came is looked at. */
  #take(track: MediaStreamTrack): void {
    const surface = track.getSettings().displaySurface;
    if (surface !== undefined && surface !== "monitor") {
      track.stop();
      return this.#refuse("not_whole");
    }
    this.track?.stop();
    // Text before motion; it also tells this picture from the camera's wherever tracks are told apart.
    track.contentHint = "detail";
    this.track = track;
    this.surface = surface === undefined ? "unknown" : "monitor";
    this.trouble = null;
    this.ended = false;
    clearTimeout(this.#asked);
    this.#asked = undefined;
    track.addEventListener("ended", () => this.track === track && this.#lose());
    this.#events.changed(track);
    if (this.#claimed) this.#events.back();
    this.#claimed = false;
  }

  #refuse(trouble: ShareTrouble): void {
    this.trouble = trouble;
    if (this.track || !(this.ended || this.#asked !== undefined)) return;
    this.#claim();
    this.#events.restoreFailed();
  }

  #lose(): void {
    this.track = null;
    this.surface = null;
    this.ended = true;
    this.#events.changed(null);
    this.#claim();
    clearTimeout(this.#asked);
    this.#asked = setTimeout(() => this.#miss(), ASKED_MS);
  }

  /** Nobody has answered the page's request. */
  #miss(): void {
    this.#claim();
    this.#events.restoreFailed();
  }

  #claim(): void {
    if (!this.#claimed) this.#events.lost();
    this.#claimed = true;
  }
}

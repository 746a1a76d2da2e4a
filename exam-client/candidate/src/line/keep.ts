// The device's own recording of what does not reach the server: pieces of a few seconds, each a file of its own,
// encrypted, bounded, brought to the server later.

/** A piece is lost as a whole when the page dies in it. */
const PIECE_MS = 10_000;
/** Of one exam on this device: about 20 min at these rates. */
const KEPT_BYTES = 32 * 1024 * 1024;
export const KEPT_PIECES = 120;
/** What nobody asked for in this time belongs to an exam that is long over. */
const FORGOTTEN_MS = 24 * 3_600_000;
const RATES = { videoBitsPerSecond: 150_000, audioBitsPerSecond: 24_000 };
const TYPES = ["video/webm;codecs=vp8,opus", "video/webm"];
const NAME = "synaq-kept";
const IV_BYTES = 12;

/** A piece as it lies on the device. Instants in server time as the page knew it. */
export interface Piece {
  readonly id: number;
  readonly session: string;
  readonly from: number;
  readonly spanMs: number;
  /** Recorded nowhere right before it */
  readonly missingMs: number;
  readonly bytes: number;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

/** Whether a piece of that size is still kept beside those that are. */
export const hasRoom = (held: readonly { readonly bytes: number }[], bytes: number): boolean =>
  held.length < KEPT_PIECES && held.reduce((sum, piece) => sum + piece.bytes, bytes) <= KEPT_BYTES;

const answered = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error ?? new Error("IndexedDB refused"));
  });

/** Pieces in IndexedDB under a key that this browser uses and never shows, not even to this page. */
export class Shelf {
  readonly #db: IDBDatabase;
  readonly #session: string;
  readonly #key: CryptoKey;

  private constructor(db: IDBDatabase, session: string, key: CryptoKey) {
    this.#db = db;
    this.#session = session;
    this.#key = key;
  }

  static async open(session: string): Promise<Shelf> {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("keys");
      request.result.createObjectStore("pieces", { keyPath: "id", autoIncrement: true });
    };
    const db = await answered(request);
    db.onversionchange = () => db.close();
    const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const keys = db.transaction("keys", "readwrite").objectStore("keys");
    const held = (await answered(keys.get(session))) as CryptoKey | undefined;
    if (!held) await answered(keys.put(fresh, session));
    const shelf = new Shelf(db, session, held ?? fresh);
    await shelf.#forgetOld();
    return shelf;
  }

  /** Of this exam, oldest first. */
  async pieces(): Promise<readonly Piece[]> {
    return (await this.#all()).filter((piece) => piece.session === this.#session);
  }

  async put(plain: ArrayBuffer, said: { from: number; spanMs: number; missingMs: number }): Promise<void> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.#key, plain);
    const piece: Omit<Piece, "id"> = { ...said, session: this.#session, bytes: plain.byteLength, iv, sealed };
    await answered(this.#store("readwrite").put(piece));
  }

  async plain(piece: Piece): Promise<ArrayBuffer> {
    return crypto.subtle.decrypt({ name: "AES-GCM", iv: piece.iv }, this.#key, piece.sealed);
  }

  async drop(piece: Piece): Promise<void> {
    await answered(this.#store("readwrite").delete(piece.id));
  }

  #store(mode: IDBTransactionMode): IDBObjectStore {
    return this.#db.transaction("pieces", mode).objectStore("pieces");
  }

  #all(): Promise<Piece[]> {
    return answered(this.#store("readonly").getAll() as IDBRequest<Piece[]>);
  }

  async #forgetOld(): Promise<void> {
    for (const piece of await this.#all()) {
      if (piece.session !== this.#session && Date.now() - piece.from > FORGOTTEN_MS) await this.drop(piece);
    }
  }
}

/** A finished piece, not encrypted yet. */
export interface Recorded {
  readonly blob: Blob;
  /** Device time */
  readonly from: number;
  readonly spanMs: number;
}

export interface RecorderEvents {
  /** A piece is being recorded */
  began(): void;
  /** It is finished, once for each begun; null: nothing came of it */
  done(piece: Recorded | null): void;
}

/** Records a stream in pieces until it is stopped; the next one begins before the last one ends. */
export class Recorder {
  readonly #stream: MediaStream;
  readonly #events: RecorderEvents;
  #now: MediaRecorder | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The devices are gone: nothing more comes */
  over = false;

  constructor(stream: MediaStream, events: RecorderEvents) {
    this.#stream = stream;
    this.#events = events;
    this.#next();
  }

  /** False where this browser cannot record. */
  static able(): boolean {
    return typeof MediaRecorder !== "undefined" && TYPES.some((type) => MediaRecorder.isTypeSupported(type));
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#now?.state === "recording") this.#now.stop();
    this.#now = undefined;
  }

  #goOn(): void {
    try {
      this.#next();
    } catch {
      // A device that went away in this very moment.
      this.over = true;
      this.stop();
    }
  }

  #next(): void {
    const tracks = this.#stream.getTracks().filter((track) => track.readyState === "live");
    if (tracks.length === 0) {
      this.over = true;
      return this.stop();
    }
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
    const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType, ...RATES });
    const from = Date.now();
    let blob: Blob | null = null;
    // Without a slice all of it comes at once, right before the stop.
    recorder.ondataavailable = ({ data }) => (blob = data.size > 0 ? data : null);
    recorder.onstop = () => this.#events.done(blob && { blob, from, spanMs: Date.now() - from });
    recorder.start();
    this.#events.began();
    const before = this.#now;
    this.#now = recorder;
    if (before?.state === "recording") before.stop();
    this.#timer = setTimeout(() => this.#goOn(), PIECE_MS);
  }
}

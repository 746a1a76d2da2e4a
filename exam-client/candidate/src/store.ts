// What this device keeps: its key, the session's state and the outbox, in IndexedDB; in memory where the browser
// forbids it (private windows), which the page then says.
import type { LinkInfo } from "../../shared/src/wire/LinkInfo.ts";
import type { Kept, Pending } from "./session.ts";

/** One personal link as this device knows it. */
export interface Device {
  readonly link: string;
  readonly info: LinkInfo;
  /** 256 bits, base64url; the credential once the button was pressed. */
  readonly deviceKey: string;
  readonly bound: boolean;
}

export interface Store {
  /** False: a reload loses what is kept here. */
  readonly durable: boolean;
  device(link: string): Promise<Device | undefined>;
  putDevice(device: Device): Promise<void>;
  /** The tab whose state is kept: two tabs of one browser share this store, but not the exam. */
  owner(session: string): Promise<string | undefined>;
  own(session: string, tab: string): Promise<void>;
  load(session: string): Promise<{ kept: Kept | null; outbox: Pending[] }>;
  /** Nothing while another tab is the owner: a tab that lost its line must not write over the state of the next one. */
  save(session: string, tab: string, kept: Kept): Promise<void>;
  put(session: string, pending: Pending): Promise<void>;
  forget(session: string, epoch: number, clientSeq: number): Promise<void>;
}

const NAME = "synaq-candidate";
const VERSION = 1;
/** Some browsers never answer an open request (a frozen tab holds the database); the exam must start all the same. */
const OPEN_LATE_MS = 4_000;

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error ?? new Error("IndexedDB refused"));
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((done, fail) => {
    transaction.oncomplete = () => done();
    transaction.onerror = transaction.onabort = () => fail(transaction.error ?? new Error("IndexedDB refused"));
  });
}

/** The database, unless it is held up (`blocked` by an older page, or no answer at all); then a late one is let go. */
function inTime(request: IDBOpenDBRequest): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    let late = false;
    setTimeout(() => {
      late = true;
      fail(new Error("IndexedDB does not answer"));
    }, OPEN_LATE_MS);
    answer(request).then((db) => (late ? db.close() : done(db)), fail);
  });
}

class IndexedStore implements Store {
  readonly durable = true;
  readonly #db: IDBDatabase;

  constructor(db: IDBDatabase) {
    this.#db = db;
  }

  static async open(): Promise<IndexedStore> {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("devices", { keyPath: "link" });
      request.result.createObjectStore("owners");
      request.result.createObjectStore("sessions");
      request.result.createObjectStore("outbox");
    };
    const db = await inTime(request);
    // A page of a newer version waits for this; from here on this one says that it keeps nothing.
    db.onversionchange = () => db.close();
    return new IndexedStore(db);
  }

  device(link: string): Promise<Device | undefined> {
    return answer(this.#db.transaction("devices").objectStore("devices").get(link) as IDBRequest<Device | undefined>);
  }

  putDevice(device: Device): Promise<void> {
    return this.#write("devices", (store) => store.put(device));
  }

  owner(session: string): Promise<string | undefined> {
    return answer(this.#db.transaction("owners").objectStore("owners").get(session) as IDBRequest<string | undefined>);
  }

  own(session: string, tab: string): Promise<void> {
    return this.#write("owners", (store) => store.put(tab, session));
  }

  async load(session: string): Promise<{ kept: Kept | null; outbox: Pending[] }> {
    const transaction = this.#db.transaction(["sessions", "outbox"]);
    const [kept, outbox] = await Promise.all([
      answer(transaction.objectStore("sessions").get(session) as IDBRequest<Kept | undefined>),
      answer(transaction.objectStore("outbox").getAll(IDBKeyRange.bound([session], [session, []])) as IDBRequest<Pending[]>),
    ]);
    return { kept: kept ?? null, outbox };
  }

  save(session: string, tab: string, kept: Kept): Promise<void> {
    const transaction = this.#db.transaction(["owners", "sessions"], "readwrite", { durability: "strict" });
    const owner = transaction.objectStore("owners").get(session);
    owner.onsuccess = () => {
      if (owner.result === tab) transaction.objectStore("sessions").put(kept, session);
    };
    return committed(transaction);
  }

  put(session: string, pending: Pending): Promise<void> {
    return this.#write("outbox", (store) => store.put(pending, [session, pending.epoch, pending.client_seq]));
  }

  forget(session: string, epoch: number, clientSeq: number): Promise<void> {
    return this.#write("outbox", (store) => store.delete([session, epoch, clientSeq]));
  }

  #write(name: string, act: (store: IDBObjectStore) => unknown): Promise<void> {
    // `strict`: reported only when it is on the disk, because the page says "on this device".
    const transaction = this.#db.transaction(name, "readwrite", { durability: "strict" });
    act(transaction.objectStore(name));
    return committed(transaction);
  }
}

class MemoryStore implements Store {
  readonly durable = false;
  readonly #devices = new Map<string, Device>();

  async device(link: string): Promise<Device | undefined> {
    return this.#devices.get(link);
  }
  async putDevice(device: Device): Promise<void> {
    this.#devices.set(device.link, device);
  }
  async owner(): Promise<string | undefined> {
    return undefined;
  }
  async own(): Promise<void> {}
  async load(): Promise<{ kept: Kept | null; outbox: Pending[] }> {
    return { kept: null, outbox: [] };
  }
  async save(): Promise<void> {}
  async put(): Promise<void> {}
  async forget(): Promise<void> {}
}

/** IndexedDB if it opens, memory otherwise. */
export async function openStore(): Promise<Store> {
  try {
    return await IndexedStore.open();
  } catch {
    return new MemoryStore();
  }
}

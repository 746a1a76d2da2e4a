// What the shifts before left to read: looked up now and then, and remembered on this machine once it was read.
import { get } from "../../shared/src/staff/api.ts";
import type { ShiftNoteRow } from "../../shared/src/wire/ShiftNoteRow.ts";

const LOOK_MS = 60_000;
const KEY = "synaq.proctor.notes_read";

export const notesPath = (sitting: string): string => `/api/v1/proctor/sittings/${encodeURIComponent(sitting)}/notes`;

const readAt = (sitting: string): number => Number(localStorage.getItem(`${KEY}.${sitting}`) ?? 0);

export class Notes {
  /** Of colleagues, by sitting. */
  #unread = $state.raw<ReadonlyMap<string, number>>(new Map());
  unread = $derived([...this.#unread.values()].reduce((sum, n) => sum + n, 0));
  readonly #mine: () => string | undefined;
  readonly #sittings: () => readonly string[];
  #timer: number;

  /** `sittings`: those on the wall; `mine`: the name of whoever reads. */
  constructor(sittings: () => readonly string[], mine: () => string | undefined) {
    this.#sittings = sittings;
    this.#mine = mine;
    this.#timer = window.setInterval(() => void this.look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    const counts = await Promise.all(this.#sittings().map(async (sitting): Promise<[string, number]> => {
      const rows = await get<ShiftNoteRow[]>(notesPath(sitting)).catch(() => null);
      return [sitting, rows === null ? (this.#unread.get(sitting) ?? 0) : rows.filter((row) => row.at > readAt(sitting) && row.by !== this.#mine()).length];
    }));
    this.#unread = new Map(counts);
  }

  /** They stood before the reader. */
  read(sitting: string, rows: readonly ShiftNoteRow[]): void {
    const newest = Math.max(0, ...rows.map(({ at }) => at));
    if (newest > readAt(sitting)) localStorage.setItem(`${KEY}.${sitting}`, String(newest));
    this.#unread = new Map([...this.#unread, [sitting, 0]]);
  }
}

// Dismissals that can be taken back: the server keeps each at once, so nothing is lost if this page goes.
import type { Wall } from "./wall.svelte.ts";

/** On the screen; the server takes it for a few seconds longer (core's DISMISSAL_UNDO). */
export const UNDO_MS = 5_000;

export interface Slip {
  readonly session: string;
  readonly incident: number;
  readonly name: string;
  readonly code: string;
  readonly until: number;
}

export class Undo {
  slips = $state.raw<readonly Slip[]>([]);

  remember(slip: Omit<Slip, "until">): void {
    const kept = { ...slip, until: Date.now() + UNDO_MS };
    this.slips = [...this.slips, kept];
    window.setTimeout(() => this.#forget(kept), UNDO_MS);
  }

  /** Takes the newest back. */
  async undo(wall: Wall, slip = this.slips.at(-1)): Promise<void> {
    if (!slip) return;
    this.#forget(slip);
    await wall.act(slip.session, { do: "undo_dismiss", incident: slip.incident });
  }

  #forget(slip: Slip): void {
    this.slips = this.slips.filter((held) => held !== slip);
  }
}

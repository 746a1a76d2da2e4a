// Dismissals that can be taken back: the server keeps each at once, so nothing is lost if this page goes.
import type { Wall } from "./wall.svelte.ts";

/** On the screen; the server takes it for a few seconds longer (core's DISMISSAL_UNDO). */
export const UNDO_MS = 5_000;
/** Of one candidate and one code within this: one press dismissed them, one press takes them back. */
const TOGETHER_MS = 1_500;

export interface Slip {
  readonly session: string;
  readonly incidents: readonly number[];
  readonly name: string;
  readonly code: string;
  readonly since: number;
}

export class Undo {
  slips = $state.raw<readonly Slip[]>([]);

  remember({ session, incident, name, code }: { session: string; incident: number; name: string; code: string }): void {
    const since = Date.now();
    const last = this.slips.at(-1);
    if (last && last.session === session && last.code === code && since - last.since < TOGETHER_MS) {
      this.slips = this.slips.map((slip) => (slip === last ? { ...last, incidents: [...last.incidents, incident] } : slip));
      return;
    }
    const kept: Slip = { session, incidents: [incident], name, code, since };
    this.slips = [...this.slips, kept];
    window.setTimeout(() => this.#forget(kept), UNDO_MS);
  }

  /** Takes the newest back. */
  async undo(wall: Wall, slip = this.slips.at(-1)): Promise<void> {
    if (!slip) return;
    this.#forget(slip);
    await Promise.all(slip.incidents.map((incident) => wall.act(slip.session, { do: "undo_dismiss", incident })));
  }

  #forget({ session, code, since }: Slip): void {
    this.slips = this.slips.filter((held) => held.session !== session || held.code !== code || held.since !== since);
  }
}

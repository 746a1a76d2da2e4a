// What one proctor does with the alerts: which is looked at, what was put off, how long rulings take.
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { type Alert, alertsOf, currentOf, lookedAtPct, stepFrom, workLeftMs } from "./triage.ts";
import type { Wall } from "./wall.svelte.ts";

/** Put off, an alert comes back after this. */
export const SNOOZE_MS = 60_000;
/** Shown for so long, its clip was seen. */
const SEEN_MS = 1_000;
/** Rulings whose length is remembered. */
const TOOK_KEPT = 15;

export class Triage {
  readonly #wall: Wall;
  readonly #snoozed = new SvelteMap<string, number>();
  readonly #looked = new SvelteSet<string>();
  #chosen = $state<string | null>(null);
  #took = $state.raw<number[]>([]);
  #shownSince = 0;
  #shown: string | null = null;

  alerts = $derived.by(() => alertsOf(this.#wall.watched.map(({ tile }) => tile)));
  current = $derived.by(() => currentOf(this.alerts, this.#chosen, this.#snoozed, this.#wall.now));
  lookedAt = $derived.by(() => lookedAtPct(this.#wall.watched.map(({ tile }) => tile), this.#looked));
  workLeft = $derived.by(() => workLeftMs(this.alerts.length, this.#took));

  constructor(wall: Wall) {
    this.#wall = wall;
  }

  /** When a put-off alert comes back; nothing if it was not put off. */
  backAt(alert: Alert): number | null {
    const at = this.#snoozed.get(alert.key);
    return at !== undefined && at > this.#wall.now ? at : null;
  }

  choose(alert: Alert): void {
    this.#snoozed.delete(alert.key);
    this.#chosen = alert.key;
  }

  step(steps: number): void {
    const next = stepFrom(this.alerts, this.current, steps);
    if (next) this.choose(next);
  }

  snooze(): void {
    const { current } = this;
    if (!current) return;
    const next = this.alerts.find((alert) => alert.key !== current.key && this.backAt(alert) === null);
    this.#snoozed.set(current.key, this.#wall.now + SNOOZE_MS);
    this.#chosen = next?.key ?? null;
  }

  /** Called when an alert comes into view; what stands there long enough was looked at. Returns how to stop. */
  shows(alert: Alert): () => void {
    if (this.#shown !== alert.key) {
      this.#shown = alert.key;
      this.#shownSince = Date.now();
    }
    // Looked at, it is not taken away by a graver one.
    this.#chosen = alert.key;
    return this.looksAt(alert.tile.session, alert.incidents.map(({ no }) => no));
  }

  /** These stand before the proctor from now on. Returns how to stop. */
  looksAt(session: string, incidents: readonly number[]): () => void {
    const timer = window.setTimeout(() => {
      for (const no of incidents) this.#looked.add(`${session}#${no}`);
    }, SEEN_MS);
    return () => clearTimeout(timer);
  }

  /** A ruling was made on what is shown. */
  ruled(): void {
    if (this.#shownSince > 0) this.#took = [...this.#took, Date.now() - this.#shownSince].slice(-TOOK_KEPT);
    this.#shownSince = Date.now();
  }
}

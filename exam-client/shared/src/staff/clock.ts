// Moments at +05:00 as people type them.
const ALMATY_MS = 5 * 3_600_000;
const DAY_MS = 86_400_000;

const two = (n: number): string => String(n).padStart(2, "0");

/** Value of a `datetime-local` field that shows this moment at +05:00. */
export function toField(at: number): string {
  return new Date(at + ALMATY_MS).toISOString().slice(0, 16);
}

/** The moment that a `datetime-local` field means at +05:00, whatever zone the computer is in. */
export function fromField(value: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(value)) return null;
  const at = Date.parse(`${value}Z`);
  return Number.isNaN(at) ? null : at - ALMATY_MS;
}

/** `14:30:05` (or `14:30`) on the day of `near` at +05:00; nothing if it is no time of day. */
export function timeOfDay(text: string, near: number): number | null {
  const match = /^([01]?\d|2[0-3])[:.]([0-5]\d)(?:[:.]([0-5]\d))?$/.exec(text.trim());
  if (!match) return null;
  const midnight = Math.floor((near + ALMATY_MS) / DAY_MS) * DAY_MS - ALMATY_MS;
  return midnight + (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3] ?? 0)) * 1000;
}

/** `0:14` or `1:02:09`: how long something lasted or has been going on. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

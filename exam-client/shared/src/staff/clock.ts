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

/** When offices there are open, in hours of the day at +05:00. */
const OPENS_H = 9;
const SHUTS_H = 18;
const HOUR_MS = 3_600_000;

/** From when a sitting of so many hours is proposed: the next full hour but one within a working day, or the next working
 *  morning. Public holidays are not known here; it is a proposal. */
export function proposedStart(now: number, hours: number): number {
  const local = now + ALMATY_MS;
  const full = Math.ceil((local + HOUR_MS) / HOUR_MS) * HOUR_MS;
  const hour = (full % DAY_MS) / HOUR_MS;
  let day = full - (full % DAY_MS);
  if (isWorkday(day) && hour >= OPENS_H && hour + hours <= SHUTS_H) return full - ALMATY_MS;
  if (hour > OPENS_H) day += DAY_MS;
  while (!isWorkday(day)) day += DAY_MS;
  return day + OPENS_H * HOUR_MS - ALMATY_MS;
}

/** Of a local midnight. */
function isWorkday(day: number): boolean {
  return ![0, 6].includes(new Date(day).getUTCDay());
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

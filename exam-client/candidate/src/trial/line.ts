// The line to our server, measured: how long a word takes there and back, how often none comes back, how much goes through.

const BASE = "/api/v1/candidate/trial";
/** Enough to see a line that falters, in some seconds. */
const PINGS = 12;
const PING_EVERY_MS = 400;
const PING_TIMEOUT_MS = 4_000;
/** wire/limits.rs TRIAL_LINE_BYTES */
const LOAD_BYTES = 128 * 1024;
const LOAD_TIMEOUT_MS = 20_000;

export interface Line {
  readonly roundTripMs: number;
  readonly longestTripMs: number;
  readonly lostPct: number;
  readonly downKbitS: number;
  readonly upKbitS: number;
}

export type Verdict = "good" | "weak" | "bad";

/** What an exam needs: 256 kbit/s each way for its picture; answers bear a second, people do not notice less than 300 ms. */
export function judge(line: Line): Verdict {
  if (line.lostPct >= 25 || line.roundTripMs >= 1_500 || line.upKbitS < 96 || line.downKbitS < 96) return "bad";
  if (line.lostPct > 0 || line.roundTripMs >= 400 || line.longestTripMs >= 1_500 || line.upKbitS < 400 || line.downKbitS < 400) return "weak";
  return "good";
}

async function ask(link: string, body: Blob | null, down: number, timeoutMs: number): Promise<number> {
  const began = performance.now();
  const response = await fetch(`${BASE}/line?down=${down}`, {
    method: "POST",
    body,
    cache: "no-store",
    headers: { Authorization: `Link ${link}`, "Content-Type": "application/octet-stream" },
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${response.status}`);
  return performance.now() - began;
}

/** A load of this size says nothing of lines that are faster. */
const MOST_KBIT_S = 100_000;
const kbitS = (ms: number): number => Math.min(MOST_KBIT_S, Math.round((LOAD_BYTES * 8) / Math.max(1, ms)));
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** `progress` in per cent. Throws when nothing at all comes back. */
export async function measure(link: string, progress: (done: number) => void): Promise<Line> {
  const trips: number[] = [];
  for (let n = 0; n < PINGS; n++) {
    await ask(link, null, 0, PING_TIMEOUT_MS).then((ms) => trips.push(ms), () => undefined);
    progress(Math.round((80 * (n + 1)) / PINGS));
    await pause(PING_EVERY_MS);
  }
  if (trips.length === 0) throw new Error("nothing came back");
  trips.sort((a, b) => a - b);
  const middle = trips[Math.floor(trips.length / 2)] ?? 0;
  // Its way there and back is no part of how much goes through.
  const load = async (body: Blob | null, down: number): Promise<number> => kbitS((await ask(link, body, down, LOAD_TIMEOUT_MS)) - middle);
  const downKbitS = await load(null, LOAD_BYTES).catch(() => 0);
  progress(90);
  // What compresses on the way would look faster than it is.
  const noise = new Uint8Array(LOAD_BYTES);
  for (let at = 0; at < LOAD_BYTES; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  const upKbitS = await load(new Blob([noise]), 0).catch(() => 0);
  progress(100);
  return {
    roundTripMs: Math.round(middle),
    longestTripMs: Math.round(trips.at(-1) ?? middle),
    lostPct: Math.round((100 * (PINGS - trips.length)) / PINGS),
    downKbitS,
    upKbitS,
  };
}

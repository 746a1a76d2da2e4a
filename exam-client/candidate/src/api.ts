// The candidate's HTTP calls. Every failure is a Problem; a network failure is the code `unreachable`.
import { relaysOf } from "../../shared/src/relay.ts";
import type { Bound } from "../../shared/src/wire/Bound.ts";
import type { CoachSays } from "../../shared/src/wire/CoachSays.ts";
import type { Code } from "../../shared/src/wire/Code.ts";
import type { LinkInfo } from "../../shared/src/wire/LinkInfo.ts";
import type { PhotoStored } from "../../shared/src/wire/PhotoStored.ts";
import type { LocalHeld } from "../../shared/src/wire/LocalHeld.ts";
import type { Problem } from "../../shared/src/wire/Problem.ts";
import type { StillTaken } from "../../shared/src/wire/StillTaken.ts";
import type { Ticket } from "../../shared/src/wire/Ticket.ts";

const BASE = "/api/v1/candidate";
/** A weak line needs its time; longer is a dead one. */
const TIMEOUT_MS = 20_000;
/** A photo of 5 MB over 256 kbit/s takes this long. */
const PHOTO_TIMEOUT_MS = 180_000;
const STILL_TIMEOUT_MS = 10_000;

/** The server's answer, or none at all (`code` absent: no connection). */
export class Failure extends Error {
  readonly code: Code | undefined;
  readonly retryAfterMs: number;
  /** Place in the queue, 1 is next. */
  readonly position: number | undefined;

  constructor(problem: Partial<Problem>) {
    super(problem.title ?? "the server cannot be reached");
    this.code = problem.code;
    this.retryAfterMs = problem.retry_after_ms ?? 0;
    this.position = problem.position;
  }
}

export class Api {
  #credential: string | undefined;

  /** From the button on: `Bearer <session>.<device_key>`. */
  authorise(session: string, deviceKey: string): void {
    this.#credential = `Bearer ${session}.${deviceKey}`;
  }

  open(link: string): Promise<LinkInfo> {
    return this.post("/open", { link });
  }

  bind(link: string, deviceKey: string, tab: string): Promise<Bound> {
    return this.post("/bind", { link, device_key: deviceKey, tab });
  }

  ticket(tab: string): Promise<Ticket> {
    return this.post("/ticket", { tab });
  }

  async photo(kind: "face" | "document", picture: Blob): Promise<PhotoStored> {
    const response = await this.#call(`/photos/${kind}`, { method: "PUT", body: picture, headers: { "Content-Type": picture.type } }, PHOTO_TIMEOUT_MS);
    return (await response.json()) as PhotoStored;
  }

  /** A still; at most as long as until the next one, because an older one is worth nothing. */
  async still(picture: Blob): Promise<StillTaken> {
    const response = await this.#call("/still", { method: "PUT", body: picture, priority: "low", headers: { "Content-Type": picture.type } }, STILL_TIMEOUT_MS);
    return (await response.json()) as StillTaken;
  }

  /** What a machine makes of the newest picture, before the exam. */
  async coach(): Promise<CoachSays> {
    return (await (await this.#call("/coach", { method: "GET", headers: {} })).json()) as CoachSays;
  }

  /** A piece of this device's own recording. */
  async local(plain: ArrayBuffer, { from, spanMs, missingMs }: { from: number; spanMs: number; missingMs: number }): Promise<void> {
    const said = new URLSearchParams({ from: `${from}`, span_ms: `${spanMs}`, missing_ms: `${missingMs}` });
    await this.#call(`/local?${said}`, { method: "POST", body: plain, priority: "low", headers: { "Content-Type": "video/webm" } }, PHOTO_TIMEOUT_MS);
  }

  /** What of it the server has. */
  async localHeld(): Promise<LocalHeld> {
    return (await (await this.#call("/local", { method: "GET", headers: {} })).json()) as LocalHeld;
  }

  /** RFC 9725. Answers the server's SDP, where to end it, and the relay if there is one. */
  async whip(offer: string): Promise<{ answer: string; resource: string | null; relays: RTCIceServer[] }> {
    const response = await this.#call("/whip", { method: "POST", body: offer, headers: { "Content-Type": "application/sdp" } });
    const location = response.headers.get("Location");
    const resource = location === null ? null : new URL(location, response.url);
    // The credential goes along with the DELETE, so only to our own server.
    const relays = relaysOf(response.headers.get("Link"));
    return { answer: await response.text(), resource: resource?.origin === self.location.origin ? resource.href : null, relays };
  }

  /** `keepalive`: the page may be on its way out. */
  async endWhip(resource: string): Promise<void> {
    const headers: Record<string, string> = this.#credential ? { Authorization: this.#credential } : {};
    await fetch(resource, { method: "DELETE", keepalive: true, headers }).catch(() => undefined);
  }

  /** Of the trial run: by the link, which binds nothing. */
  async trial<T>(method: string, path: string, link: string, body: Blob | string): Promise<T | undefined> {
    const type = typeof body === "string" ? "application/json" : body.type;
    const response = await this.#call(`/trial${path}`, { method, body, headers: { Authorization: `Link ${link}`, "Content-Type": type } });
    return response.status === 204 ? undefined : ((await response.json()) as T);
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const response = await this.#call(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
    return (await response.json()) as T;
  }

  async #call(path: string, init: RequestInit & { headers: Record<string, string> }, timeoutMs = TIMEOUT_MS): Promise<Response> {
    const headers = { ...init.headers, ...(this.#credential ? { Authorization: this.#credential } : {}) };
    let response: Response;
    try {
      response = await fetch(BASE + path, { ...init, headers, cache: "no-store", signal: AbortSignal.timeout(timeoutMs) });
    } catch {
      throw new Failure({});
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
    throw new Failure({ code: "internal", ...problem });
  }
}

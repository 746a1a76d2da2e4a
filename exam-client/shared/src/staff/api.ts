// One way to the server for the staff's pages: same origin, cookie, JSON; every failure becomes a `Fault`.
import type { Problem } from "../wire/Problem.ts";

/** What a page shows when something did not work: the server's problem, or why there is none. */
export type Fault = { is: "problem"; problem: Problem } | { is: "network" } | { is: "unreadable" };

/** A fault on its way to whoever shows it. */
export class Failed extends Error {
  constructor(readonly fault: Fault) {
    super(fault.is === "problem" ? fault.problem.code : fault.is);
  }
}

/** The fault of anything thrown; a bug of ours stays a bug. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Failed) return thrown.fault;
  throw thrown;
}

const signedOutListeners = new Set<() => void>();

/** Calls `listener` when the server says that the session is over; returns how to stop that. */
export function whenSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}

async function readProblem(response: Response): Promise<Fault> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!isProblem(body)) return { is: "unreadable" };
  if (body.code === "sign_in_required") signedOutListeners.forEach((listener) => listener());
  return { is: "problem", problem: body };
}

/** Sends and waits for any successful answer. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: "same-origin", ...init }).catch(() => {
    throw new Failed({ is: "network" });
  });
  if (!response.ok) throw new Failed(await readProblem(response));
  return response;
}

async function json<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text().catch(() => {
    throw new Failed({ is: "network" });
  });
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Failed({ is: "unreadable" });
  }
}

/** `GET`, answered with JSON. */
export async function get<T>(path: string): Promise<T> {
  return json<T>(await send(path, { headers: { accept: "application/json" } }));
}

/** `POST` of JSON. A body is always sent, so that the server can insist on the content type. */
export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return json<T>(
    await send(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  );
}

/** `POST` of a file's bytes as they are: the server recognises the encoding. */
export async function postBytes<T>(path: string, type: string, bytes: Blob): Promise<T> {
  return json<T>(await send(path, { method: "POST", headers: { "content-type": type }, body: bytes }));
}

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

/** True: the same person is signed in again, and what was refused may go out once more. */
type SignInAgain = () => Promise<boolean>;

let signInAgain: SignInAgain = () => Promise.resolve(false);
/** One for all requests that wait: somebody signs in once. */
let again: Promise<boolean> | null = null;
/** Who opened this page: a request of theirs goes out as nobody else, even where another tab changed the cookie. */
let staff: string | null = null;

/** A refusal that goes on after each sign-in is no matter of the sign-in. */
const ROUNDS_MAX = 3;
const STAFF_HEADER = "synaq-staff";

/** Calls `ask` when the server says that the sign-in is over. */
export function whenSignedOut(ask: SignInAgain): void {
  signInAgain = ask;
}

/** Whose requests these are from now on; nobody's before a sign-in. */
export function actAs(person: string | null): void {
  staff = person;
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}

async function readProblem(response: Response): Promise<Fault> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!isProblem(body)) return { is: "unreadable" };
  return { is: "problem", problem: body };
}

async function once(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: "same-origin", ...init }).catch(() => {
    throw new Failed({ is: "network" });
  });
  if (!response.ok) throw new Failed(await readProblem(response));
  return response;
}

const isSignedOut = (thrown: unknown): boolean =>
  thrown instanceof Failed && thrown.fault.is === "problem" && thrown.fault.problem.code === "sign_in_required";

/** Sends and waits for any successful answer; where the sign-in ran out, after it once more. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  for (let round = 1; ; round++) {
    const headers = new Headers(init.headers);
    if (staff !== null) headers.set(STAFF_HEADER, staff);
    try {
      return await once(path, { ...init, headers });
    } catch (thrown) {
      if (!isSignedOut(thrown) || round === ROUNDS_MAX) throw thrown;
      again ??= signInAgain().finally(() => (again = null));
      if (!(await again)) throw thrown;
    }
  }
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

/** `GET` as whoever the cookie says, whoever opened the page; nobody is asked to sign in for it. */
export async function getAsAnybody<T>(path: string): Promise<T> {
  return json<T>(await once(path, { headers: { accept: "application/json" } }));
}

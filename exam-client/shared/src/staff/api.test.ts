import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { actAs, Failed, get, post, whenSignedOut } from "./api.ts";

type Seen = { path: string; method: string; as: string | null; body: string };

let seen: Seen[] = [];
let isIn = true;

const answer = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  seen = [];
  isIn = true;
  actAs("aigul");
  globalThis.fetch = (path, init) => {
    const headers = new Headers(init?.headers);
    seen.push({ path: String(path), method: init?.method ?? "GET", as: headers.get("synaq-staff"), body: typeof init?.body === "string" ? init.body : "" });
    return Promise.resolve(isIn ? answer(200, { fine: true }) : answer(401, { code: "sign_in_required", status: 401 }));
  };
});

const isRefused = (thrown: unknown): boolean => thrown instanceof Failed && thrown.fault.is === "problem" && thrown.fault.problem.code === "sign_in_required";

test("what was refused goes out once more after one sign-in, with what was typed", async () => {
  isIn = false;
  let asked = 0;
  whenSignedOut(async () => {
    asked++;
    await Promise.resolve();
    isIn = true;
    return true;
  });
  const [saved, listed] = await Promise.all([post<{ fine: boolean }>("/save", { text: "typed" }), get<{ fine: boolean }>("/list")]);
  assert.deepEqual([saved.fine, listed.fine, asked], [true, true, 1]);
  assert.equal(seen.filter(({ path, body }) => path === "/save" && body === '{"text":"typed"}').length, 2);
  assert.ok(seen.every(({ as }) => as === "aigul"));
});

test("nothing goes out again when somebody else, or nobody, signed in", async () => {
  isIn = false;
  whenSignedOut(() => Promise.resolve(false));
  await assert.rejects(post("/save", {}), isRefused);
  assert.equal(seen.length, 1);
});

test("a refusal that stays is not asked about for ever", async () => {
  isIn = false;
  whenSignedOut(() => Promise.resolve(true));
  await assert.rejects(get("/list"), isRefused);
  assert.equal(seen.length, 3);
});

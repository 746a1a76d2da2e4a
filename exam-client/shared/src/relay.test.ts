import assert from "node:assert/strict";
import { test } from "node:test";
import { relaysOf } from "./relay.ts";

test("every address of the relay is taken with its name and password", () => {
  const line = (url: string): string => `<${url}>; rel="ice-server"; username="17:ab"; credential="x+/="; credential-type="password"`;
  const header = [line("turn:t.kz:3478?transport=udp"), line("turns:t.kz:5349?transport=tcp"), '</other>; rel="next"'].join(", ");
  assert.deepEqual(relaysOf(header), [
    { urls: "turn:t.kz:3478?transport=udp", username: "17:ab", credential: "x+/=" },
    { urls: "turns:t.kz:5349?transport=tcp", username: "17:ab", credential: "x+/=" },
  ]);
  assert.deepEqual([relaysOf(null), relaysOf('</a>; rel="next"')], [[], []]);
});

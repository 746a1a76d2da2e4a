import assert from "node:assert/strict";
import { test } from "node:test";
import type { MediaStep } from "../../../shared/src/wire/MediaStep.ts";
import { BOTTOM_UP, climb, isFree, type Ladder, type Sample } from "./ladder.ts";

const GOOD: Sample = { socket: true, live: true, outgoing: 600_000, rttMs: 40, loss: 0, answerMs: 0, stillMs: 200 };
const WEAK: Sample = { ...GOOD, outgoing: 40_000, rttMs: 4_000, loss: 0.3, stillMs: 9_000 };

/** A sample each second; every change of step with its second and reason. */
function run(samples: readonly (readonly [seconds: number, sample: Sample])[], from: Ladder = BOTTOM_UP): { steps: [number, MediaStep, string][]; last: Ladder } {
  const steps: [number, MediaStep, string][] = [];
  let [ladder, second] = [from, 0];
  for (const [seconds, sample] of samples) {
    for (const end = second + seconds; second < end; second++) {
      const next = climb(ladder, sample, second * 1_000);
      if (next.step !== ladder.step) steps.push([second, next.step, next.why]);
      ladder = next;
    }
  }
  return { steps, last: ladder };
}

test("a weak line leads down step by step, a good one up again", () => {
  const { steps } = run([[30, WEAK], [120, GOOD]]);
  assert.deepEqual(steps.map(([, step]) => step), ["small", "stills", "signals", "stills", "small", "full"]);
  assert.deepEqual(steps.map(([, , why]) => why), ["weak_line", "weak_line", "weak_line", "recovered", "recovered", "recovered"]);
});

test("a burst of trouble changes nothing", () => {
  assert.deepEqual(run([[3, WEAK], [1, GOOD], [3, WEAK], [10, GOOD]]).steps, []);
});

test("an answer that waits takes the line from the video, however good the video looks", () => {
  const { steps } = run([[5, { ...GOOD, answerMs: 3_500 }]]);
  assert.deepEqual(steps, [[4, "small", "answers_first"]]);
});

test("without a way for video stills go over the exam's own connection, and video comes back once there is one", () => {
  const { steps } = run([[6, { ...GOOD, live: false }], [40, GOOD]]);
  assert.deepEqual(steps.slice(0, 1), [[3, "stills", "no_path"]]);
  assert.deepEqual(steps.slice(1).map(([, step]) => step), ["small", "full"]);
  assert.equal(steps[1]?.[0], 9, "three seconds after it came back");
});

test("the device's recording is brought while there is no way for video, also after a fall to signals", () => {
  const GONE: Sample = { ...GOOD, live: false };
  const { steps, last } = run([[5, GONE], [6, { ...GONE, stillMs: 9_000 }], [30, GONE]]);
  assert.deepEqual(steps.map(([, step, why]) => `${step} ${why}`), ["stills no_path", "signals weak_line", "stills recovered"]);
  assert.equal(isFree(last, 200), true);
  assert.equal(isFree(last, 4_000), false, "stills hardly come through");
  assert.equal(isFree(run([[12, WEAK]]).last, 200), false, "a weak line has no room for it");
  assert.equal(isFree(run([[12, WEAK], [3, GOOD]]).last, 200), false, "nor has one that recovers");
  assert.equal(isFree(BOTTOM_UP, null), true);
});

test("without the exam's connection the step waits", () => {
  assert.deepEqual(run([[60, { ...WEAK, socket: false, live: false }]]).steps, []);
});

test("a line that carries small video only is tried with more less and less often", () => {
  // Full video fills the line, small video fits.
  let [ladder, ups] = [BOTTOM_UP as Ladder, [] as number[]];
  for (let second = 0; second < 900; second++) {
    const fits = ladder.step !== "full";
    const next = climb(ladder, fits ? GOOD : { ...GOOD, outgoing: 90_000, rttMs: 2_000 }, second * 1_000);
    if (next.step === "full" && ladder.step !== "full") ups.push(second);
    ladder = next;
  }
  const gaps = ups.slice(1).map((up, index) => up - (ups[index] ?? 0));
  assert.ok(ups.length < 20 && gaps.length > 3, `${ups}`);
});

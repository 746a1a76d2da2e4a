import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateCommand } from "../../shared/src/wire/CandidateCommand.ts";
import type { CandidateView } from "../../shared/src/wire/CandidateView.ts";
import type { Code } from "../../shared/src/wire/Code.ts";
import { flaggedOf, handInOf, isCut, outageOf, remainingMs, savingOf, screenOf, shownOf, summaryOf, warningOpen } from "./reading.ts";
import { EMPTY, step, type Effect, type SessionEvent, type SessionState } from "./session.ts";

const T0 = 1_000_000;
/** The device's clock is an hour late. */
const SERVER_AHEAD = 3_600_000;

function view(change: Partial<CandidateView> = {}): CandidateView {
  return {
    version: 1,
    stage: "running",
    attach: "in_charge",
    steps: {
      lang: "kk",
      consent: true,
      device_check: true,
      face_photo: true,
      document_photo: true,
      identity: "admitted",
      asked_again: null,
      acknowledged: ["methodology", "appeal_procedure", "forbidden_items", "conduct"],
      paper: true,
      ready: true,
    },
    draw_commitment: "ab",
    opens_at: 0,
    closes_at: 9e12,
    clock: { deadline: T0 + SERVER_AHEAD + 3_600_000, version: 1, remaining_ms: 3_600_000, total_ms: 3_600_000, paused: false },
    questions: Array.from({ length: 5 }, () => ({ shown: [], client_seq: 0, flagged: false })),
    warning: null,
    attention: null,
    media: { video: true, audio: true },
    local_waits: 0,
    proctor_present: true,
    watched_live: false,
    messages: [],
    help_asked: false,
    end: null,
    ...change,
  };
}

/** A device with a server that answers nothing by itself. */
class Device {
  state: SessionState = EMPTY;
  at = T0;
  sent: Extract<Effect, { do: "send" }>["frame"][] = [];
  effects: Effect[] = [];
  /** Storage answers at once. */
  storing = true;

  do(event: SessionEvent, chance = 0.5): Effect[] {
    const { state, effects } = step(this.state, event, this.at, chance);
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) if (effect.do === "send") this.sent.push(effect.frame);
    // Storing takes a moment in a browser too, so it answers after the sending.
    for (const effect of effects) {
      if (effect.do === "store" && this.storing) this.do({ on: "stored", epoch: effect.pending.epoch, client_seq: effect.pending.client_seq });
    }
    return [...effects];
  }

  welcome(change: { epoch?: number | null; last?: number; question?: number; view?: CandidateView } = {}): this {
    // By itself, or because a person pressed the button.
    if (this.state.connection.is !== "connecting") this.do({ on: "connect" });
    this.do({ on: "opened" });
    this.do({
      on: "frame",
      frame: {
        type: "welcome",
        server_time: this.at + SERVER_AHEAD,
        epoch: change.epoch === undefined ? 1 : change.epoch,
        last_client_seq: change.last ?? 0,
        ...(change.question === undefined ? {} : { last_question: change.question }),
        view: change.view ?? view(),
      },
    });
    return this;
  }

  command(command: CandidateCommand): Effect[] {
    return this.do({ on: "command", command });
  }

  answer(question: number, ...shown: number[]): Effect[] {
    return this.command({ do: "answer", question, shown });
  }

  ack(client_seq: number, epoch = 1): Effect[] {
    return this.do({ on: "frame", frame: { type: "ack", client_seq, epoch, receipt: { seq: client_seq, at: this.at, hash: "00" } } });
  }

  refuse(client_seq: number | null, code: Code, retry_after_ms?: number): Effect[] {
    const problem = { type: "", title: "", status: 400, code, ...(retry_after_ms === undefined ? {} : { retry_after_ms }) };
    return this.do({ on: "frame", frame: { type: "refused", client_seq, problem } });
  }

  later(ms: number): Effect[] {
    this.at += ms;
    return this.do({ on: "tick" });
  }

  commands(): { seq: number; do: string }[] {
    return this.sent.flatMap((frame) => (frame.type === "command" ? [{ seq: frame.client_seq, do: frame.command.do }] : []));
  }
}

test("an answer is stored before it is sent, and saved only after the acknowledgement", () => {
  const device = new Device().welcome();
  device.storing = false;
  const effects = device.answer(0, 1);
  assert.ok(effects.some((effect) => effect.do === "store"));
  assert.deepEqual(device.commands(), []);
  device.do({ on: "stored", epoch: 1, client_seq: 1 });
  assert.deepEqual(device.commands(), [{ seq: 1, do: "answer" }]);
  assert.deepEqual(savingOf(device.state, device.at), { is: "sending" });
  assert.ok(device.ack(1).some((effect) => effect.do === "forget" && effect.client_seq === 1));
  assert.deepEqual(savingOf(device.state, device.at), { is: "saved" });
  assert.deepEqual(shownOf(device.state, 0), [1]);
});

test("a picture that falters as the exam begins needs no second press; one that stays away is told", () => {
  const device = new Device().welcome({ view: view({ stage: "preparing" }) });
  const begins = (): number => device.commands().filter((command) => command.do === "begin").length;
  device.command({ do: "begin" });
  device.refuse(1, "media_missing");
  device.later(400);
  assert.equal(begins(), 1, "not at once");
  device.later(200);
  assert.equal(begins(), 2);
  assert.deepEqual(device.state.notes, []);
  device.later(10_000);
  device.refuse(1, "media_missing");
  assert.deepEqual(device.state.notes.map(({ code, about }) => [code, about]), [["media_missing", "begin"]]);
  assert.deepEqual(device.state.outbox, []);
});

test("an acknowledged answer does not flicker when an older view arrives after it", () => {
  const device = new Device().welcome();
  device.answer(0, 2);
  device.ack(1);
  device.do({ on: "frame", frame: { type: "state", server_time: device.at + SERVER_AHEAD, view: view({ version: 2 }) } });
  assert.deepEqual(shownOf(device.state, 0), [2]);
});

test("without a connection answers count as only on this device, each question once", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.answer(0, 1);
  device.answer(0, 2);
  device.answer(3, 0);
  assert.deepEqual(savingOf(device.state, device.at), { is: "device", answers: 2 });
  assert.deepEqual(shownOf(device.state, 0), [2]);
  assert.equal(device.state.outbox.length, 2, "an answer never sent is replaced by the newer one");
});

test("a silent server turns sending into only on this device", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  device.later(1_000);
  assert.equal(savingOf(device.state, device.at).is, "sending");
  device.later(4_000);
  assert.equal(savingOf(device.state, device.at).is, "device");
});

test("after a reconnect everything unacknowledged goes again, in order and with the same numbers", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  device.command({ do: "flag", question: 1, on: true });
  device.answer(2, 0);
  device.ack(1);
  device.sent = [];
  device.do({ on: "closed" });
  device.welcome({ last: 2 });
  assert.deepEqual(device.commands(), [
    { seq: 2, do: "flag" },
    { seq: 3, do: "answer" },
  ]);
  device.answer(4, 1);
  assert.equal(device.state.outbox.at(-1)?.client_seq, 4);
});

test("a fresh page goes on counting from the higher of its own and the server's number", () => {
  const device = new Device();
  const { outbox: _outbox, connection: _connection, ...kept } = { ...EMPTY, epoch: 1, nextSeq: 3, view: view() };
  device.do({ on: "restored", kept, outbox: [{ client_seq: 7, epoch: 1, client_at: T0, command: { do: "answer", question: 1, shown: [0] }, stored: true, sentAt: 5 }] });
  assert.equal(device.state.nextSeq, 8);
  assert.deepEqual(shownOf(device.state, 1), [0], "a restored answer is shown before any connection");
  assert.equal(screenOf(device.state), "exam");
  device.welcome({ last: 11 });
  assert.deepEqual(device.commands(), [{ seq: 7, do: "answer" }]);
  device.answer(0, 1);
  assert.equal(device.state.outbox.at(-1)?.client_seq, 12);
});

test("under a new binding an answer is given again, unless another device moved the question on", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.answer(0, 1);
  device.answer(1, 1);
  device.command({ do: "say", text: "?" });
  const questions = view().questions.map((mark, i) => (i === 1 ? { ...mark, shown: [3], client_seq: 2 } : mark));
  device.sent = [];
  device.welcome({ epoch: 2, last: 4, view: view({ questions }) });
  assert.deepEqual(device.commands(), [{ seq: 5, do: "answer" }]);
  assert.ok(device.sent.every((frame) => frame.type !== "command" || frame.epoch === 2));
  assert.deepEqual(shownOf(device.state, 1), [3]);
  assert.equal(device.state.notes[0]?.code, "superseded_epoch");
});

test("a new binding counts on from what this device has queued under it", () => {
  const device = new Device();
  const { outbox: _outbox, connection: _connection, ...kept } = { ...EMPTY, epoch: 1, nextSeq: 3, view: view() };
  device.do({ on: "restored", kept, outbox: [{ client_seq: 7, epoch: 2, client_at: T0, command: { do: "answer", question: 1, shown: [0] }, stored: true, sentAt: null }] });
  device.welcome({ epoch: 2, last: 4 });
  device.answer(0, 1);
  assert.deepEqual(device.commands().map(({ seq }) => seq), [7, 8]);
});

test("a number the server knows for another command is replaced by a new one, and nothing is lost", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  device.sent = [];
  device.do({ on: "frame", frame: { type: "refused", client_seq: 1, problem: { type: "", title: "", status: 409, code: "client_seq_reused" } } });
  assert.deepEqual(device.commands(), [{ seq: 2, do: "answer" }]);
  assert.equal(device.state.outbox.length, 1);
  assert.deepEqual(shownOf(device.state, 0), [1]);
  assert.equal(device.state.notes.length, 0);
});

test("busy keeps the command, waits as told and sends it again with its number", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  device.sent = [];
  device.refuse(1, "busy", 2_000);
  assert.equal(device.state.outbox.length, 1);
  assert.equal(savingOf(device.state, device.at).is, "device");
  device.later(1_900);
  assert.deepEqual(device.commands(), []);
  device.later(200);
  assert.deepEqual(device.commands(), [{ seq: 1, do: "answer" }]);
  assert.deepEqual(device.state.notes, []);
});

test("any other refusal drops the command, shows the server's answer again and says why", () => {
  const device = new Device().welcome();
  device.answer(0, 9);
  device.refuse(1, "no_such_option");
  assert.equal(device.state.outbox.length, 0);
  assert.deepEqual(shownOf(device.state, 0), []);
  assert.deepEqual(device.state.notes.map(({ code, about }) => [code, about]), [["no_such_option", "answer"]]);
  device.do({ on: "signal", code: "WINDOW_BLUR", phase: "begin" });
  device.refuse(2, "exam_ended");
  assert.equal(device.state.notes.length, 1, "what the page sends by itself is not complained about");
});

test("reconnecting uses full jitter below a growing limit and goes at once when the network is back", () => {
  const device = new Device().welcome();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    device.do({ on: "closed" }, 0.999);
    assert.ok(device.state.connection.is === "waiting");
    waits.push(Math.round(device.state.connection.retryAt - device.at));
    device.do({ on: "connect" });
  }
  assert.deepEqual(waits, [300, 599, 1199, 2398, 4795, 4995, 4995, 4995]);
  device.do({ on: "closed" }, 0.001);
  assert.ok(device.state.connection.is === "waiting" && device.state.connection.retryAt - device.at < 20);
  device.do({ on: "closed" }, 0.999);
  assert.deepEqual(device.do({ on: "online" }), [{ do: "connect" }]);
});

test("a socket that says nothing for 15 seconds is given up; pings go every 5 seconds", () => {
  const device = new Device().welcome();
  device.later(500);
  for (let s = 0; s < 9; s++) device.later(1_000);
  assert.equal(device.sent.filter((frame) => frame.type === "ping").length, 2);
  for (let s = 0; s < 5; s++) device.later(1_000);
  assert.equal(device.state.connection.is, "open");
  assert.ok(device.later(1_000).some((effect) => effect.do === "disconnect"));
  assert.equal(device.state.connection.is, "waiting");
});

test("whose outage it is: told by the server, seen by the device, or not known", () => {
  const device = new Device().welcome();
  const bye = (code: Code): void => void device.do({ on: "frame", frame: { type: "bye", problem: { type: "", title: "", status: 503, code } } });
  device.do({ on: "closed" });
  assert.equal(outageOf(device.state, true), "unknown");
  assert.equal(outageOf(device.state, false), "device");
  device.welcome();
  bye("shutting_down");
  device.do({ on: "connect" });
  device.do({ on: "closed" });
  assert.equal(outageOf(device.state, true), "server", "attempts that fail meanwhile change nothing");
  assert.equal(outageOf(device.state, false), "unknown", "both: nobody can tell");
  device.welcome();
  bye("internal");
  assert.equal(outageOf(device.state, true), "unknown");
  assert.equal(device.state.connection.is, "waiting");
});

test("a final answer of the server stops reconnecting until the person acts", () => {
  const device = new Device().welcome();
  device.do({ on: "frame", frame: { type: "bye", problem: { type: "", title: "", status: 409, code: "superseded_epoch" } } });
  assert.equal(screenOf(device.state), "stopped");
  device.later(60_000);
  assert.equal(device.state.connection.is, "stopped");
  assert.deepEqual(device.do({ on: "connect" }), [{ do: "connect" }]);
});

test("the clock follows the server though the device is an hour late, and stands still while paused", () => {
  const device = new Device().welcome();
  assert.equal(remainingMs(device.state, device.at), 3_600_000);
  assert.equal(remainingMs(device.state, device.at + 60_000), 3_540_000);
  const clock = { deadline: 0, version: 2, remaining_ms: 1_234_000, total_ms: 3_600_000, paused: true };
  device.do({ on: "frame", frame: { type: "state", server_time: device.at + SERVER_AHEAD, view: view({ version: 2, stage: "paused", clock }) } });
  assert.equal(remainingMs(device.state, device.at + 60_000), 1_234_000);
});

test("answers carry the server's time, not the device's", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  const frame = device.sent.find((each) => each.type === "command");
  assert.equal(frame?.type === "command" && frame.client_at, T0 + SERVER_AHEAD);
});

test("10, 5 and 1 minutes are said once each, also when the page slept over one of them", () => {
  const device = new Device().welcome();
  const said: number[] = [];
  const pass = (ms: number): void => {
    device.do({ on: "frame", frame: { type: "pong", n: -1, server_time: 0 } });
    for (const effect of device.later(ms)) if (effect.do === "say_minutes") said.push(effect.minutes);
  };
  pass(0);
  pass(49 * 60_000);
  pass(60_000);
  pass(1_000);
  pass(8 * 60_000);
  pass(59_000);
  pass(30_000);
  assert.deepEqual(said, [10, 5, 1]);
});

test("the question on the screen and the next one are asked for, nothing else", () => {
  const device = new Device().welcome();
  const asked = (): number[] => device.sent.flatMap((frame) => (frame.type === "question" ? [frame.index] : []));
  assert.deepEqual(asked(), [0, 1]);
  device.do({ on: "frame", frame: { type: "question", question: { index: 0, multiple: false, text: "?", options: ["a", "b"] } } });
  device.do({ on: "frame", frame: { type: "question", question: { index: 1, multiple: false, text: "?", options: ["a", "b"] } } });
  device.do({ on: "show", question: 3 });
  assert.deepEqual(asked(), [0, 1, 3, 4]);
  device.do({ on: "show", question: 99 });
  assert.equal(device.state.current, 4);
});

test("the hand-in goes only after every answer is acknowledged", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  device.command({ do: "hand_in" });
  device.command({ do: "hand_in" });
  assert.deepEqual(device.commands(), [{ seq: 1, do: "answer" }]);
  device.ack(1);
  assert.deepEqual(device.commands().at(-1), { seq: 2, do: "hand_in" });
  assert.equal(device.state.outbox.length, 1);
});

test("a hand-in without a connection is kept, said so, and can be taken back", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.command({ do: "hand_in" });
  assert.equal(handInOf(device.state), "kept");
  device.do({ on: "withdraw_hand_in" });
  assert.equal(handInOf(device.state), "none");
  device.command({ do: "hand_in" });
  device.welcome();
  assert.equal(handInOf(device.state), "sent");
  device.do({ on: "withdraw_hand_in" });
  assert.equal(handInOf(device.state), "sent", "what was sent is not taken back");
});

/** In charge under epoch 1 with an answer the server never saw; meanwhile another device took over. */
function superseded(stage: CandidateView["stage"], end: CandidateView["end"] = null): Device {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.answer(0, 1);
  device.command({ do: "flag", question: 0, on: true });
  return device.welcome({ epoch: null, view: view({ attach: "waiting", stage, end }) });
}

test("a superseded device hands over its answers as evidence, and nothing else", () => {
  const device = superseded("running");
  assert.deepEqual(device.commands(), [{ seq: 1, do: "answer" }]);
  device.refuse(1, "superseded_epoch");
  assert.equal(device.state.keptAsEvidence, 1);
  assert.deepEqual(device.state.notes, []);
  assert.deepEqual(device.state.outbox.map((p) => p.command.do), ["flag"]);
  assert.equal(device.state.receipts, 0);
});

test("a page that was taken over hands its answers over by itself, then leaves and offers the way back", () => {
  const device = new Device().welcome();
  device.answer(0, 1);
  device.do({ on: "frame", frame: { type: "bye", problem: { type: "", title: "", status: 409, code: "superseded_epoch" } } });
  assert.equal(device.state.connection.is, "waiting", "it comes back to hand over");
  device.later(20_000);
  device.welcome({ epoch: null, view: view({ attach: "waiting" }) });
  assert.equal(screenOf(device.state), "other_device");
  device.refuse(1, "superseded_epoch");
  assert.equal(screenOf(device.state), "stopped");
  assert.equal(device.state.keptAsEvidence, 1);
  device.later(60_000);
  assert.equal(device.state.connection.is, "stopped");
  device.welcome({ epoch: null, view: view({ attach: "waiting" }) });
  assert.equal(screenOf(device.state), "other_device", "asked for by the person, so it stays");
  assert.equal(device.state.superseded, "waits");
});

test("a device that was away while another took over does not ask to be let in", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.welcome({ epoch: null, view: view({ attach: "waiting" }) });
  assert.equal(screenOf(device.state), "stopped");
  device.welcome({ epoch: 3, view: view() });
  assert.equal(device.state.superseded, "no");
});

test("while the clock stands a superseded device keeps its answers, for the server would drop them", () => {
  const device = superseded("paused");
  assert.deepEqual(device.commands(), []);
  device.do({ on: "frame", frame: { type: "state", server_time: device.at + SERVER_AHEAD, view: view({ version: 2, attach: "waiting" }) } });
  assert.deepEqual(device.commands(), [{ seq: 1, do: "answer" }]);
});

test("an answer of the current binding stays on a device that waits", () => {
  const device = superseded("running");
  device.refuse(1, "other_device");
  assert.equal(device.state.outbox.length, 2);
  assert.equal(device.state.keptAsEvidence, 0);
});

test("after another end a superseded device's answer is no evidence, and the page says that it was not taken", () => {
  const end = { reason: "submitted", at: 0, answered: 0, total: 5, late_answers: 0, sealed: false, approved: false, result: null, appeal_until: null } as const;
  const device = superseded("closed", end);
  device.refuse(1, "superseded_epoch");
  assert.equal(device.state.keptAsEvidence, 0);
  assert.equal(device.state.notes[0]?.code, "superseded_epoch");
});

test("a waiting tab sends nothing, and reads the device again once a proctor admits it", () => {
  const device = new Device().welcome({ epoch: null, view: view({ attach: "waiting" }) });
  assert.equal(screenOf(device.state), "other_device");
  device.answer(0, 1);
  assert.deepEqual(device.commands(), []);
  const effects = device.do({ on: "frame", frame: { type: "state", server_time: 0, view: view({ version: 2 }) } });
  assert.ok(effects.some((effect) => effect.do === "reload"));
});

test("a signal says at each sending how old it is, by the device's own clock", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.do({ on: "signal", code: "CAMERA_OFF", phase: "begin" });
  device.at += 7_000;
  device.sent = [];
  device.welcome();
  const signals = device.sent.flatMap((frame) => (frame.type === "command" && frame.command.do === "signal" ? [frame.command] : []));
  assert.deepEqual(signals.map(({ phase, ago_ms }) => [phase, ago_ms]), [["begin", 7_000], ["seen", 0]]);
});

test("a behaviour is reported once at its beginning and once at its end, only while the exam runs", () => {
  const device = new Device().welcome({ view: view({ stage: "preparing" }) });
  device.do({ on: "signal", code: "MIC_OFF", phase: "begin" });
  assert.deepEqual(device.commands(), []);
  device.do({ on: "frame", frame: { type: "state", server_time: 0, view: view({ version: 2 }) } });
  device.do({ on: "signal", code: "MIC_OFF", phase: "begin" });
  device.do({ on: "signal", code: "MIC_OFF", phase: "end" });
  device.do({ on: "signal", code: "MIC_OFF", phase: "end" });
  const phases = device.sent.flatMap((frame) => (frame.type === "command" && frame.command.do === "signal" ? [frame.command.phase] : []));
  assert.deepEqual(phases, ["begin", "end"]);
});

test("copying is reported at most once in half a minute", () => {
  const device = new Device().welcome();
  for (let n = 0; n < 40; n++) {
    device.at += 1_000;
    device.do({ on: "signal", code: "COPY_PASTE", phase: "seen" });
  }
  assert.equal(device.commands().length, 2);
});

test("the questions are covered until the warning is acknowledged or the server's time is over", () => {
  const device = new Device().welcome();
  const warning = { ordinal: 1, code: "WINDOW_BLUR", note: null, began_at: 0, given_at: 0, displayed: false, acknowledged: false, covered_until: null };
  const show = (version: number, change: object): void =>
    void device.do({ on: "frame", frame: { type: "state", server_time: device.at + SERVER_AHEAD, view: view({ version, warning: { ...warning, ...change } }) } });
  show(2, {});
  assert.equal(warningOpen(device.state, device.at), true);
  show(3, { displayed: true, covered_until: device.at + SERVER_AHEAD + 60_000 });
  assert.equal(warningOpen(device.state, device.at + 59_000), true);
  assert.equal(warningOpen(device.state, device.at + 60_000), false);
  device.command({ do: "acknowledge_warning", ordinal: 1 });
  assert.equal(warningOpen(device.state, device.at), false);
});

test("after time ran out the late answers go first, then the device says there are none left, once", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.answer(0, 1);
  device.sent = [];
  const end = { at: 0, reason: "time_expired", answered: 0, total: 5, result: null, sealed: false, approved: false, appeal_until: null, late_answers: 0 };
  device.welcome({ view: view({ version: 5, stage: "closed", end }) });
  assert.deepEqual(device.commands(), [{ seq: 1, do: "answer" }]);
  device.ack(1);
  assert.deepEqual(device.commands().at(-1), { seq: 2, do: "drained" });
  device.ack(2);
  device.later(1_000);
  assert.equal(device.commands().length, 2);
  assert.equal(screenOf(device.state), "end");
});

test("the nonce is made after the commitment was shown, and both are kept together", () => {
  const device = new Device().welcome({ view: view({ ...unpapered, draw_commitment: "c0ffee" }) });
  const effects = device.do({ on: "ready", nonce: "11".repeat(32) });
  assert.deepEqual(device.state.draw, { nonce: "11".repeat(32), commitment: "c0ffee" });
  assert.ok(effects.some((effect) => effect.do === "save"));
  device.refuse(1, "cannot_draw");
  assert.equal(device.state.draw, null);
});

const unpapered: Partial<CandidateView> = { stage: "preparing", steps: { ...view().steps, paper: false, ready: false } };

test("the page has the paper drawn by itself, once, when nothing but the start is missing", () => {
  const asks = (device: Device): number => device.effects.filter((effect) => effect.do === "make_nonce").length;
  const early = new Device().welcome({ view: view({ stage: "preparing", steps: { ...view().steps, paper: false, acknowledged: ["conduct"] } }) });
  assert.equal(asks(early), 0, "the texts first");
  assert.equal(asks(new Device().welcome({ view: view({ stage: "preparing" }) })), 0, "it is drawn");
  assert.equal(asks(new Device().welcome({ view: view({ ...unpapered, attach: "waiting" }), epoch: null })), 0, "not in charge");

  const device = new Device().welcome({ view: view(unpapered) });
  assert.equal(asks(device), 1);
  device.do({ on: "ready", nonce: "11".repeat(32) });
  assert.deepEqual(device.commands(), [{ seq: 1, do: "ready" }]);
  device.refuse(1, "cannot_draw");
  device.later(5_000);
  assert.equal(asks(device), 1, "not in a circle");
  device.later(6_000);
  assert.equal(asks(device), 2);
  device.do({ on: "ready", nonce: "22".repeat(32) });
  device.ack(2);
  device.do({ on: "frame", frame: { type: "state", server_time: device.at + SERVER_AHEAD, view: view({ version: 9, stage: "preparing" }) } });
  device.later(60_000);
  assert.equal(asks(device), 2);
});

test("another device goes on at the question answered last, one that knows its place stays there", () => {
  const device = new Device().welcome({ epoch: null, view: view({ attach: "waiting" }) });
  assert.equal(device.welcome({ question: 3 }).state.current, 3);
  device.do({ on: "show", question: 1 });
  device.do({ on: "closed" });
  assert.equal(device.welcome({ epoch: 2, question: 3 }).state.current, 1);
});

test("the summary names what is open and what is marked, the newest knowledge of this device included", () => {
  const device = new Device().welcome();
  device.do({ on: "closed" });
  device.answer(1, 0);
  device.command({ do: "flag", question: 2, on: true });
  assert.deepEqual(summaryOf(device.state), { total: 5, open: [0, 2, 3, 4], flagged: [2] });
  device.answer(1);
  device.command({ do: "flag", question: 2, on: false });
  assert.deepEqual(summaryOf(device.state), { total: 5, open: [0, 1, 2, 3, 4], flagged: [] });
  assert.equal(flaggedOf(device.state, 2), false);
});

test("whoever finds no seat sees the place in the queue, asks again as told and is never shown a cut", () => {
  const device = new Device();
  device.do({ on: "connect" });
  device.do({ on: "closed", code: "exam_full_queue", retryAfterMs: 2_000, position: 12 }, 0);
  assert.equal(screenOf(device.state), "queue");
  assert.equal(device.state.queue?.position, 12);
  const connects = (): number => device.effects.filter((effect) => effect.do === "connect").length;
  device.later(1_999);
  assert.equal(connects(), 1);
  device.later(1);
  assert.equal(connects(), 2);
  assert.equal(screenOf(device.state), "queue", "still while asking");
  for (let n = 0; n < 20; n++) device.do({ on: "closed", code: "exam_full_queue", retryAfterMs: 2_000, position: 3 }, 1);
  device.later(2_200);
  assert.equal(connects(), 3, "waiting long does not slow the asking down");
  assert.equal(isCut(device.state, device.at), false);
  device.do({ on: "closed", code: "exam_full_queue", retryAfterMs: 30_000 });
  assert.equal(device.state.queue?.position, null);
  device.do({ on: "closed" });
  assert.equal(screenOf(device.state), "connecting", "a broken line is told as one");
  device.welcome({ view: view({ stage: "preparing" }) });
  assert.equal(device.state.queue, null);
  assert.equal(screenOf(device.state), "ready");
});

test("each screen follows from the server's view", () => {
  const steps = view().steps;
  const at = (change: Partial<CandidateView["steps"]>): string => screenOf(new Device().welcome({ view: view({ stage: "preparing", steps: { ...steps, ...change } }) }).state);
  assert.equal(at({ lang: null }), "language");
  assert.equal(at({ consent: false }), "consent");
  assert.equal(at({ device_check: false }), "device");
  assert.equal(at({ identity: "missing" }), "photos");
  assert.equal(at({ identity: "asked_again" }), "photos");
  assert.equal(at({ identity: "submitted" }), "identity");
  assert.equal(at({ acknowledged: ["conduct"] }), "texts");
  assert.equal(at({}), "ready");
  assert.equal(screenOf(EMPTY), "connecting");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { voiceOf } from "./voice.ts";

const voice = (lang: string, localService: boolean): SpeechSynthesisVoice => ({ lang, localService, name: lang, default: false, voiceURI: lang });

test("a voice of the language is taken, one of this machine first, and no other", () => {
  const voices = [voice("en-US", true), voice("ru-RU", false), voice("ru_RU", true), voice("kk", false), voice("kkc-XX", true)];
  assert.equal(voiceOf("ru", voices), voices[2]);
  assert.equal(voiceOf("kk", voices), voices[3]);
  assert.equal(voiceOf("kk", voices.slice(0, 3)), undefined);
});

// Every text exists in all three languages, says the same placeholders, and every plural has the language's forms.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { format, LANGS, pluralCategories, type Message } from "./i18n.ts";
import type { Lang } from "./wire/Lang.ts";

type Messages = Record<string, Message>;
const read = (file: string): Messages => JSON.parse(readFileSync(file, "utf8")) as Messages;

/** `folder/` or `folder/name.` before `kk.json`. */
function sets(): string[] {
  const folders = ["shared/src/texts", "shared/src/staff/texts", "candidate/src/texts", "proctor/src/texts", "centre/src/texts"].filter((folder) => existsSync(folder));
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith("kk.json"))
      .map((name) => `${folder}/${name.slice(0, -"kk.json".length)}`),
  );
}

const forms = (message: Message): string[] => (typeof message === "string" ? [message] : Object.values(message));
const holes = (message: Message): string[] => [...new Set(forms(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort();

for (const set of sets()) {
  const texts = Object.fromEntries(LANGS.map((lang) => [lang, read(`${set}${lang}.json`)])) as Record<Lang, Messages>;

  test(`${set}: every key exists in kk, ru and en, and none is empty`, () => {
    const keys = Object.keys(texts.kk).sort();
    assert.ok(keys.length > 0);
    for (const lang of LANGS) {
      assert.deepEqual(Object.keys(texts[lang]).sort(), keys, lang);
      for (const [key, message] of Object.entries(texts[lang])) assert.ok(forms(message).every((text) => text.trim().length > 0), `${lang} ${key}`);
    }
  });

  test(`${set}: plurals have exactly the categories of their language`, () => {
    for (const lang of LANGS) {
      for (const [key, message] of Object.entries(texts[lang])) {
        if (typeof message !== "string") assert.deepEqual(Object.keys(message).sort(), pluralCategories(lang), `${lang} ${key}`);
      }
    }
  });

  test(`${set}: the same placeholders stand in every language`, () => {
    for (const key of Object.keys(texts.kk)) {
      for (const lang of LANGS) assert.deepEqual(holes(texts[lang][key] ?? ""), holes(texts.kk[key] ?? ""), `${lang} ${key}`);
    }
  });

  test(`${set}: Kazakh and Russian are not copies of each other`, () => {
    const kazakh = Object.entries(texts.kk).filter(([, message]) => forms(message).some((text) => /[әғқңөұүһі]/i.test(text)));
    assert.ok(kazakh.length > Object.keys(texts.kk).length / 2);
    // Names of people and centres keep their letters, so a few are right.
    const mixed = Object.entries(texts.ru).filter(([, message]) => forms(message).some((text) => /[ғқңөұүһі]/i.test(text)));
    assert.ok(mixed.length <= 3, mixed.map(([key]) => key).join());
  });
}

test("plural forms are chosen as the languages want them", () => {
  const ru = { one: "{n} вопрос", few: "{n} вопроса", many: "{n} вопросов", other: "{n} вопроса" };
  assert.deepEqual([1, 2, 5, 21].map((n) => format("ru", ru, { n })), ["1 вопрос", "2 вопроса", "5 вопросов", "21 вопрос"]);
  const kk = { one: "{n} сұрақ", other: "{n} сұрақ" };
  assert.deepEqual([1, 5].map((n) => format("kk", kk, { n })), ["1 сұрақ", "5 сұрақ"]);
});

test("a missing argument stays visible", () => {
  assert.equal(format("en", "{a} and {b}", { a: 1 }), "1 and {b}");
});

import { I18n } from "../../shared/src/i18n.svelte.ts";
import type { Message } from "../../shared/src/i18n.ts";
import type { Lang } from "../../shared/src/wire/Lang.ts";
import type english from "./texts/en.json";
import type people from "./texts/people.en.json";

export type CentreKey = keyof typeof english | keyof typeof people;

type Messages = Readonly<Record<CentreKey, Message>>;

type File = Promise<{ default: Readonly<Record<string, Message>> }>;

/** What everybody needs, and the words about staff, profile and audit log. */
const files: Readonly<Record<Lang, readonly (() => File)[]>> = {
  kk: [() => import("./texts/kk.json"), () => import("./texts/people.kk.json")],
  ru: [() => import("./texts/ru.json"), () => import("./texts/people.ru.json")],
  en: [() => import("./texts/en.json"), () => import("./texts/people.en.json")],
};

/** Texts of the centre and the commission. */
export const text = new I18n<CentreKey>(async (lang) => {
  const read = await Promise.all(files[lang].map((file) => file()));
  // The types of both files are the same list of keys in each language; a test holds them to it.
  return Object.assign({}, ...read.map((file) => file.default)) as Messages;
});
